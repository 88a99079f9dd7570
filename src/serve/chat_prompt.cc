#include "serve/chat_prompt.h"

namespace rival::serve {

std::variant<ChatPrompt, ApiError> make_chat_prompt(const ServedModel& model, const ChatRequest& request) {
  auto tokens = model.chat_prompt(request.messages);
  if (tokens.ok()) return ChatPrompt{std::move(tokens).value()};
  ApiError error = to_api_error(tokens.error());
  error.param = "messages";
  return error;
}

}  // namespace rival::serve
