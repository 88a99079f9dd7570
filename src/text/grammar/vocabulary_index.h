// The vocabulary as grammars need it: a trie of token bytes and what is the same for every grammar inside a JSON
// string. Built once for a tokenizer (about 30 ms for 49,000 tokens) and shared; thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "text/grammar/token_partition.h"
#include "text/grammar/token_trie.h"
#include "text/tokenizer.h"

namespace rival::text {

class GrammarVocabulary {
 public:
  // Control tokens stand in it as control_mark() spells them; unknown and unused tokens are left out: no grammar ever
  // allows them. End-of-generation ids are allowed where a text is complete. Errors: kInvalidArgument for an empty vocabulary.
  static Result<std::shared_ptr<const GrammarVocabulary>> build(const Tokenizer& tokenizer);
  // From the bytes of each token; an empty one is left out.
  static Result<std::shared_ptr<const GrammarVocabulary>> build(std::span<const std::string> tokens, std::span<const TokenId> ends);

  size_t size() const { return offsets_.size() - 1; }
  size_t mask_words() const { return (size() + 31) / 32; }  // of uint32_t
  std::string_view token_bytes(TokenId id) const;           // empty for tokens that are left out
  std::span<const TokenId> end_of_generation() const { return end_of_generation_; }

  // ---- for the grammar engine ----
  using Bits = grammar::Bits;
  const grammar::TokenTrie& trie() const { return trie_; }
  const grammar::TokenTrie& exit_trie() const { return exit_trie_; }        // tokens that can close a string
  const grammar::TokenTrie& remainders() const { return remainders_; }      // what stands behind a quote
  int32_t empty_remainder() const { return empty_remainder_; }
  size_t remainder_count() const { return remainder_count_; }
  uint32_t remainder_at(TokenId token, size_t quote_position) const;
  std::span<const std::pair<TokenId, TokenId>> equal_tokens() const { return equal_tokens_; }

  // Inside a string of any text: tokens that stay inside, and all exits.
  const std::shared_ptr<const Bits>& inside() const { return inside_; }
  const std::shared_ptr<const std::vector<grammar::Exit>>& exits() const { return exits_; }
  // Of those that stay inside, the tokens of at most `characters` characters (a started one counts).
  const std::shared_ptr<const Bits>& inside_up_to(size_t characters) const;
  size_t exit_characters(TokenId token) const { return characters_[token]; }  // characters before the quote

  // Partitions shared between grammars by the spelling of their language.
  struct SharedPartition {
    std::shared_ptr<const Bits> inside;
    std::shared_ptr<const std::vector<grammar::Exit>> exits;
  };
  std::shared_ptr<const SharedPartition> find_shared(const std::string& language) const;
  void keep_shared(const std::string& language, std::shared_ptr<const SharedPartition> partition) const;

 private:
  GrammarVocabulary() = default;
  void build_tries();
  void build_universal();

  std::string bytes_;
  std::vector<uint32_t> offsets_;
  std::vector<TokenId> end_of_generation_;
  grammar::TokenTrie trie_, exit_trie_, remainders_;
  std::vector<std::pair<TokenId, TokenId>> equal_tokens_;
  int32_t empty_remainder_ = -1;
  size_t remainder_count_ = 0;
  struct Quote {
    uint32_t position, remainder;
  };
  std::vector<Quote> quotes_;
  std::vector<uint32_t> quote_offsets_;
  std::vector<uint16_t> characters_;
  std::shared_ptr<const Bits> inside_;
  std::vector<std::shared_ptr<const Bits>> inside_up_to_;
  std::shared_ptr<const std::vector<grammar::Exit>> exits_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, std::shared_ptr<const SharedPartition>> shared_;  // guarded by mutex_
};

}  // namespace rival::text
