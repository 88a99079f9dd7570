// Each family's syntax, from the grammar that forces it to the splitter that reads it.
#include "text/answer_syntax.h"

#include <gtest/gtest.h>

#include "text/answer_grammar.h"
#include "text/answer_splitter.h"
#include "text/control_mark.h"

namespace rival::text {
namespace {

// What a splitter told, as one line: R(...) T(...) name(arguments).
std::string split(const AnswerSyntax& syntax, SplitOptions options, std::string_view text, size_t piece) {
  std::string out;
  char open = 0;
  const auto turn = [&](char kind) {
    if (open == kind) return;
    if (open == 'R' || open == 'T') out += ")";
    open = kind;
    if (kind == 'R' || kind == 'T') out += std::string(1, kind) + "(";
  };
  size_t end = 0;
  AnswerSplitter splitter(syntax, options, [&](const AnswerPart& part) {
    EXPECT_GE(part.end, end);
    EXPECT_LE(part.end, text.size());
    end = part.end;
    switch (part.kind) {
      case AnswerPart::Kind::kReasoning: turn('R'); break;
      case AnswerPart::Kind::kText: turn('T'); break;
      case AnswerPart::Kind::kCallBegin: turn('C'); break;
      default: break;
    }
    out += part.text;
    if (part.kind == AnswerPart::Kind::kCallEnd) out += ";";
  });
  for (size_t at = 0; at < text.size(); at += piece) splitter.push(text.substr(at, piece));
  splitter.finish();
  turn(0);
  return out;
}

void expect_split(const AnswerSyntax& syntax, const SplitOptions& options, std::string_view text, std::string_view expected) {
  for (size_t piece = 1; piece <= text.size() + 1; ++piece) EXPECT_EQ(split(syntax, options, text, piece), expected) << text << " in pieces of " << piece;
}

const SpecialTokens kNone;

TEST(AnswerSplitter, ThoughtsInTags) {
  const AnswerSyntax syntax = answer_syntax("{{ '</think>' }}", kNone);
  expect_split(syntax, {}, "<think>\nhm </b>\n</think>\n\nyes", "R(hm </b>\n)T(yes)");
  expect_split(syntax, {}, "\n<think>never closed", "R(never closed)");
  expect_split(syntax, {.thinking_open = true}, "opened by the prompt</think>yes", "R(opened by the prompt)T(yes)");
  expect_split(syntax, {}, "<think></think>yes", "T(yes)");
  expect_split(syntax, {}, "The tag <think> opens.", "T(The tag <think> opens.)");
  expect_split(syntax, {}, "a <b> </think>", "T(a <b> </think>)");
  expect_split(syntax, {}, "<thin", "T(<thin)");
  expect_split(syntax, {}, " x", "T( x)");
  expect_split(syntax, {.trim = true}, " x", "T(x)");
  EXPECT_TRUE(opens_thinking(syntax, "<|im_start|>assistant\n<think>\n"));
  EXPECT_FALSE(opens_thinking(syntax, "<think>\n\n</think>\n\n"));
  EXPECT_TRUE(closes_thinking(syntax, "<think>\n\n</think>\n\n"));
  EXPECT_FALSE(closes_thinking(syntax, "<|im_start|>assistant\n"));
}

TEST(AnswerSplitter, ControlTokensOpenAThoughtAndAreNoText) {
  const AnswerSyntax syntax = answer_syntax("[THINK]", {.control = {"[THINK]", "[/THINK]"}, .user_defined = {}});
  const std::string open = control_mark("[THINK]"), close = control_mark("[/THINK]"), other = control_mark("<|x|>");
  expect_split(syntax, {}, open + "a" + other + "b" + close + "yes" + other, "R(ab)T(yes)");
  expect_split(syntax, {}, "[THINK]spelled", "T([THINK]spelled)");
}

std::string marked(std::string text) {
  for (size_t at = text.find("<|"); at != text.npos; at = text.find("<|", at)) {
    const size_t end = text.find("|>", at) + 2;
    const std::string mark = control_mark(text.substr(at, end - at));
    text.replace(at, end - at, mark);
    at += mark.size();
  }
  return text;
}

TEST(AnswerSplitter, Channels) {
  const AnswerSyntax syntax = answer_syntax("<|channel|> <|message|>", kNone);
  expect_split(syntax, {}, marked("<|channel|>analysis<|message|>Let me see.<|end|><|start|>assistant<|channel|>final<|message|>Yes."), "R(Let me see.)T(Yes.)");
  expect_split(syntax, {}, marked("<|channel|>final<|message|>Yes.<|end|>"), "T(Yes.)");
  expect_split(syntax, {}, "No channel at all", "T(No channel at all)");
  expect_split(syntax, {.tools = {"f"}}, marked("<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"a\": 1}"), "f{\"a\": 1};");
  expect_split(syntax, {.tools = {"f"}}, marked(" to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}"), "f{};");
  expect_split(syntax, {.tools = {"f"}}, marked("<|channel|>commentary to=browser.open <|message|>{}"), "R({})");
}

struct Family {
  const char* name;
  const char* source;  // what its template holds
  SpecialTokens tokens;
  std::string one, two;  // an answer that calls f, and one that calls f and g
};

const std::string kTools = control_mark("[TOOL_CALLS]"), kArgs = control_mark("[ARGS]"), kId = control_mark("[CALL_ID]");

const Family kFamilies[] = {
    {"hermes", "tools <tool_call>", {}, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
     "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>\n<tool_call>{\"name\": \"g\", \"arguments\": {}}\n</tool_call>"},
    {"mistral", "tools [TOOL_CALLS] [ARGS]", {{"[TOOL_CALLS]", "[ARGS]"}, {}}, kTools + "f" + kArgs + "{\"a\": 1}",
     kTools + "f" + kArgs + "{\"a\": 1}" + kTools + "g" + kArgs + "{}"},
    {"mistral-id", "tools [TOOL_CALLS] [CALL_ID] [ARGS]", {{"[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"}, {}}, kTools + "f" + kId + "abcDEF789" + kArgs + "{\"a\": 1}",
     kTools + "f" + kId + "abcDEF789" + kArgs + "{\"a\": 1}" + kTools + "g" + kId + "000000000" + kArgs + "{}"},
    {"qwen-coder", "tools <tool_call> <function= <parameter=", {}, "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>",
     "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=g>\n</function>\n</tool_call>"},
    {"glm", "tools <tool_call> <arg_key>", {}, "<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n</tool_call>",
     "<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n</tool_call>\n<tool_call>g\n</tool_call>"},
    {"mistral-list", "tools [TOOL_CALLS]", {{"[TOOL_CALLS]"}, {}}, kTools + "[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]",
     kTools + " [{\"name\": \"f\", \"arguments\": {\"a\": 1}}, {\"name\": \"g\", \"arguments\": {}}]"},
    {"deepseek", "tools <｜tool▁call▁begin｜> ```json", {},
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\": 1}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\": 1}\n```<｜tool▁call▁end｜>\n"
     "<｜tool▁call▁begin｜>function<｜tool▁sep｜>g\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
    {"deepseek-v3.1", "tools <｜tool▁call▁begin｜>", {}, "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": 1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": 1}<｜tool▁call▁end｜><｜tool▁call▁begin｜>g<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
    {"phi", "tools <|tool_call|> <|/tool_call|>", {{"<|tool_call|>", "<|/tool_call|>"}, {}}, marked("<|tool_call|>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]<|/tool_call|>"),
     marked("<|tool_call|>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}, {\"name\": \"g\", \"arguments\": {}}]<|/tool_call|>")},
    {"granite", "tools <|tool_call|> <|start_of_role|>", {{"<|tool_call|>"}, {}}, marked("<|tool_call|>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]"),
     marked("<|tool_call|>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}, {\"name\": \"g\", \"arguments\": {}}]")},
    {"llama", "tools <|start_header_id|> \"parameters\": ", {{"<|python_tag|>"}, {}}, "{\"name\": \"f\", \"parameters\": {\"a\": 1}}", ""},
    {"llama", "tools <|start_header_id|> \"parameters\": ", {{"<|python_tag|>"}, {}}, marked("<|python_tag|>{\"name\": \"f\", \"parameters\": {\"a\": 1}}"), ""},
    {"harmony", "tools <|channel|> <|message|>", {}, marked("<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"a\": 1}"), ""},
};

// A vocabulary of single bytes and the control tokens of all families.
Grammar::Vocabulary vocabulary() {
  static const Grammar::Vocabulary made = [] {
    std::vector<std::string> tokens{"<end>"};
    for (int b = 0; b < 256; ++b) tokens.emplace_back(1, static_cast<char>(b));
    for (const char* control : {"[TOOL_CALLS]", "[CALL_ID]", "[ARGS]", "<|tool_call|>", "<|/tool_call|>", "<|python_tag|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>", "<|start|>"})
      tokens.push_back(control_mark(control));
    const TokenId end = 0;
    return *GrammarVocabulary::build(tokens, {&end, 1});
  }();
  return made;
}

Result<CallArguments> arguments(const AnswerSyntax& syntax, std::string_view schema) {
  return call_arguments(vocabulary(), syntax.calls, parse_json(schema)->get_object(),
                        {.json = [](const json::value& part) { return Grammar::json_schema(vocabulary(), part); },
                         .text = [](const json::value& part, std::string_view end) { return Grammar::string_text(vocabulary(), part, end); }});
}

AnswerRules rules_of_f_and_g(const AnswerSyntax& syntax) {
  const auto f = arguments(syntax, R"({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false})");
  return {.tools = {{"f", f->grammar}, {"g", arguments(syntax, R"({"type": "object"})")->grammar}}};
}

bool accepts(const Grammar::Compiled& g, std::string_view text) {
  GrammarState state(*g);
  return state.accept_bytes(text) && state.is_complete();
}

TEST(AnswerSyntax, EachFamilyIsKnownByItsTemplateForcedAndRead) {
  for (const Family& family : kFamilies) {
    const AnswerSyntax syntax = answer_syntax(family.source, family.tokens);
    EXPECT_EQ(syntax.calls_name, family.name);
    EXPECT_TRUE(syntax.template_has_tools);
    AnswerRules rules = rules_of_f_and_g(syntax);
    rules.calls_needed = true;
    const auto needed = answer_grammar(vocabulary(), syntax, rules);
    rules.calls_needed = false;
    const auto may = answer_grammar(vocabulary(), syntax, rules);
    rules.parallel = false;
    const auto single = answer_grammar(vocabulary(), syntax, rules);
    rules.format = *Grammar::json_schema_text(vocabulary(), R"({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]})");
    const auto formatted = answer_grammar(vocabulary(), syntax, rules);
    ASSERT_TRUE(needed.ok() && may.ok() && single.ok() && formatted.ok());
    for (const auto* g : {&needed, &may, &single, &formatted}) EXPECT_TRUE(accepts(*g, family.one)) << family.name;
    const bool channels = syntax.harmony;
    EXPECT_FALSE(accepts(needed, "text"));
    EXPECT_EQ(accepts(may, channels ? marked("<|channel|>final<|message|>text") : "text"), true);
    EXPECT_FALSE(accepts(needed, channels ? marked("<|channel|>final<|message|>text") : "{}"));
    EXPECT_EQ(accepts(formatted, channels ? marked("<|channel|>final<|message|>{\"name\": \"f\"}") : "{\"name\": \"f\"}"), true);
    EXPECT_FALSE(accepts(formatted, channels ? marked("<|channel|>final<|message|>text") : "text"));
    std::string wrong = family.one, unknown = family.one;
    wrong.replace(wrong.rfind('1'), 1, "x");
    for (const auto* g : {&needed, &may, &single, &formatted}) EXPECT_FALSE(accepts(*g, wrong)) << family.name << " " << wrong;
    const std::vector<std::string> names = {"f", "g"};
    for (const bool as_format : {false, true}) expect_split(syntax, {.tools = names, .formatted = as_format}, family.one, "f{\"a\": 1};");
    if (family.two.empty()) continue;
    EXPECT_TRUE(accepts(needed, family.two)) << family.name;
    EXPECT_TRUE(accepts(may, family.two)) << family.name;
    EXPECT_FALSE(accepts(single, family.two)) << family.name;
    expect_split(syntax, {.tools = names}, family.two, "f{\"a\": 1};g{};");
    if (!syntax.calls.bare) expect_split(syntax, {.tools = names}, "Well. \n" + family.one, "T(Well.)f{\"a\": 1};");
  }
}

// Calls as the families' templates write them, and what of them a schema rules out.
TEST(AnswerSyntax, ArgumentsInTagsFollowTheSchemaAndBecomeJson) {
  constexpr std::string_view kSchema = R"({"type": "object", "required": ["city", "days"], "properties": {
      "city": {"type": "string", "maxLength": 20}, "unit": {"enum": ["celsius", "kelvin"]}, "days": {"type": "integer", "minimum": 1},
      "where": {"$ref": "#/$defs/place"}, "code": {"type": "string"}}, "$defs": {"place": {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}}})";
  struct Case {
    AnswerSyntax syntax;
    std::string call, valid, json;
    std::vector<std::string> invalid;
  };
  const std::string p = "<parameter=", e = "\n</parameter>\n", k = "<arg_key>", v = "</arg_key>\n<arg_value>", w = "</arg_value>\n";
  const std::vector<Case> cases = {
      {answer_syntax("tools <function= <tool_call>", kNone), "<tool_call>\n<function=f>\n%</function>\n</tool_call>",
       p + "days>\n12" + e + p + "city>\nSão \"P\"" + e + p + "unit>\nkelvin" + e + p + "where>\n{\"x\": \"</parameter>\"}" + e + p + "code>\nif (a < b)\n\treturn;\n</param" + e,
       R"({"days": 12, "city": "São \"P\"", "unit": "kelvin", "where": {"x": "</parameter>"}, "code": "if (a < b)\n\treturn;\n</param"})",
       {p + "city>\nParis" + e, p + "city>\nParis" + e + p + "days>\n0" + e, p + "days>\n1" + e + p + "days>\n2" + e + p + "city>\na" + e, p + "days>\n1" + e + p + "city>\naaaaaaaaaabbbbbbbbbbc" + e,
        p + "days>\n1" + e + p + "city>\na" + e + p + "unit>\nfahrenheit" + e, p + "days>\n1" + e + p + "city>\na" + e + p + "other>\n1" + e, p + "days>\n1" + e + p + "city>\na" + e + p + "where>\n{}" + e}},
      {answer_syntax("tools <arg_key> <tool_call>", kNone), "<tool_call>f\n%</tool_call>",
       k + "city" + v + "Paris\n" + w + k + "where" + v + "{\"x\": \"</arg_value>\"}" + w + k + "days" + v + "3" + w, R"({"city": "Paris\n", "where": {"x": "</arg_value>"}, "days": 3})",
       {k + "days" + v + "3" + w, k + "city" + v + "a" + w + k + "days" + v + "3.5" + w}}};
  for (const Case& c : cases) {
    ASSERT_TRUE(c.syntax.calls.tagged());
    const auto made = arguments(c.syntax, kSchema);
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_EQ(made->texts, (std::set<std::string>{"city", "unit", "code"}));
    const auto g = answer_grammar(vocabulary(), c.syntax, {.tools = {{"f", made->grammar}}, .calls_needed = true});
    ASSERT_TRUE(g.ok()) << g.error().message;
    const auto call = [&](std::string_view inside) { return std::string(c.call).replace(c.call.find('%'), 1, inside); };
    EXPECT_TRUE(accepts(g, call(c.valid)));
    for (const std::string& wrong : c.invalid) EXPECT_FALSE(accepts(g, call(wrong))) << wrong;
    expect_split(c.syntax, {.tools = {"f"}, .texts = {{"f", made->texts}}}, call(c.valid) + " Done.", "f" + c.json + ";T(Done.)");
    EXPECT_TRUE(parse_json(c.json).ok());
    for (const auto& [schema, message] : {std::pair{R"({"type": "object", "anyOf": [{}]})", "#/anyOf: "}, {R"({"type": "object", "properties": {"a": {"uniqueItems": true}}})", "#/properties/a: #/uniqueItems: "}}) {
      const auto refused = arguments(c.syntax, schema);
      ASSERT_FALSE(refused.ok());
      EXPECT_TRUE(refused.error().message.starts_with(message)) << refused.error().message;
    }
  }
}

// A grammar that is followed by its masks alone ends in a call that the splitter reads.
TEST(AnswerSyntax, WhatMasksAllowOfTaggedArgumentsIsACall) {
  const AnswerSyntax syntax = answer_syntax("tools <function= <tool_call>", kNone);
  const auto made = arguments(syntax, R"({"type": "object", "required": ["a"], "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "boolean"}}})");
  ASSERT_TRUE(made.ok());
  const auto g = answer_grammar(vocabulary(), syntax, {.tools = {{"f", made->grammar}}, .calls_needed = true, .parallel = false});
  ASSERT_TRUE(g.ok());
  for (uint32_t seed = 0; seed < 12; ++seed) {
    GrammarState state(*g);
    std::string text;
    for (uint32_t step = 0; step < 400 && !state.is_complete(); ++step) {
      std::vector<uint32_t> mask(vocabulary()->mask_words());
      state.mask(mask);
      std::vector<TokenId> may;
      for (TokenId t = 0; t < static_cast<TokenId>(vocabulary()->size()); ++t) {
        const bool allowed = (mask[t / 32] >> (t % 32) & 1) != 0;
        ASSERT_EQ(allowed, GrammarState(state).accept(t)) << text << " then token " << t;
        if (allowed && vocabulary()->token_bytes(t) != " " && vocabulary()->token_bytes(t) != "\t" && vocabulary()->token_bytes(t) != "\r") may.push_back(t);
      }
      ASSERT_FALSE(may.empty()) << text;
      const TokenId token = may[(seed * 7919u + step * 104729u) % may.size()];
      ASSERT_TRUE(state.accept(token));
      text += vocabulary()->token_bytes(token);
    }
    ASSERT_TRUE(state.is_complete()) << text;
    const std::string told = split(syntax, {.tools = {"f"}, .texts = {{"f", made->texts}}}, text, 3);
    EXPECT_TRUE(told.starts_with("f{\"") && told.ends_with("};") && told.find("\"a\": \"") != told.npos) << told;
  }
}

TEST(AnswerSyntax, AThoughtIsFreeAndTheAnswerIsNot) {
  const AnswerSyntax syntax = answer_syntax("tools <tool_call> </think>", kNone);
  AnswerRules rules = rules_of_f_and_g(syntax);
  rules.calls_needed = true;
  const std::string call = kFamilies[0].one;
  const auto closed = answer_grammar(vocabulary(), syntax, rules);
  rules.thinking_open = true;
  const auto open = answer_grammar(vocabulary(), syntax, rules);
  EXPECT_TRUE(accepts(closed, "<think>a <tool_call> b</think>\n\n" + call));
  EXPECT_TRUE(accepts(closed, call));
  EXPECT_TRUE(accepts(open, "a <tool_call> b</think>\n\n" + call));
  for (const auto* g : {&closed, &open}) EXPECT_FALSE(accepts(*g, "<think>x</think>text"));
  EXPECT_FALSE(accepts(open, "a <tool_call> b"));
  expect_split(syntax, {.tools = {"f", "g"}}, "<think>a <tool_call> b</think>\n\n" + call, "R(a <tool_call> b)f{\"a\": 1};");
}

TEST(AnswerSyntax, BareCallsOnlyOfToolsThatAreThereAndOnlyAtTheStart) {
  const Family& bare = *std::find_if(std::begin(kFamilies), std::end(kFamilies), [](const Family& family) { return family.name == std::string_view("llama"); });
  const AnswerSyntax syntax = answer_syntax(bare.source, bare.tokens);
  const auto g = answer_grammar(vocabulary(), syntax, rules_of_f_and_g(syntax));
  for (const std::string text : {"{\"name\": \"h\", \"parameters\": x", "Say {\"name\": \"f\", \"parameters\": x", "{\"name\": \"f\", \"para"}) {
    EXPECT_TRUE(accepts(g, text)) << text;
    expect_split(syntax, {.tools = {"f", "g"}}, text, "T(" + text + ")");
  }
  EXPECT_FALSE(accepts(g, "{\"name\": \"f\", \"parameters\": x"));
}

TEST(AnswerSplitter, ArgumentsEndWithTheirJson) {
  const AnswerSyntax syntax = answer_syntax("<tool_call>", kNone);
  const std::string arguments = R"({"a": "}]\\\"{</tool_call>", "b": [{"c": {}}], "d": "ü"})";
  expect_split(syntax, {.tools = {"f"}}, "<tool_call>\n{\"name\": \"f\", \"arguments\": " + arguments + "}\n</tool_call> Done.", "f" + arguments + ";T(Done.)");
  expect_split(syntax, {.tools = {"f"}}, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"cut", "f{\"a\": \"cut;");
  expect_split(syntax, {.tools = {"f"}}, "<tool_call>\n{\"name", "");
  expect_split(syntax, {.tools = {"f"}}, "a < b <tool", "T(a < b <tool)");
}

}  // namespace
}  // namespace rival::text
