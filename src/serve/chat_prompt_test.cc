#include "serve/chat_prompt.h"

#include <gtest/gtest.h>

namespace rival::serve {
namespace {

// What a template makes of a request, or the error's message behind "!".
std::string rendered(std::string_view source, const ChatRequest& request) {
  auto parsed = text::ChatTemplate::parse(source);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  const text::AnswerSyntax syntax = text::answer_syntax(source, text::SpecialTokens{});
  const auto text = render_chat({.chat_template = *parsed, .syntax = syntax, .null_content = source.find("is none") != source.npos}, request);
  const ApiError* error = std::get_if<ApiError>(&text);
  return error ? "!" + error->param : std::get<std::string>(text);
}

json::object message(std::string_view role, std::string_view content) { return {{"role", role}, {"content", content}}; }

json::object call(std::string_view arguments) {
  return {{"role", "assistant"}, {"content", ""}, {"tool_calls", {{{"id", "call_1"}, {"type", "function"}, {"function", {{"name", "f"}, {"arguments", arguments}}}}}}};
}

const json::object kResult{{"role", "tool"}, {"tool_call_id", "call_1"}, {"content", "42"}};
constexpr std::string_view kPlain = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";
constexpr std::string_view kAlternating =
    "{% for m in messages %}{% if m.role == 'system' or (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('no') }}{% endif %}[{{ m.role }}]{{ m.content }}{% endfor %}";
constexpr std::string_view kWithTools =
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}[{{ m.role }}]{% if m.content is none %}-{% else %}{{ m.content }}{% endif %}"
    "{% for c in m.tool_calls or [] %}<tool_call>{{ c.function.name }}:{{ c.function.arguments if c.function.arguments is string else c.function.arguments.a }}</tool_call>{% endfor %}"
    "{% if m.role == 'tool' %}({{ m.name }}){% endif %}{% endfor %}";

TEST(ChatPrompt, SystemMessagesComeTogether) {
  EXPECT_EQ(rendered(kPlain, {.messages = {message("system", "a"), message("developer", "b"), message("user", "c")}}), "[system]a\n\nb[user]c[assistant]");
  EXPECT_EQ(rendered(kPlain, {.messages = {message("user", "a"), message("system", "b"), message("user", "c")}}), "[user]a[system]b[user]c[assistant]");
}

TEST(ChatPrompt, MessagesThatATemplateRefusesAreBentToFit) {
  EXPECT_EQ(rendered(kAlternating, {.messages = {message("system", "a"), message("user", "b"), message("user", "c"), message("assistant", "d"), message("system", "e")}}),
            "[user]a\n\ne\n\nb\n\nc[assistant]d");
  EXPECT_EQ(rendered("{{ raise_exception('never') }}", {.messages = {message("user", "a")}}), "!messages");
}

TEST(ChatPrompt, TheTemplateShowsToolsCallsAndResults) {
  ChatRequest request{.messages = {message("user", "q"), call(R"({"a": 7})"), kResult}, .tools = {{.name = "f", .description = "d", .parameters = {}}}};
  EXPECT_EQ(rendered(kWithTools, request),
            R"([{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}])"
            "[user]q[assistant]-<tool_call>f:7</tool_call>[tool]42(f)");
  request.tool_choice.kind = ToolChoice::Kind::kNone;
  EXPECT_EQ(rendered(kWithTools, request), "[user]q[assistant]-<tool_call>f:7</tool_call>[tool]42(f)");
  request.messages[1] = call("{broken");
  EXPECT_EQ(rendered(kWithTools, request), "[user]q[assistant]-<tool_call>f:{broken</tool_call>[tool]42(f)");
}

TEST(ChatPrompt, AModelWithoutToolsIsToldInASystemText) {
  const std::string text = rendered(kPlain, {.messages = {message("system", "s"), message("user", "q"), call(R"({"a": 7})"), kResult}, .tools = {{.name = "f", .description = "d", .parameters = {}}}});
  EXPECT_TRUE(text.starts_with("[system]s\n\nYou can call functions")) << text;
  EXPECT_NE(text.find(R"({"name":"f","description":"d")"), text.npos) << text;
  EXPECT_NE(text.find("[user]q[assistant]<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\":7}}\n</tool_call>[user]<tool_response>\n42\n</tool_response>[assistant]"), text.npos) << text;
}

TEST(ChatPrompt, VariablesReachTheTemplateButCannotReplaceMessages) {
  const std::string source = std::string(kPlain) + "{% if enable_thinking is false %}<think></think>{% endif %}";
  EXPECT_EQ(rendered(source, {.messages = {message("user", "a")}, .template_variables = {{"enable_thinking", false}, {"messages", "x"}}}), "[user]a[assistant]<think></think>");
}

TEST(ChatPrompt, TheLastMessageIsWrittenOn) {
  EXPECT_EQ(rendered(kPlain, {.messages = {message("user", "a"), message("assistant", "The answer ")}, .continue_last = true}), "[user]a[assistant]The answer ");
  EXPECT_EQ(rendered("{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}</s>{% endfor %}", {.messages = {message("user", "b"), message("assistant", " b \n")}, .continue_last = true}),
            "[user]b</s>[assistant]b \n");
  EXPECT_EQ(rendered(kPlain, {.messages = {message("user", "a")}, .continue_last = true}), "!messages");
}

TEST(ChatPrompt, ThoughtsOfEarlierTurnsReachTheTemplate) {
  json::object thought = message("assistant", "b");
  thought["reasoning"] = "hm";
  EXPECT_EQ(rendered("{% for m in messages %}{{ m.reasoning_content }}{% endfor %}</think>", {.messages = {message("user", "a"), thought}}), "hm</think>");
}

TEST(ChatPrompt, IdsOfCallsFitTemplatesThatWantNineLetters) {
  constexpr std::string_view kMistral = "{# length 9 [TOOL_CALLS] tools #}{% for m in messages %}{% for c in m.tool_calls or [] %}{{ c.id }}{% endfor %}{{ '=' ~ m.tool_call_id if m.tool_call_id }}{% endfor %}";
  const std::string text = rendered(kMistral, {.messages = {message("user", "q"), call("{}"), kResult}});
  ASSERT_EQ(text.size(), 19u) << text;
  EXPECT_EQ(text.substr(0, 9), text.substr(10));
}

}  // namespace
}  // namespace rival::serve
