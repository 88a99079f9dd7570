#include "text/grammar/token_partition.h"

#include <map>

#include "text/grammar/vocabulary_index.h"

namespace rival::text::grammar {

namespace {

constexpr size_t kFewTokens = 256;          // more are kept as a bitset
constexpr size_t kSharedWalkNodes = 2'000;  // a walk of that many trie nodes is worth sharing
constexpr size_t kLanguageBytesMax = 2'000;

struct Walk {
  std::vector<TokenId> inside;
  std::vector<std::pair<TokenId, StateId>> conditional;
  std::map<uint32_t, std::vector<Exit>> exits;
  size_t nodes = 0;
};

// Keys: whether an expression, not only a literal, is alive.
bool open_alive(const Dfa& dfa, StateId state) {
  for (Atom a : dfa.atoms(state)) {
    if (a != 0 && !is_literal(a) && (a & kClassifier) == 0) return true;
  }
  return false;
}

Walk walk_trie(const GrammarVocabulary& vocabulary, const TokenTrie& trie, Dfa* dfa, StateId state, bool keys) {
  Walk walk;
  std::vector<StringPlace> places(trie.depth_max() + 1);
  places[0].state = state;
  const std::vector<TokenTrie::Node>& nodes = trie.nodes();
  for (uint32_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& n = nodes[i];
    ++walk.nodes;
    StringPlace place = places[n.depth];
    const StringStep step = step_json_string(dfa, &place, n.byte);
    if (step == StringStep::kInside) {
      places[n.depth + 1] = place;
      if (n.value >= 0) {
        if (keys && !open_alive(*dfa, place.state)) walk.conditional.emplace_back(n.value, place.state);
        else walk.inside.push_back(n.value);
      }
      ++i;
      continue;
    }
    if (step == StringStep::kClosed && dfa->accepting(place.state)) {
      std::vector<Exit>& exits = walk.exits[keys ? place.state : dfa->acceptance(place.state)];
      for (uint32_t j = i; j < n.end; ++j) {
        if (nodes[j].value >= 0) exits.push_back({vocabulary.remainder_at(nodes[j].value, n.depth), nodes[j].value});
      }
    }
    i = n.end;
  }
  return walk;
}

std::shared_ptr<const Bits> to_bits(const std::vector<TokenId>& tokens, size_t size) {
  auto bits = std::make_shared<Bits>((size + 63) / 64);
  for (TokenId t : tokens) (*bits)[static_cast<size_t>(t) / 64] |= uint64_t{1} << (t % 64);
  return bits;
}

void take_exits(Walk* walk, TokenPartition* p) {
  for (auto& [closing, exits] : walk->exits) {
    p->groups.push_back({closing, std::make_shared<const std::vector<Exit>>(std::move(exits))});
  }
}

void fill_length_bounded(const GrammarVocabulary& vocabulary, uint32_t min, uint32_t max, TokenPartition* p) {
  p->many = vocabulary.inside_up_to(max);
  std::vector<Exit> exits;
  for (const Exit& e : *vocabulary.exits()) {
    const size_t n = vocabulary.exit_characters(e.token);
    if (n >= min && n <= max) exits.push_back(e);
  }
  if (!exits.empty()) p->groups.push_back({1, std::make_shared<const std::vector<Exit>>(std::move(exits))});
}

void fill_by_walk(const GrammarVocabulary& vocabulary, Dfa* dfa, StateId state, bool keys, TokenPartition* p) {
  const std::span<const Atom> atoms = dfa->atoms(state);
  const bool shareable = !keys && atoms.size() == 1 && !is_literal(atoms[0]);
  std::string language;
  if (shareable) {
    dfa->regexes().canonical(atom_id(atoms[0]), &language, kLanguageBytesMax);
    if (auto shared = vocabulary.find_shared(language)) {
      p->many = shared->inside;
      if (!shared->exits->empty()) p->groups.push_back({1, shared->exits});
      return;
    }
  }
  Walk walk = walk_trie(vocabulary, vocabulary.trie(), dfa, state, keys);
  p->conditional = std::move(walk.conditional);
  const bool share = shareable && walk.nodes > kSharedWalkNodes && language.size() <= kLanguageBytesMax;
  if (share || walk.inside.size() > kFewTokens) p->many = to_bits(walk.inside, vocabulary.size());
  else p->few = std::move(walk.inside);
  take_exits(&walk, p);
  if (share) {
    auto exits = p->groups.empty() ? std::make_shared<const std::vector<Exit>>() : p->groups[0].exits;
    vocabulary.keep_shared(language, std::make_shared<GrammarVocabulary::SharedPartition>(p->many, exits));
  }
}

void fill(const GrammarVocabulary& vocabulary, Dfa* dfa, StateId state, bool keys, TokenPartition* p) {
  const std::span<const Atom> atoms = dfa->atoms(state);
  uint32_t min, max;
  if (!keys && atoms.size() == 1 && !is_literal(atoms[0])) {
    if (atom_id(atoms[0]) == kAnything) {
      p->many = vocabulary.inside();
      p->groups.push_back({1, vocabulary.exits()});
      return;
    }
    if (dfa->regexes().is_length(atom_id(atoms[0]), &min, &max)) return fill_length_bounded(vocabulary, min, max, p);
  }
  if (!dfa->always_live(state)) return fill_by_walk(vocabulary, dfa, state, keys, p);
  p->many = vocabulary.inside();
  Walk walk = walk_trie(vocabulary, vocabulary.exit_trie(), dfa, state, keys);
  take_exits(&walk, p);
}

}  // namespace

const TokenPartition& partition_at(const GrammarVocabulary& vocabulary, Dfa* dfa, StateId state, bool keys) {
  if (!dfa->partition(state)) {
    auto partition = std::make_unique<TokenPartition>();
    fill(vocabulary, dfa, state, keys, partition.get());
    dfa->partition(state) = std::move(partition);
  }
  return *dfa->partition(state);
}

}  // namespace rival::text::grammar
