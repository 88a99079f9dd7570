// What a model may answer, as one grammar: thoughts, then a text of some format or calls of tools, all in the model's
// own syntax.
#pragma once

#include <functional>
#include <set>

#include "text/answer_syntax.h"
#include "text/grammar.h"

namespace rival::text {

struct AnswerRules {
  struct Tool {
    std::string name;
    std::shared_ptr<const Grammar> arguments;  // by call_arguments()
  };
  std::vector<Tool> tools;                // that may be called
  bool calls_needed = false;              // calls and no text
  bool parallel = true;                   // more than one call
  std::shared_ptr<const Grammar> format;  // of the text; null: any
  bool thinking_open = false;             // the prompt has begun the thought
  bool may_think = true;                  // of a model that does
  bool begun = false;                     // the text of the answer has begun: no calls, no thought, no header before it
};

// The arguments of a tool as the family writes them.
struct CallArguments {
  std::shared_ptr<const Grammar> grammar;
  std::set<std::string> texts;  // CallSyntax::tagged(): those that are strings and not spelled as JSON
};

// Compilers of schemas, which may keep what they have made.
struct SchemaGrammars {
  std::function<Grammar::Compiled(const json::value& schema)> json;                        // Grammar::json_schema()
  std::function<Grammar::Compiled(const json::value& schema, std::string_view end)> text;  // Grammar::string_text()
};

// Errors: those of Grammar; kUnsupported names the keyword of a schema that tagged arguments cannot follow.
Result<CallArguments> call_arguments(const Grammar::Vocabulary& vocabulary, const CallSyntax& syntax, const json::object& schema,
                                     const SchemaGrammars& grammars);

// Null where nothing is to be constrained. Errors: those of Grammar.
Grammar::Compiled answer_grammar(const Grammar::Vocabulary& vocabulary, const AnswerSyntax& syntax, const AnswerRules& rules);

}  // namespace rival::text
