// How the vocabulary falls apart at one place inside a JSON string: tokens that stay inside, and tokens that close
// it and go on behind the quote. Computed once for each automaton state and kept; large ones are shared between
// grammars through the vocabulary.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "text/grammar/json_string.h"
#include "text/vocabulary.h"

namespace rival::text {
class GrammarVocabulary;
}

namespace rival::text::grammar {

using Bits = std::vector<uint64_t>;  // one bit a token

struct Exit {
  uint32_t remainder;  // GrammarVocabulary::remainders() value: what stands behind the quote
  TokenId token;
};

struct ExitGroup {
  uint32_t closing;  // key automata: the state at the quote; others: its acceptance()
  std::shared_ptr<const std::vector<Exit>> exits;
};

struct TokenPartition {
  std::shared_ptr<const Bits> many;  // tokens that stay inside, if there are many
  std::vector<TokenId> few;          // and where there are few
  std::vector<std::pair<TokenId, StateId>> conditional;  // keys: inside, only literals alive at that state
  std::vector<ExitGroup> groups;
};

// The partition of `state` (between two characters), computed at first use. `keys`: an automaton of object keys.
const TokenPartition& partition_at(const GrammarVocabulary& vocabulary, Dfa* dfa, StateId state, bool keys);

}  // namespace rival::text::grammar
