// A text file as the ids of one long text.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace rival::cmd {

// As llama-perplexity reads its file: without the last newline, control tokens as plain text, BOS in front where the
// vocabulary wants it, never EOS behind. Errors: those of reading; kLimit for a text that is too long.
Result<std::vector<text::TokenId>> text_tokens(const std::string& file, const text::Tokenizer& tokenizer);

}  // namespace rival::cmd
