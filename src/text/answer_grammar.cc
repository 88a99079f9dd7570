#include "text/answer_grammar.h"

#include "text/control_mark.h"

namespace rival::text {
namespace {

using Shared = std::shared_ptr<const Grammar>;

std::vector<TagOptions::Tag> tool_tags(const CallSyntax& syntax, const AnswerRules& rules) {
  std::vector<TagOptions::Tag> tags;
  for (const AnswerRules::Tool& tool : rules.tools)
    tags.push_back({syntax.before_name + tool.name + syntax.after_name, tool.arguments, syntax.after_arguments});
  return tags;
}

// Text or calls of a model that does not write in channels.
Grammar::Compiled body_grammar(const Grammar::Vocabulary& vocabulary, const CallSyntax& syntax, const AnswerRules& rules) {
  if (rules.tools.empty()) return rules.format;
  TagOptions calls{.tags = tool_tags(syntax, rules), .free_text = false, .separator = syntax.separator, .close = syntax.close, .tags_min = 1};
  if (!syntax.list || !rules.parallel) calls.tags_max = 1;
  RIVAL_ASSIGN_OR_RETURN(const Shared inside, Grammar::tagged(vocabulary, std::move(calls)));
  TagOptions all{.free_text = !rules.calls_needed && !rules.format, .at_start = syntax.bare, .tags_min = rules.calls_needed ? 1u : 0u};
  if (!rules.calls_needed) all.text = rules.format;
  if (syntax.bare) all.tags = tool_tags(syntax, rules);
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

}  // namespace

Grammar::Compiled answer_grammar(const Grammar::Vocabulary& vocabulary, const AnswerSyntax& syntax, const AnswerRules& rules) {
  if (syntax.harmony) return harmony_grammar(vocabulary, rules);
  RIVAL_ASSIGN_OR_RETURN(const Shared body, body_grammar(vocabulary, syntax.calls, rules));
  if (!body || syntax.think_open.empty() || !rules.may_think) return body;
  RIVAL_ASSIGN_OR_RETURN(const Shared thought, Grammar::tagged(vocabulary, {.tags = {{syntax.think_close, body, ""}}, .tags_min = 1, .tags_max = 1}));
  if (rules.thinking_open) return thought;
  return Grammar::tagged(vocabulary, {.tags = {{syntax.think_open, thought, ""}}, .text = body, .tags_max = 1});
}

}  // namespace rival::text
