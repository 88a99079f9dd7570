// What a response in the background has told so far, kept event by event while it is answered: a client that comes back
// goes on where it broke off, and a server that ends in between loses nothing that it has told.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "serve/database.h"

namespace rival::serve {

// JSON texts, numbered from `first` on.
struct NewEvents {
  size_t first = 0;
  std::span<const std::string> texts = {};
};

// Nothing where the response is gone. In a transaction of the caller's.
Status add_events(Connection& db, std::string_view response, NewEvents events);

// Those after number `after`, in their order.
Result<std::vector<std::string>> events_after(Connection& db, std::string_view response, int64_t after);

// Takes an event into the object that a client holds which has heard all events before. What is no event of a response
// changes nothing.
void take_event(json::object& response, const json::object& event);

// Answers that an ended server left unfinished become failed ones, with all that they had told; their last event says so.
// Called when no server is at work on them.
Status fail_unfinished(Connection& db);

}  // namespace rival::serve
