// The body of POST /v1/responses.
#pragma once

#include <string>
#include <variant>

#include "base/json.h"
#include "serve/chat.h"

namespace rival::serve {

struct ResponseRequest {
  ChatRequest chat;          // without its messages
  std::string instructions;
  json::array input;         // items (response_items.h)
  std::string previous;      // the response that this one goes on from; empty = none
  std::string conversation;  // whose items come before, and which gets what is new; empty = none
  bool store = true;
  bool background = false;
  bool stream = false;
  bool truncate = false;     // the oldest turns are left out where all do not fit
  json::object response;     // the object that clients see, before the answer has begun
};

// Errors name the field; fields that would not be honoured are errors too.
std::variant<ResponseRequest, ApiError> read_response_request(const json::object& body, const ServedModel& model);

}  // namespace rival::serve
