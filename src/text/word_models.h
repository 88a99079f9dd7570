// The models that look at whole words: WordPiece (Schuster & Nakajima 2012, as in BERT) and WordLevel.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/token_table.h"

namespace rival::text {

// Longest token first, from the left; a word that cannot be spelled is one unknown token.
struct WordPiece {
  const TokenTable* table = nullptr;
  std::optional<TokenId> unknown;
  std::string first_prefix;              // spelled before a word's first token (GGUF: U+2581)
  std::string continuing_prefix = "##";  // before the others
  size_t word_chars_max = 100;           // longer words are unknown

  Status encode(std::string_view word, std::vector<TokenId>& ids) const;
};

// A word is a token or unknown.
struct WordLevel {
  const TokenTable* table = nullptr;
  std::optional<TokenId> unknown;

  Status encode(std::string_view word, std::vector<TokenId>& ids) const;
};

}  // namespace rival::text
