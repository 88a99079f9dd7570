// Token masks for plain text languages: regular expressions and context-free grammars.
#pragma once

#include <mutex>
#include <span>

#include "text/grammar/dfa.h"
#include "text/grammar/json_string.h"
#include "text/grammar/mask_cache.h"
#include "text/grammar/vocabulary_index.h"

namespace rival::text::grammar {

// What all matchers of one language share.
struct TextGrammar {
  TextGrammar(std::shared_ptr<const GrammarVocabulary> vocabulary, std::unique_ptr<RegexPool> regexes,
              std::unique_ptr<Configurations> configurations, Atom language);

  const std::shared_ptr<const GrammarVocabulary> vocabulary;
  const std::unique_ptr<RegexPool> regexes;
  const std::unique_ptr<Configurations> configurations;
  std::mutex mutex;
  // Guarded by mutex:
  LiteralPool literals;
  Dfa dfa;
  StateId start;
  MaskCache masks;
  std::vector<StringPlace> path;
};

class TextMatcher {
 public:
  explicit TextMatcher(std::shared_ptr<TextGrammar> grammar);

  void mask(std::span<uint64_t> bits);
  bool accept(std::string_view bytes);
  size_t accept_some(std::string_view bytes);
  bool complete();
  size_t history() const { return places_.size() - 1; }
  void rollback(size_t steps);
  std::string forced(size_t bytes_max);

 private:
  void push(const StringPlace& place);
  bool complete_at(const StringPlace& place) const;

  std::shared_ptr<TextGrammar> grammar_;
  std::vector<StringPlace> places_;
};

}  // namespace rival::text::grammar
