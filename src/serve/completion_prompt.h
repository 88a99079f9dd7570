// The prompts of POST /v1/completions.
#pragma once

#include <vector>

#include "serve/fields.h"
#include "text/tokenizer.h"

namespace rival::serve {

// `prompt`: a string, token ids, or an array of either; with `suffix` what stands before and behind the text to write.
// Errors are kept in `fields`.
std::vector<std::vector<text::TokenId>> read_prompts(Fields& fields, const text::Tokenizer& tokenizer, size_t vocabulary_size);

// The tokens that a model which fills in the middle was trained with. Nullopt: it was not.
struct FillTokens {
  text::TokenId prefix, suffix, middle;
  std::vector<text::TokenId> ends;  // that close what was filled in
};
std::optional<FillTokens> fill_tokens(const text::Tokenizer& tokenizer);
// The prompt of what stands between two texts. Errors: those of Tokenizer::encode().
Result<std::vector<text::TokenId>> fill_prompt(const text::Tokenizer& tokenizer, const FillTokens& fill, std::string_view before, std::string_view behind);

}  // namespace rival::serve
