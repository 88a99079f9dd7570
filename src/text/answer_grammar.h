// What a model may answer, as one grammar: thoughts, then a text of some format or calls of tools, all in the model's
// own syntax.
#pragma once

#include "text/answer_syntax.h"
#include "text/grammar.h"

namespace rival::text {

struct AnswerRules {
  struct Tool {
    std::string name;
    std::shared_ptr<const Grammar> arguments;  // of JSON objects
  };
  std::vector<Tool> tools;                // that may be called
  bool calls_needed = false;              // calls and no text
  bool parallel = true;                   // more than one call
  std::shared_ptr<const Grammar> format;  // of the text; null: any
  bool thinking_open = false;             // the prompt has begun the thought
  bool may_think = true;                  // of a model that does
};

// Null where nothing is to be constrained. Errors: those of Grammar.
Grammar::Compiled answer_grammar(const Grammar::Vocabulary& vocabulary, const AnswerSyntax& syntax, const AnswerRules& rules);

}  // namespace rival::text
