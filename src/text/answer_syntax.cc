#include "text/answer_syntax.h"

#include <algorithm>
#include <array>

#include "text/control_mark.h"

namespace rival::text {
namespace {

// Strings as the vocabulary writes them. Sources: the chat templates that the families publish.
struct FamilyRow {
  std::string_view name;
  std::array<std::string_view, 2> template_marks;  // all of them stand in the family's templates
  std::array<std::string_view, 2> open;
  std::string_view before_name, after_name, after_arguments, separator, close;
  bool list = false, bare = false;
  std::string_view after_id = {}, before_key = {}, after_key = {}, after_value = {};
};

constexpr std::string_view kName = "{\"name\": \"", kArguments = "\", \"arguments\": ";

constexpr FamilyRow kFamilies[] = {
    {"harmony", {"<|channel|>", "<|message|>"}, {}, {}, {}, {}, {}, {}},
    {"mistral-id", {"[TOOL_CALLS]", "[CALL_ID]"}, {"[TOOL_CALLS]"}, "", "[CALL_ID]", "", "", "", false, false, "[ARGS]"},
    {"mistral", {"[TOOL_CALLS]", "[ARGS]"}, {"[TOOL_CALLS]"}, "", "[ARGS]", "", "", ""},
    {"mistral-list", {"[TOOL_CALLS]"}, {"[TOOL_CALLS] [", "[TOOL_CALLS]["}, kName, kArguments, "}", ", ", "]", true},
    {"deepseek", {"<｜tool▁call▁begin｜>", "```json"}, {"<｜tool▁calls▁begin｜>"}, "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
     "\n```json\n", "\n```<｜tool▁call▁end｜>", "\n", "<｜tool▁calls▁end｜>", true},
    {"deepseek-v3.1", {"<｜tool▁call▁begin｜>"}, {"<｜tool▁calls▁begin｜>"}, "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>",
     "<｜tool▁call▁end｜>", "", "<｜tool▁calls▁end｜>", true},
    {"phi", {"<|tool_call|>", "<|/tool_call|>"}, {"<|tool_call|>["}, kName, kArguments, "}", ", ", "]<|/tool_call|>", true},
    {"granite", {"<|tool_call|>", "<|start_of_role|>"}, {"<|tool_call|>["}, kName, kArguments, "}", ", ", "]", true},
    {"llama", {"<|start_header_id|>", "\"parameters\": "}, {"<|python_tag|>"}, kName, "\", \"parameters\": ", "}", "", "", false, true},
    {"qwen-coder", {"<function=", "tools"}, {"<tool_call>"}, "<function=", ">\n", "</function>", "", "\n</tool_call>", false, false, "",
     "<parameter=", ">\n", "\n</parameter>"},
    {"glm", {"<arg_key>", "tools"}, {"<tool_call>"}, "", "\n", "</tool_call>", "", "", false, false, "", "<arg_key>", "</arg_key>\n<arg_value>", "</arg_value>"},
    {"hermes", {"<tool_call>"}, {"<tool_call>"}, kName, kArguments, "}", "", "\n</tool_call>"},
};
constexpr std::string_view kGeneric = "hermes";  // what a model whose template has no tools is told to write

struct ThinkRow {
  std::string_view open, close;
};
constexpr ThinkRow kThinking[] = {{"<think>", "</think>"},
                                  {"[THINK]", "[/THINK]"},
                                  {"<seed:think>", "</seed:think>"},
                                  {"<|START_THINKING|>", "<|END_THINKING|>"}};

// Control tokens that stand in these strings.
constexpr std::string_view kMarkers[] = {"[TOOL_CALLS]", "[CALL_ID]", "[ARGS]", "[THINK]", "[/THINK]", "<|tool_call|>", "<|/tool_call|>", "<|python_tag|>",
                                         "<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "<think>", "</think>", "<seed:think>", "</seed:think>",
                                         "<|START_THINKING|>", "<|END_THINKING|>", "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>",
                                         "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
bool holds(const std::vector<std::string>& list, std::string_view text) { return std::find(list.begin(), list.end(), text) != list.end(); }

// The string with its control tokens marked.
std::string spell(std::string_view text, const SpecialTokens& tokens) {
  std::string out(text);
  for (std::string_view marker : kMarkers) {
    if (!holds(tokens.control, marker)) continue;
    const std::string mark = control_mark(marker);
    for (size_t at = out.find(marker); at != out.npos; at = out.find(marker, at + mark.size())) out.replace(at, marker.size(), mark);
  }
  return out;
}

bool matches(const FamilyRow& row, std::string_view source) {
  return std::all_of(row.template_marks.begin(), row.template_marks.end(), [&](std::string_view mark) { return contains(source, mark); });
}

const FamilyRow& find_row(std::string_view source) {
  const auto row = std::find_if(std::begin(kFamilies), std::end(kFamilies), [&](const FamilyRow& r) { return matches(r, source); });
  if (row != std::end(kFamilies)) return *row;
  return *std::find_if(std::begin(kFamilies), std::end(kFamilies), [](const FamilyRow& r) { return r.name == kGeneric; });
}

void set_calls(const FamilyRow& row, const SpecialTokens& tokens, AnswerSyntax& syntax) {
  CallSyntax& calls = syntax.calls;
  for (std::string_view open : row.open)
    if (!open.empty()) calls.open.push_back(spell(open, tokens));
  calls.bare = row.bare;
  calls.list = row.list;
  calls.before_name = spell(row.before_name, tokens);
  calls.after_name = spell(row.after_name, tokens);
  calls.after_arguments = spell(row.after_arguments, tokens);
  calls.separator = row.separator;
  calls.close = spell(row.close, tokens);
  calls.after_id = spell(row.after_id, tokens);
  calls.before_key = spell(row.before_key, tokens);
  calls.after_key = spell(row.after_key, tokens);
  calls.after_value = spell(row.after_value, tokens);
  syntax.calls_name = row.name;
}

constexpr std::string_view kBlank = " \t\r\n";

// As a prompt has it, in which control tokens are not marked.
std::string unmarked(std::string mark) {
  std::erase_if(mark, [](char c) { return c == kControlBegin || c == kControlEnd; });
  return mark;
}

// White space aside.
bool ends_with(std::string_view prompt, const std::string& marked) {
  const std::string mark = unmarked(marked);
  return !mark.empty() && prompt.substr(0, prompt.find_last_not_of(kBlank) + 1).ends_with(mark);
}

}  // namespace

AnswerSyntax answer_syntax(std::string_view source, const SpecialTokens& tokens) {
  AnswerSyntax syntax;
  const FamilyRow& row = find_row(source);
  set_calls(row, tokens, syntax);
  syntax.harmony = row.name == "harmony";
  syntax.template_has_tools = matches(row, source) && contains(source, "tools");
  syntax.short_call_ids = contains(source, "length 9") || contains(source, "|length != 9") || contains(source, "[CALL_ID]");
  if (syntax.harmony) return syntax;
  for (const ThinkRow& think : kThinking) {
    const bool known = contains(source, think.close) || holds(tokens.control, think.open) || holds(tokens.user_defined, think.open);
    if (!known) continue;
    syntax.think_open = spell(think.open, tokens);
    syntax.think_close = spell(think.close, tokens);
    break;
  }
  return syntax;
}

AnswerSyntax answer_syntax(std::string_view source, const Tokenizer& tokenizer) {
  SpecialTokens tokens;
  for (std::string_view marker : kMarkers) {
    const auto id = tokenizer.find_token(marker);
    if (id) (tokenizer.is_control(*id) ? tokens.control : tokens.user_defined).emplace_back(marker);
  }
  return answer_syntax(source, tokens);
}

bool opens_thinking(const AnswerSyntax& syntax, std::string_view prompt) { return ends_with(prompt, syntax.think_open); }
bool closes_thinking(const AnswerSyntax& syntax, std::string_view prompt) { return ends_with(prompt, syntax.think_close); }

BegunAnswer begun_answer(const AnswerSyntax& syntax, std::string_view answer) {
  const std::string open = unmarked(syntax.think_open), close = unmarked(syntax.think_close);
  const std::string_view begun = answer.substr(std::min(answer.find_first_not_of(kBlank), answer.size()));
  if (open.empty() || !begun.starts_with(open)) return {.text = answer};
  const size_t end = begun.find(close);
  if (end == begun.npos) return {.thinking = true, .text = {}};
  const std::string_view text = begun.substr(end + close.size());
  return {.text = text.substr(std::min(text.find_first_not_of(kBlank), text.size()))};
}

std::string harmony_header(std::string_view channel) {
  return control_mark("<|channel|>") + std::string(channel) + control_mark("<|message|>");
}

std::string harmony_call_header(std::string_view tool) {
  return control_mark("<|channel|>") + "commentary to=functions." + std::string(tool) + " " + control_mark("<|constrain|>") + "json" + control_mark("<|message|>");
}

}  // namespace rival::text
