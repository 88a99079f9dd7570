// Which tokens end a repetition for DRY, from the texts that do.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace rival::engine {

// As llama.cpp and text-generation-webui have them by default.
std::vector<std::string> default_dry_breakers();

// Sorted ids of all tokens that contain one of the texts: a value for SamplerParams::dry_breakers. Looks at the whole
// vocabulary (milliseconds), so keep the result.
std::vector<text::TokenId> dry_breaker_tokens(const text::Tokenizer& tokenizer, std::span<const std::string> texts);

}  // namespace rival::engine
