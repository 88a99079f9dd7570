// How a family of models writes its answers: where it thinks aloud, and how it calls tools. One row a family; which
// one a model follows is seen in its chat template and vocabulary.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace rival::text {

// Calls as OPEN BEFORE_NAME name AFTER_NAME arguments AFTER_ARGUMENTS CLOSE, white space allowed behind OPEN. Strings
// spell control tokens by control_mark().
struct CallSyntax {
  std::vector<std::string> open;  // spellings, each followed by the same
  bool bare = false;              // a call may begin an answer without OPEN and CLOSE
  bool list = false;              // several calls stand in one OPEN ... CLOSE, with `separator` between them
  std::string before_name, after_name;
  std::string after_id;  // not empty: behind AFTER_NAME stands an id of nine letters and digits, and this
  std::string after_arguments;
  std::string separator;
  std::string close;
  // Arguments as BEFORE_KEY key AFTER_KEY value AFTER_VALUE, each followed by a line break, instead of one JSON object: a
  // string as it is, any other value as JSON. AFTER_ARGUMENTS is not empty then. Empty: JSON.
  std::string before_key, after_key, after_value;
  bool tagged() const { return !before_key.empty(); }
};

struct AnswerSyntax {
  // An answer that begins with think_open thinks until think_close. Empty: no model that thinks.
  std::string think_open, think_close;
  // Messages in channels (gpt-oss): calls and thoughts are told apart by the header of each message.
  bool harmony = false;
  CallSyntax calls;
  std::string_view calls_name;  // of the family, for people
  // The template shows the tools itself, and writes calls of earlier turns as the model does.
  bool template_has_tools = false;
  bool short_call_ids = false;  // the template takes ids of nine letters and digits only

  bool thinks() const { return harmony || !think_open.empty(); }
};

// `template_source` is the model's chat template; empty: none.
AnswerSyntax answer_syntax(std::string_view template_source, const Tokenizer& tokenizer);

// The same for a vocabulary of which only control tokens and other special ones matter; tests have their own.
struct SpecialTokens {
  std::vector<std::string> control, user_defined;
};
AnswerSyntax answer_syntax(std::string_view template_source, const SpecialTokens& tokens);

// Whether a prompt, as its template wrote it, ends inside of a thought.
bool opens_thinking(const AnswerSyntax& syntax, std::string_view prompt);
// Whether it ends behind one, so that the answer has none.
bool closes_thinking(const AnswerSyntax& syntax, std::string_view prompt);

// An answer of which the prompt holds the beginning: whether a thought is open in it, and what of its text is there.
struct BegunAnswer {
  bool thinking = false;
  std::string_view text;
};
BegunAnswer begun_answer(const AnswerSyntax& syntax, std::string_view answer);

// The header that stands before the content of a message of gpt-oss, with control marks.
std::string harmony_header(std::string_view channel);
std::string harmony_call_header(std::string_view tool);

}  // namespace rival::text
