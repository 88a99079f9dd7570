// The prompt of a chat: its messages as the model's own template writes them.
#pragma once

#include <variant>
#include <vector>

#include "serve/chat.h"

namespace rival::serve {

struct ChatPrompt {
  std::vector<text::TokenId> tokens;
};

// Errors: 400 for messages that the template refuses.
std::variant<ChatPrompt, ApiError> make_chat_prompt(const ServedModel& model, const ChatRequest& request);

}  // namespace rival::serve
