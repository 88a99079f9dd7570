// Messages and tools of OpenAI's chat API.
#pragma once

#include "serve/chat.h"
#include "serve/fields.h"

namespace rival::serve {

// `messages` as ChatRequest has them. Errors are kept in `fields`.
json::array read_openai_messages(Fields& fields);

// tools, tool_choice and parallel_tool_calls, or functions and function_call, which older clients send and which allow
// one call. True: the answer's call is told in their shape too. Errors are kept in `fields`.
bool read_openai_tools(Fields& fields, ChatRequest& chat);

}  // namespace rival::serve
