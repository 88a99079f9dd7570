#include "serve/answer_format.h"

namespace rival::serve {
namespace {

using Kind = AnswerFormat::Kind;

AnswerFormat read_response_format(Fields& fields, const json::object& format) {
  AnswerFormat out{.param = "response_format"};
  Fields inner(format);
  const std::string type = inner.text("type").value_or("");
  if (type == "json_schema") {
    const json::object* outer = inner.object("json_schema");
    const json::value* schema = outer ? outer->if_contains("schema") : nullptr;
    if (!schema) fields.fail("response_format.json_schema.schema", "is missing");
    out.kind = Kind::kJsonSchema;
    if (schema) out.schema = *schema;
  } else if (type == "json_object") {
    const json::value* schema = inner.find("schema");
    out.kind = schema ? Kind::kJsonSchema : Kind::kJsonObject;
    if (schema) out.schema = *schema;
  } else if (type == "regex" || type == "grammar") {
    out.kind = type == "regex" ? Kind::kRegex : Kind::kGbnf;
    out.source = inner.text(type).value_or("");
    if (out.source.empty()) fields.fail("response_format." + type, "is missing");
  } else if (type != "text") {
    fields.fail("response_format.type", fmt::format("'{}' is none of text, json_object, json_schema, regex, grammar", type));
  }
  return out;
}

}  // namespace

AnswerFormat read_answer_format(Fields& fields) {
  AnswerFormat format;
  if (const json::object* given = fields.object("response_format")) format = read_response_format(fields, *given);
  const auto grammar = fields.text("grammar");
  if (!grammar) return format;
  if (format.kind != Kind::kText) fields.fail("grammar", "cannot be combined with response_format");
  return {.kind = Kind::kGbnf, .source = *grammar, .param = "grammar"};
}

text::Grammar::Compiled compile_schema(const ServedModel& model, const json::value& schema) {
  return model.grammars().get("schema " + to_json_text(schema), [&] { return text::Grammar::json_schema(model.grammar_vocabulary(), schema); });
}

text::Grammar::Compiled compile_string_text(const ServedModel& model, const json::value& schema, std::string_view end) {
  return model.grammars().get(fmt::format("text {} {}", end, to_json_text(schema)),
                              [&] { return text::Grammar::string_text(model.grammar_vocabulary(), schema, end); });
}

text::Grammar::Compiled compile_format(const ServedModel& model, const AnswerFormat& format) {
  const text::Grammar::Vocabulary vocabulary = model.grammar_vocabulary();
  switch (format.kind) {
    case Kind::kJsonObject: return compile_schema(model, json::object{{"type", "object"}});
    case Kind::kJsonSchema: return compile_schema(model, format.schema);
    case Kind::kGbnf: return model.grammars().get("gbnf " + format.source, [&] { return text::Grammar::gbnf(vocabulary, format.source); });
    case Kind::kRegex: return model.grammars().get("regex " + format.source, [&] { return text::Grammar::regex(vocabulary, format.source); });
    case Kind::kText: break;
  }
  return std::shared_ptr<const text::Grammar>();
}

}  // namespace rival::serve
