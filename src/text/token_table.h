// From a token's text to its id: an open-addressing hash over views that the vocabulary owns. Built at every
// start of the program, so building is what it is made for: 262,144 tokens in a few milliseconds.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace rival::text {

// A fast hash of short texts: two 8-byte reads and two wide multiplications up to 16 bytes.
uint64_t hash_text(std::string_view text);

class TokenTable {
 public:
  TokenTable() = default;
  // Of equal texts the first id wins. Empty texts are left out, and so is every id whose type is control,
  // unknown or byte when `types` is not empty: no stretch of text may turn into one of those. The views must
  // outlive the table.
  TokenTable(std::span<const std::string_view> tokens, std::span<const TokenType> types);

  // The id, or -1.
  TokenId find(std::string_view text) const;
  std::string_view text(TokenId id) const { return tokens_[static_cast<size_t>(id)]; }
  size_t size() const { return tokens_.size(); }

 private:
  struct Slot {
    uint32_t tag = 0;  // high half of the hash
    TokenId id = -1;
  };

  void insert(TokenId id, uint64_t hash);

  std::span<const std::string_view> tokens_;
  std::vector<Slot> slots_;  // a power of two, at most half full
  uint64_t mask_ = 0;
};

}  // namespace rival::text
