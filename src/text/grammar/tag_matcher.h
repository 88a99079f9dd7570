// Free text with constrained parts between begin and end strings (TagOptions in grammar.h).
#pragma once

#include <array>
#include <mutex>

#include "text/grammar.h"
#include "text/grammar/mask_cache.h"

namespace rival::text::grammar {

class Matcher;

// The begin strings as an automaton over bytes (Aho and Corasick, CACM 1975).
struct TagGrammar {
  TagGrammar(std::shared_ptr<const GrammarVocabulary> vocabulary, TagOptions options);

  struct Node {
    std::array<int32_t, 256> next;  // -1: no text goes on this way
    int32_t tag = -1;               // whose begin string ends here
  };

  const std::shared_ptr<const GrammarVocabulary> vocabulary;
  const TagOptions options;
  std::vector<Node> nodes;
  std::mutex mutex;
  MaskCache masks;  // of places in free text; guarded by mutex

 private:
  void build_nodes();
};

class TagMatcher {
 public:
  explicit TagMatcher(std::shared_ptr<TagGrammar> grammar);
  TagMatcher(const TagMatcher& other);
  TagMatcher& operator=(const TagMatcher&) = delete;
  ~TagMatcher();

  void mask(std::span<uint64_t> bits);
  bool accept(std::string_view bytes);
  size_t accept_some(std::string_view bytes);
  bool complete();
  size_t history() const { return steps_.size() - 1; }
  void rollback(size_t steps);
  std::string forced(size_t bytes_max);

 private:
  enum class Phase : uint8_t { kFree, kBody, kEnd };
  struct Step {
    Phase phase = Phase::kFree;
    int32_t node = 0;     // kFree
    uint32_t tag = 0;     // kBody, kEnd
    uint32_t end_at = 0;  // kEnd: bytes of the end string that were read
    uint32_t tags = 0;    // complete ones
    std::shared_ptr<Matcher> body;
    uint64_t body_steps = 0;  // that the body had accepted
  };

  // Reads as far as the text fits; `body_steps` says how often the body of the last step was moved.
  size_t read(std::string_view bytes, Step* step);
  void finish_tag(Step* step) const;
  void restore(const Step& step);
  void add_free(int32_t node, std::vector<uint64_t>* bits);
  void add_end(const Step& step, std::span<uint64_t> bits);
  bool fits_body(uint32_t tag, std::string_view bytes) const;
  const TagOptions::Tag& tag(const Step& step) const { return grammar_->options.tags[step.tag]; }

  std::shared_ptr<TagGrammar> grammar_;
  std::vector<Step> steps_;
};

}  // namespace rival::text::grammar
