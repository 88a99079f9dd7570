// What the text of an answer must be, as OpenAI's bodies say it and as a grammar.
#pragma once

#include "serve/chat.h"
#include "serve/fields.h"

namespace rival::serve {

// response_format (text, json_object, json_schema, and beyond OpenAI's {type: regex, regex} and {type: grammar,
// grammar}) or grammar (GBNF). Errors are kept in `fields`.
AnswerFormat read_answer_format(Fields& fields);

// The grammar of a JSON Schema, kept for the next request with the same. Errors: those of Grammar.
text::Grammar::Compiled compile_schema(const ServedModel& model, const json::value& schema);
// Those of Grammar::string_text(), kept too.
text::Grammar::Compiled compile_string_text(const ServedModel& model, const json::value& schema, std::string_view end);
// The same of a format. Null for kText.
text::Grammar::Compiled compile_format(const ServedModel& model, const AnswerFormat& format);

}  // namespace rival::serve
