// What the model is told for a response: what came before, and the new input.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "serve/database.h"
#include "serve/response_request.h"

namespace rival::serve {

// Whether telling needs the database.
bool needs_history(const ResponseRequest& request);

// Fills request.chat.messages, and puts items in the place of references to them. Where not all fits and
// request.truncate allows it, the oldest turns are left out. `db` may be null if no history is needed.
std::optional<ApiError> prepare_response(Connection* db, ServedModel& model, const std::string& owner, ResponseRequest& request);

// An error of the chat as this API's clients know its fields: what others call messages is the input here.
ApiError named_for_input(ApiError error);

}  // namespace rival::serve
