// Bodies of Anthropic's messages API, read into the chat that all APIs share.
#pragma once

#include <variant>

#include "base/json.h"
#include "serve/api_error.h"
#include "serve/chat.h"

namespace rival::serve {

struct AnthropicRequest {
  ChatRequest chat;
  bool stream = false;
};

enum class AnthropicUse : uint8_t {
  kAnswer,
  kCount,  // of tokens only: max_tokens and the fields of sampling do not matter
};

// What other servers of this API ignore or cannot do here is refused by name: images, documents, tools that the server
// would run itself.
std::variant<AnthropicRequest, ApiError> read_anthropic(const json::object& body, AnthropicUse use);

}  // namespace rival::serve
