// Tokens that are found in a text before anything else looks at it: control tokens, user-defined tokens, and
// what tokenizer.json calls added tokens.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/regex.h"
#include "text/vocabulary.h"

namespace rival::text {

struct AddedToken {
  std::string_view text;  // what is looked for
  TokenId id = 0;
  bool special = false;      // a control token: found only where the caller wants special tokens parsed
  bool single_word = false;  // not inside of a word
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space behind it
};

// A stretch of text between added tokens, or one of them.
struct Section {
  Span span;
  TokenId id = -1;  // -1: text
};

class AddedTokens {
 public:
  AddedTokens() = default;
  // The views must outlive this object. Of equal texts the last one counts. Texts that are empty or no valid
  // UTF-8 are left out: a match never cuts a character.
  explicit AddedTokens(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }
  const AddedToken* find(std::string_view text) const;
  const std::vector<AddedToken>& tokens() const { return tokens_; }

  // Cuts text[whole] into sections, leftmost-longest; special tokens are text where parse_special is false, and at
  // the offsets in `plain`, ascending.
  void split(std::string_view text, Span whole, bool parse_special, std::span<const size_t> plain,
             std::vector<Section>& sections) const;

 private:
  const AddedToken* longest_at(std::string_view text, size_t at) const;

  std::vector<AddedToken> tokens_;  // by text
  uint32_t first_[257] = {};        // tokens that begin with byte b: first_[b] .. first_[b + 1]
};

}  // namespace rival::text
