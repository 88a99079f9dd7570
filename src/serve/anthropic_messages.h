// The messages of Anthropic's API as chat templates have them.
#pragma once

#include "base/json.h"
#include "serve/fields.h"

namespace rival::serve {

// `system` and `messages` of the body. Blocks become text, reasoning_content, tool_calls and messages of role tool;
// neighbours of one role become one message, as the API has it. Errors are kept in `fields`.
json::array read_anthropic_messages(Fields& fields);

}  // namespace rival::serve
