// The body of POST /v1/chat/completions as a chat.
#pragma once

#include "serve/chat.h"
#include "serve/fields.h"

namespace rival::serve {

struct OpenAiChat {
  ChatRequest chat;
  bool stream = false, include_usage = false, logprobs = false;
  bool functions = false;  // the client knows functions, the older form of tools
};

// Errors are kept in `fields`.
OpenAiChat read_openai_chat(Fields& fields, const ServedModel& model);

// stream and stream_options.include_usage, which OpenAI's text APIs share.
void read_streaming(Fields& fields, bool& stream, bool& include_usage);

}  // namespace rival::serve
