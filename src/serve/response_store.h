// Responses as they are kept: the object, what it was asked and answered as items, and its place in a chain.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "serve/api_error.h"
#include "serve/database.h"
#include "serve/paging.h"
#include "serve/response_log.h"

namespace rival::serve {

struct KeptResponse {
  std::string owner;
  json::object response;
};

// Writes or replaces a response; `input` and its output are its items, `events` those that are new. Where it belongs to a
// conversation and is finished, its items are added to that, if it is still there. One transaction.
Status keep_response(Connection& db, const KeptResponse& kept, const json::array& input, NewEvents events = {});

// Absent where there is none of this owner's.
Result<std::optional<KeptResponse>> find_response(Connection& db, std::string_view owner, std::string_view id);
Result<bool> remove_response(Connection& db, std::string_view owner, std::string_view id);

// What all responses up to `id` were asked and answered, oldest first. Errors: kNotFound for one that is not there (any
// more), kInvalidArgument for one that is not finished, kLimit.
Result<json::array> response_chain(Connection& db, std::string_view owner, std::string_view id);

// The item of this id in any response or conversation of the owner's. Error: kNotFound.
Result<json::object> find_item(Connection& db, std::string_view owner, std::string_view id);

Result<json::object> input_page(Connection& db, std::string_view response, const PageRequest& page);

// Removes finished responses that were created before `before` (seconds since 1970) and that no later one goes on from,
// the oldest first and kExpiredAtOnceMax at most; how many these were.
Result<size_t> remove_expired(Connection& db, int64_t before);

// What a client is told of an error of a store: one that it did not cause is a 500 whatever its code.
ApiError store_error(const Error& error, std::string_view param = {});

}  // namespace rival::serve
