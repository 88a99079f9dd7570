// Log-probabilities of tokens in the shapes of OpenAI's APIs.
#pragma once

#include <span>

#include "base/json.h"
#include "engine/sampler.h"
#include "text/tokenizer.h"

namespace rival::serve {

// {"content": [{token, logprob, bytes, top_logprobs: [...]}], "refusal": null}
json::object chat_logprobs(const text::Tokenizer& tokenizer, std::span<const engine::SampledToken> tokens);

// The completions API's: {tokens, token_logprobs, top_logprobs, text_offset}; offsets count on from `offset`. A token
// without a logprob, which a scored prompt begins with, has null for both.
json::object completion_logprobs(const text::Tokenizer& tokenizer, std::span<const engine::SampledToken> tokens, size_t& offset);

// The same of a scored prompt, whose tokens stand where their text begins in what is echoed.
json::object prompt_logprobs(const text::Tokenizer& tokenizer, std::span<const engine::SampledToken> tokens);

}  // namespace rival::serve
