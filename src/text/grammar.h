// Structured output: a grammar says after every token which tokens may follow, so that what a model writes is always
// a text of the grammar.
//
// A Grammar is compiled once for a vocabulary and shared; a GrammarState follows one answer. Masks never allow a token
// after which no text of the grammar can be completed, and never a control token that the grammar does not spell
// (control_mark.h), except end-of-generation where the text is complete. The languages and what is refused: docs/grammars.md.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "text/grammar/vocabulary_index.h"

namespace rival::text {

namespace grammar {
struct JsonGrammar;
struct TextGrammar;
struct TagGrammar;
class Matcher;
}  // namespace grammar

struct SchemaGrammarOptions {
  bool formats = true;  // enforce the formats that the specification knows ("date-time", "uri", ...)
};

class Grammar;

// Free text in which some strings open a constrained part: tool calls. Control tokens are spelled as control_mark()
// writes them, and only where a tag's begin or end string or a body has them; one that begins a tag leads nowhere but
// into a tag.
struct TagOptions {
  struct Tag {
    std::string begin;                    // "<tool_call>\n"; not empty
    std::shared_ptr<const Grammar> body;  // must say itself where it ends, as JSON objects and arrays do
    std::string end;                      // "\n</tool_call>"; may be empty
    bool counts = true;                   // among tags_min and tags_max
    bool required = false;                // must have come before `close`
    std::shared_ptr<const Grammar> rest = {};  // what follows the end string, which is not empty then; as `body`
  };
  std::vector<Tag> tags;
  bool free_text = true;  // text beside the tags; otherwise only white space, at most limits::kTagBlanksMax in a row
  bool at_start = false;  // tags open only where nothing but white space and tags has been before
  std::shared_ptr<const Grammar> text = {};  // in place of free text: either a text of this grammar, or tags
  std::string separator = {};                // what must stand between two tags; not with free text
  std::string close = {};                    // what must end the text, once there are tags_min; not with free text
  bool once = false;      // each tag opens once at most; not with free text, at most 64 tags
  uint32_t tags_min = 0;  // the text is complete after that many
  uint32_t tags_max = UINT32_MAX;  // and must end after that many
};

class Grammar {
 public:
  using Vocabulary = std::shared_ptr<const GrammarVocabulary>;
  using Compiled = Result<std::shared_ptr<const Grammar>>;

  // Errors of all: kInvalidArgument for broken input, kUnsupported for what cannot be enforced exactly (naming the
  // keyword and its path), kLimit for what is too large. None takes longer than a second.
  static Compiled json_schema(Vocabulary vocabulary, const json::value& schema, SchemaGrammarOptions options = {});
  static Compiled json_schema_text(Vocabulary vocabulary, std::string_view schema, SchemaGrammarOptions options = {});
  static Compiled json_object(Vocabulary vocabulary);  // JSON mode: any object
  // Texts that the schema allows as strings, not spelled as JSON but as they are, up to and with `end`, which is in none
  // of them; null for a schema that allows other values than strings. `end` begins with a character that it has once.
  static Compiled string_text(Vocabulary vocabulary, const json::value& schema, std::string_view end);
  static Compiled regex(Vocabulary vocabulary, std::string_view pattern);  // of the whole text, ECMA-262 dialect
  static Compiled gbnf(Vocabulary vocabulary, std::string_view text, std::string_view root = "root");
  static Compiled tagged(Vocabulary vocabulary, TagOptions options);

  const GrammarVocabulary& vocabulary() const { return *vocabulary_; }

 private:
  friend class GrammarState;
  friend class grammar::Matcher;
  using Language = std::variant<std::shared_ptr<grammar::JsonGrammar>, std::shared_ptr<grammar::TextGrammar>,
                                std::shared_ptr<grammar::TagGrammar>>;
  Grammar(Vocabulary vocabulary, Language language) : vocabulary_(std::move(vocabulary)), language_(std::move(language)) {}

  Vocabulary vocabulary_;
  Language language_;
};

// One text being followed. Copies are independent and cheap (the open brackets, not the text). Different states of
// one grammar may be used from different threads; one state from one thread at a time.
class GrammarState {
 public:
  explicit GrammarState(std::shared_ptr<const Grammar> grammar);
  GrammarState(const GrammarState& other);
  GrammarState(GrammarState&& other) noexcept;
  GrammarState& operator=(GrammarState other) noexcept;
  ~GrammarState();

  // Bit t%32 of bits[t/32] says whether token t may come next. REQUIRES: bits.size() is vocabulary().mask_words().
  void mask(std::span<uint32_t> bits);
  // False, and nothing changes, if the token is not allowed. End-of-generation is accepted where the text is
  // complete; nothing may follow it.
  bool accept(TokenId token);
  // The same for text that is forced or already there; one step for rollback(). Nothing changes unless all fits.
  bool accept_bytes(std::string_view bytes);
  bool is_complete();                        // the text may end here
  bool is_ended() const { return ended_; }   // end-of-generation was accepted
  bool is_exhausted();                       // the text may end here and nothing else may follow
  // The bytes that must come next whatever the model thinks, escapes of the same characters aside; empty where there
  // is a choice. At most `bytes_max`.
  std::string forced_bytes(size_t bytes_max = 256);
  // Takes back the last accepted steps. REQUIRES: steps at most limits::kGrammarRollbackMax and the steps accepted.
  void rollback(size_t steps);

 private:
  std::shared_ptr<const Grammar> grammar_;
  std::unique_ptr<grammar::Matcher> matcher_;
  std::vector<uint64_t> bits_;
  bool ended_ = false;
};

}  // namespace rival::text
