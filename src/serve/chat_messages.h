// Messages as APIs have them, made into what a model's template can work on.
#pragma once

#include "serve/chat_prompt.h"

namespace rival::serve {

// How far messages are bent to fit a template that refuses them.
enum class MessageForm {
  kAsGiven,      // leading system messages become one
  kSystemFirst,  // all system messages become one, in front
  kTurnsOnly,    // the system text stands before the first question, neighbours of one role become one message
};

json::array make_messages(const PromptStyle& style, const ChatRequest& request, MessageForm form);

// The tools in the shape that templates know; null: there are none, or the template does not show them.
json::value template_tools(const PromptStyle& style, const ChatRequest& request);

}  // namespace rival::serve
