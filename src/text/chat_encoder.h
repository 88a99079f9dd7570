// The ids of a prompt that a chat template wrote. The template's own control tokens are those tokens; the same spelled
// inside of a message is plain text, whatever the template does with the message (trim, tojson, replace, split).
//
// How it is told which is which: the template is rendered again with messages in which the characters that can begin a
// control token are others, from a private plane of Unicode, one for one. Where they come out, the message's stand.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "text/tokenizer.h"

namespace rival::text {

// What was rendered once more with other messages.
using RenderAgain = std::function<Result<std::string>(const json::value& messages)>;

// `prompt`: what the template made of `messages`, a value all of whose strings are foreign; an object in it whose
// "role" is "assistant" may hold markup that the template looks for. Nothing is rendered again where no message holds
// such a character. Errors: of encode(); kInvalidArgument where the template takes messages apart in a way in which
// their control tokens cannot be told from its own.
Result<std::vector<TokenId>> encode_chat(const Tokenizer& tokenizer, const std::string& prompt, const json::value& messages,
                                         const RenderAgain& render);

}  // namespace rival::text
