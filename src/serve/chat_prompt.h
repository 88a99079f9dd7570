// The prompt of a chat: its messages and tools as the model's own template writes them, or, where the template knows no
// tools, as a system text that any model can follow.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "serve/chat.h"

namespace rival::serve {

// What of a model makes prompts; it outlives its uses.
struct PromptStyle {
  const text::ChatTemplate& chat_template;
  const text::AnswerSyntax& syntax;
  std::string bos_text = {}, eos_text = {};
  bool null_content = false;  // the template asks whether a message has content at all
};

// Errors: 400 for messages that the template refuses.
std::variant<std::string, ApiError> render_chat(const PromptStyle& style, const ChatRequest& request);

struct ChatPrompt {
  std::vector<text::TokenId> tokens;
  bool thinking_open = false;    // it ends inside of a thought
  bool thinking_closed = false;  // it ends behind one
  std::string answer_begun = {};  // of a message that is written on: its text so far, behind the thought
};

// Errors: 400 as above, and for a model without a chat template.
std::variant<ChatPrompt, ApiError> make_chat_prompt(const ServedModel& model, const ChatRequest& request);

}  // namespace rival::serve
