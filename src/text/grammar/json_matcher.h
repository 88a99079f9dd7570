// Token masks and token steps over a JsonMachine.
#pragma once

#include <mutex>

#include "text/grammar/json_machine.h"
#include "text/grammar/mask_cache.h"
#include "text/grammar/vocabulary_index.h"

namespace rival::text::grammar {

// A compiled schema: what all its matchers share. The machine builds its automata as texts reach them, so each call
// of a matcher takes the lock.
struct JsonGrammar {
  JsonGrammar(std::shared_ptr<const GrammarVocabulary> vocabulary, std::unique_ptr<RegexPool> regexes,
              std::unique_ptr<LiteralPool> literals, std::unique_ptr<Shapes> shapes, TypeId root);

  const std::shared_ptr<const GrammarVocabulary> vocabulary;
  std::mutex mutex;
  // Guarded by mutex:
  JsonMachine machine;
  MaskCache masks;
  std::vector<Place> path;              // of a walk, by depth
  std::vector<uint8_t> remainder_fits;  // by remainder, of one exit group
};

// One text being matched. Copies are independent.
class JsonMatcher {
 public:
  explicit JsonMatcher(std::shared_ptr<JsonGrammar> grammar);
  JsonMatcher(const JsonMatcher& other);
  JsonMatcher& operator=(const JsonMatcher&) = delete;

  void mask(std::span<uint64_t> bits);
  bool accept(std::string_view bytes);  // one step of the history; false leaves everything as it was
  // As many of the bytes as fit, up to the end of the text: 0 to bytes.size().
  size_t accept_some(std::string_view bytes);
  bool complete();
  size_t history() const { return places_.size() - 1; }
  void rollback(size_t steps);
  std::string forced(size_t bytes_max);

 private:
  std::shared_ptr<const Bits> compute(std::span<uint64_t> bits);
  void add_walk(const Place& place, std::span<uint64_t> bits);
  std::shared_ptr<const Bits> add_partition(const Place& place, std::span<uint64_t> bits);
  void add_exits(const Place& behind, const std::vector<Exit>& exits, std::span<uint64_t> bits);
  template <typename Found>
  void walk(const TokenTrie& trie, const Place& from, Found found);
  void push(const Place& place);
  void compact();

  std::shared_ptr<JsonGrammar> grammar_;
  std::unique_ptr<Arena> arena_;
  std::vector<Place> places_;  // after each step, the newest last; never empty
  size_t compact_at_;
};

}  // namespace rival::text::grammar
