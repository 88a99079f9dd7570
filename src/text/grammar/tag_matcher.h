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
    bool committed = false;         // behind a control token
    bool closing = false;           // on the way through TagOptions::close
    uint64_t leads_to = 0;          // TagOptions::once: the tags whose begin strings go through here; 0: no begin string
  };

  const std::shared_ptr<const GrammarVocabulary> vocabulary;
  const TagOptions options;
  std::vector<Node> nodes;  // 0: where tags may begin
  int32_t after = 0;        // behind a tag
  int32_t closed = -1;      // behind TagOptions::close
  // The tags that have been.
  struct Past {
    uint32_t count = 0;   // of those that count
    uint64_t taken = 0;   // TagOptions::once: bits
  };
  // Where a byte leads between tags; -1: nowhere.
  int32_t next(int32_t node, uint8_t byte, Past past) const;
  bool may_close(Past past) const { return past.count >= options.tags_min && (required & ~past.taken) == 0; }
  uint64_t required = 0;  // TagOptions::once: bits
  // Nothing has begun: the beginning, or white space behind it or behind a tag.
  bool at_rest(int32_t node) const { return node == 0 || (node >= blanks_begin && node < blanks_end); }
  std::mutex mutex;
  MaskCache masks;  // of places in free text; guarded by mutex

 private:
  int32_t add_node();
  int32_t add_path(int32_t from, std::string_view text);
  void build_nodes();
  void add_blanks();
  void add_fallbacks();
  void add_plain_text();

  int32_t blanks_begin = 0, blanks_end = 0;
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
  enum class Phase : uint8_t {
    kFree,
    kHead,  // nothing but the start of a tag, or of TagOptions::text, which `body` follows as long as it fits
    kText,  // inside of TagOptions::text
    kBody,
    kEnd,
  };
  struct Step {
    Phase phase = Phase::kFree;
    int32_t node = 0;     // kFree, kHead
    uint32_t tag = 0;     // kBody, kEnd
    uint32_t end_at = 0;  // kEnd: bytes of the end string that were read
    TagGrammar::Past past;  // complete ones
    bool in_rest = false;   // kBody: of TagOptions::Tag::rest
    std::shared_ptr<Matcher> body;
    uint64_t body_steps = 0;  // that the body had accepted
  };

  // Reads as far as the text fits; `body_steps` says how often the body of the last step was moved.
  size_t read(std::string_view bytes, Step* step);
  size_t read_free(std::string_view bytes, Step* step);
  size_t read_head(std::string_view bytes, Step* step);
  size_t read_body(std::string_view bytes, Step* step);
  void begin_tag(int32_t tag, Step* step) const;
  void finish_tag(Step* step) const;
  TagGrammar::Past past_with(const Step& step) const;
  void end_part(Step* step) const;
  // What must follow the body before the tag is over; empty: nothing.
  std::string_view end_of(const Step& step) const { return step.in_rest ? std::string_view() : std::string_view(tag(step).end); }
  void restore(const Step& step);
  void add_free(const Step& step, std::span<uint64_t> bits);
  void add_end(const Step& step, std::span<uint64_t> bits);
  void mask_head(const Step& step, std::span<uint64_t> bits);
  bool fits_body(uint32_t tag, std::string_view bytes) const;
  const TagOptions::Tag& tag(const Step& step) const { return grammar_->options.tags[step.tag]; }

  std::shared_ptr<TagGrammar> grammar_;
  std::vector<Step> steps_;
};

}  // namespace rival::text::grammar
