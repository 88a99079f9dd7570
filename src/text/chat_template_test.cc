#include "text/chat_template.h"

#include <gtest/gtest.h>

namespace rival::text {
namespace {

json::object variables(std::string_view text) { return parse_json(text).value().as_object(); }

std::string render(std::string_view source, std::string_view json_text) {
  const auto parsed = ChatTemplate::parse(source);
  if (!parsed.ok()) return "parse: " + parsed.error().message;
  const auto result = parsed->render(variables(json_text));
  return result.ok() ? *result : "error: " + result.error().message;
}

TEST(ChatTemplate, RendersChatMlWithASystemPromptOfItsOwn) {
  constexpr std::string_view kSource =
      "{% for message in messages %}\n"
      "    {%- if loop.first and message['role'] != 'system' -%}\n"
      "        {{ '<|im_start|>system\\nYou are helpful.<|im_end|>\\n' }}\n"
      "    {%- endif -%}\n"
      "    {{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}\n"
      "{%- endfor %}\n"
      "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}\n";
  EXPECT_EQ(render(kSource, R"({"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": true})"),
            "<|im_start|>system\nYou are helpful.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, DefaultIsChatMl) {
  const auto result = ChatTemplate::chatml().render(variables(
      R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]})"));
  EXPECT_EQ(*result, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHo<|im_end|>\n");
}

TEST(ChatTemplate, TellsWhatItUses) {
  const auto parsed = ChatTemplate::parse("{% if tools %}{{ enable_thinking is defined }}{{ message.thinking }}{% endif %}");
  EXPECT_TRUE(parsed->uses("tools"));
  EXPECT_TRUE(parsed->uses("enable_thinking"));
  EXPECT_TRUE(parsed->uses("thinking"));
  EXPECT_FALSE(parsed->uses("documents"));
}

TEST(ChatTemplate, MarksWhatTheAssistantSaid) {
  const auto parsed = ChatTemplate::parse(
      "{% for m in messages %}[{{ m.role }}]{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}");
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(parsed->marks_generation());
  std::vector<std::pair<size_t, size_t>> spans;
  RenderOptions options;
  options.generations = &spans;
  const auto result = parsed->render(
      variables(R"({"messages": [{"role": "a", "content": "xyz"}, {"role": "b", "content": "w"}]})"), options);
  EXPECT_EQ(*result, "[a]xyz[b]w");
  EXPECT_EQ(spans, (std::vector<std::pair<size_t, size_t>>{{3, 6}, {9, 10}}));
}

// Schemas of unsigned types have such a maximum.
TEST(ChatTemplate, WritesIntsOfAllSixtyFourBits) {
  constexpr auto kVariables = R"({"u": 18446744073709551615, "v": 9223372036854775808, "tool": {"maximum": 18446744073709551615}})";
  EXPECT_EQ(render("{{ u }} {{ tool|tojson }} {{ [v] }} {{ u ~ 1 }}", kVariables),
            "18446744073709551615 {\"maximum\": 18446744073709551615} [9223372036854775808] 184467440737095516151");
  EXPECT_EQ(render("{{ u > v }} {{ v > -1 }} {{ u == v }} {{ u in [v, u] }} {{ u is integer }} {{ u is number }} {{ 1 if u }}", kVariables),
            "True True False True True True 1");
  for (const char* source : {"{{ u + 1 }}", "{{ -u }}", "{{ u < 1.5 }}", "{{ 2**64 }}", "{{ 99999999999999999999 }}",
                             "{{ u|abs }}", "{{ range(u) }}", "{{ 'a' * u }}", "{{ '%d' % u }}"})
    EXPECT_TRUE(render(source, kVariables).starts_with("error: ") || render(source, kVariables).starts_with("parse: ")) << source;
}

TEST(ChatTemplate, ErrorsNameTheLine) {
  EXPECT_EQ(render("a\n{{ x.y }}", "{}"), "error: chat template, line 2: 'x' is undefined");
  EXPECT_EQ(render("a\n{% if %}", "{}"), "parse: chat template, line 2: expected an expression, found the end of a tag");
  EXPECT_EQ(render("{{ raise_exception('no system role') }}", "{}"),
            "error: the chat template refuses these messages: no system role");
}

}  // namespace
}  // namespace rival::text
