#include "text/answer_grammar.h"

#include <algorithm>

#include "text/control_mark.h"

namespace rival::text {
namespace {

using Shared = std::shared_ptr<const Grammar>;

Result<std::vector<TagOptions::Tag>> tool_tags(const Grammar::Vocabulary& vocabulary, const CallSyntax& syntax, const AnswerRules& rules) {
  Shared id;
  if (!syntax.after_id.empty()) {
    RIVAL_ASSIGN_OR_RETURN(id, Grammar::regex(vocabulary, "[A-Za-z0-9]{9}"));
  }
  std::vector<TagOptions::Tag> tags;
  for (const AnswerRules::Tool& tool : rules.tools) {
    const std::string begin = syntax.before_name + tool.name + syntax.after_name;
    if (id) tags.push_back({.begin = begin, .body = id, .end = syntax.after_id, .rest = tool.arguments});
    else tags.push_back({begin, tool.arguments, syntax.tagged() ? "" : syntax.after_arguments});
  }
  return tags;
}

// Text or calls of a model that does not write in channels.
Grammar::Compiled body_grammar(const Grammar::Vocabulary& vocabulary, const CallSyntax& syntax, const AnswerRules& rules) {
  if (rules.tools.empty()) return rules.format;
  RIVAL_ASSIGN_OR_RETURN(const std::vector<TagOptions::Tag> tools, tool_tags(vocabulary, syntax, rules));
  TagOptions calls{.tags = tools, .free_text = false, .separator = syntax.separator, .close = syntax.close, .tags_min = 1};
  if (!syntax.list || !rules.parallel) calls.tags_max = 1;
  RIVAL_ASSIGN_OR_RETURN(const Shared inside, Grammar::tagged(vocabulary, std::move(calls)));
  TagOptions all{.free_text = !rules.calls_needed && !rules.format, .at_start = syntax.bare, .tags_min = rules.calls_needed ? 1u : 0u};
  if (!rules.calls_needed) all.text = rules.format;
  if (syntax.bare) all.tags = tools;
  for (const std::string& open : syntax.open) all.tags.push_back({open, inside, ""});
  if (syntax.list || syntax.bare || !rules.parallel) all.tags_max = 1;
  return Grammar::tagged(vocabulary, std::move(all));
}

// Messages of gpt-oss: thoughts and preambles as many as it likes, then one that ends the answer.
Grammar::Compiled harmony_grammar(const Grammar::Vocabulary& vocabulary, const AnswerRules& rules) {
  if (rules.tools.empty() && !rules.format) return Shared();
  RIVAL_ASSIGN_OR_RETURN(const Shared any, Grammar::regex(vocabulary, "[\\s\\S]*"));
  const std::string next = control_mark("<|end|>") + control_mark("<|start|>") + "assistant";
  TagOptions options{.free_text = false, .tags_min = 1, .tags_max = 1};
  options.tags.push_back({harmony_header("analysis"), any, next, false});
  if (!rules.tools.empty()) options.tags.push_back({harmony_header("commentary"), any, next, false});
  if (!rules.calls_needed) options.tags.push_back({harmony_header("final"), rules.format ? rules.format : any, ""});
  for (const AnswerRules::Tool& tool : rules.tools) options.tags.push_back({harmony_call_header(tool.name), tool.arguments, ""});
  return Grammar::tagged(vocabulary, std::move(options));
}

// Keywords of an object's schema that tagged arguments follow, or that say nothing about it.
constexpr std::string_view kTaggedKeywords[] = {"type", "properties", "required", "additionalProperties", "title", "description", "$defs", "definitions",
                                                "$schema", "$id", "$comment", "default", "examples", "strict"};

Status check_tagged(const CallSyntax& syntax, const json::object& schema) {
  for (const auto& member : schema)
    if (std::find(std::begin(kTaggedKeywords), std::end(kTaggedKeywords), std::string_view(member.key())) == std::end(kTaggedKeywords))
      return make_error(ErrorCode::kUnsupported, "#/{}: this keyword is not supported at the top, where this model writes arguments one by one", std::string_view(member.key()));
  const json::value *properties = schema.if_contains("properties"), *required = schema.if_contains("required");
  if (properties && !properties->is_object()) return make_error(ErrorCode::kInvalidArgument, "#/properties: expected an object");
  if (required && !required->is_array()) return make_error(ErrorCode::kInvalidArgument, "#/required: expected a list of names");
  if (!properties) return {};
  for (const auto& member : properties->get_object())
    if (member.key().empty() || std::string_view(member.key()).find(syntax.after_key) != std::string_view::npos)
      return make_error(ErrorCode::kUnsupported, "#/properties/{}: this model cannot write an argument of that name", std::string_view(member.key()));
  return {};
}

// The schema of one argument, which may refer to definitions beside it.
json::value argument_schema(const json::object& schema, const json::value& property) {
  json::object out;
  for (const char* shared : {"$schema", "$id", "$defs", "definitions"})
    if (const json::value* value = schema.if_contains(shared)) out[shared] = *value;
  if (out.empty() || !property.is_object()) return property;
  if (!property.get_object().contains("$ref")) {
    for (const auto& member : property.get_object()) out[member.key()] = member.value();
  } else {
    out["allOf"] = json::array{property};  // in older drafts nothing counts beside $ref
  }
  return out;
}

Result<CallArguments> tagged_arguments(const Grammar::Vocabulary& vocabulary, const CallSyntax& syntax, const json::object& schema,
                                       const SchemaGrammars& grammars) {
  RIVAL_RETURN_IF_ERROR(check_tagged(syntax, schema));
  const json::object none;
  const json::value* given = schema.if_contains("properties");
  json::object properties = given ? given->get_object() : none;
  std::set<std::string> required;
  if (const json::value* names = schema.if_contains("required")) {
    for (const json::value& name : names->get_array()) {
      if (!name.is_string()) return make_error(ErrorCode::kInvalidArgument, "#/required: expected a list of names");
      required.insert(std::string(name.get_string()));
      if (!properties.contains(name.get_string())) properties[name.get_string()] = json::object();
    }
  }
  CallArguments out;
  TagOptions options{.free_text = false, .close = syntax.after_arguments, .once = true};
  for (const auto& member : properties) {
    const std::string name(member.key());
    const json::value one = argument_schema(schema, member.value());
    TagOptions::Tag tag{.begin = syntax.before_key + name + syntax.after_key, .body = nullptr, .end = "\n", .required = required.contains(name)};
    auto text = grammars.text(one, syntax.after_value);
    if (!text.ok()) return with_context(text.error(), "#/properties/" + name);
    if (*text) {
      out.texts.insert(name);
      tag.body = *text;
    } else {
      auto value = grammars.json(one);
      if (!value.ok()) return with_context(value.error(), "#/properties/" + name);
      tag.body = *value;
      tag.end = syntax.after_value + "\n";
    }
    options.tags.push_back(std::move(tag));
  }
  RIVAL_ASSIGN_OR_RETURN(out.grammar, Grammar::tagged(vocabulary, std::move(options)));
  return out;
}

}  // namespace

Result<CallArguments> call_arguments(const Grammar::Vocabulary& vocabulary, const CallSyntax& syntax, const json::object& schema,
                                     const SchemaGrammars& grammars) {
  if (syntax.tagged()) return tagged_arguments(vocabulary, syntax, schema, grammars);
  CallArguments out;
  RIVAL_ASSIGN_OR_RETURN(out.grammar, grammars.json(schema));
  return out;
}

Grammar::Compiled answer_grammar(const Grammar::Vocabulary& vocabulary, const AnswerSyntax& syntax, const AnswerRules& rules) {
  if (rules.begun) return rules.format;
  if (syntax.harmony) return harmony_grammar(vocabulary, rules);
  RIVAL_ASSIGN_OR_RETURN(const Shared body, body_grammar(vocabulary, syntax.calls, rules));
  if (!body || syntax.think_open.empty() || !rules.may_think) return body;
  RIVAL_ASSIGN_OR_RETURN(const Shared thought, Grammar::tagged(vocabulary, {.tags = {{syntax.think_close, body, ""}}, .tags_min = 1, .tags_max = 1}));
  if (rules.thinking_open) return thought;
  return Grammar::tagged(vocabulary, {.tags = {{syntax.think_open, thought, ""}}, .text = body, .tags_max = 1});
}

}  // namespace rival::text
