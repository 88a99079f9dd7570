// Regular expressions, GBNF and tagged text as grammars.
#include <gtest/gtest.h>

#include "base/random.h"
#include "text/grammar.h"
#include "text/grammar/test_vocabulary.h"

namespace rival::text {
namespace {

using grammar::kTestEnd;
using grammar::test_vocabulary;

bool accepts(const Grammar::Compiled& compiled, std::string_view text) {
  GrammarState state(*compiled);
  return state.accept_bytes(text) && state.is_complete();
}

bool allowed(GrammarState* state, TokenId token) {
  std::vector<uint32_t> mask(test_vocabulary()->mask_words());
  state->mask(mask);
  return (mask[token / 32] >> (token % 32) & 1) != 0;
}

TokenId token_of(std::string_view text) {
  for (TokenId t = 1; t < static_cast<TokenId>(test_vocabulary()->size()); ++t) {
    if (test_vocabulary()->token_bytes(t) == text) return t;
  }
  return -1;
}

TEST(RegexGrammar, MatchesWholeTexts) {
  struct Case {
    const char* pattern;
    std::vector<const char*> valid, invalid;
  };
  const Case cases[] = {{"[a-c]{2,3}", {"ab", "abc"}, {"a", "abcd", "xab"}},
                        {"(foo|bar)*x?", {"", "foobar", "barx"}, {"fo", "xfoo"}},
                        {"\\d+\\.\\d{2}", {"12.50"}, {"12.5", ".50"}},
                        {"^a$|^b", {"a", "b"}, {"ab"}},
                        {"\xC3\xA9+", {"\xC3\xA9", "\xC3\xA9\xC3\xA9"}, {"\xC3", "e"}},
                        {"[^a]", {"\xE2\x82\xAC", "b"}, {"a", "\xE2\x82", ""}},
                        {"\\p{Lu}\\w*", {"Ab1", "\xC3\x89"}, {"ab"}}};
  for (const Case& c : cases) {
    const Grammar::Compiled g = Grammar::regex(test_vocabulary(), c.pattern);
    ASSERT_TRUE(g.ok()) << c.pattern << ": " << g.error().message;
    for (const char* text : c.valid) EXPECT_TRUE(accepts(g, text)) << c.pattern << " " << text;
    for (const char* text : c.invalid) EXPECT_FALSE(accepts(g, text)) << c.pattern << " " << text;
  }
}

TEST(RegexGrammar, RefusesByName) {
  const std::pair<const char*, const char*> cases[] = {{"(?=a)b", "look-ahead"}, {"(?<!a)b", "look-behind"}, {"(a)\\1", "back-reference"},
                                                       {"\\bword", "word boundary"}, {"(?i)a", "inline flag"}, {"a**b", ""}, {"(a", "unclosed '('"},
                                                       {"[a", "unclosed '['"}, {"a)", "unmatched ')'"}, {"*a", "nothing before it"}, {"a{200000}", "more than"},
                                                       {"\\p{Klingon}", "Klingon"}, {"b$a", "no text"}, {"\xFF", "UTF-8"}};
  for (const auto& [pattern, message] : cases) {
    const Grammar::Compiled g = Grammar::regex(test_vocabulary(), pattern);
    if (*message == '\0') continue;
    ASSERT_FALSE(g.ok()) << pattern;
    EXPECT_NE(g.error().message.find(message), std::string::npos) << g.error().message;
  }
}

constexpr char kArithmetic[] = R"gbnf(# sums of products
root  ::= term ([+-] term)* "\n"?
term  ::= factor ("*" factor)*
factor ::= [0-9]{1,3} | "(" term ([+-]
    term)* ")"
)gbnf";

TEST(Gbnf, MatchesNestedText) {
  const Grammar::Compiled g = Grammar::gbnf(test_vocabulary(), kArithmetic);
  ASSERT_TRUE(g.ok()) << g.error().message;
  for (const char* text : {"1", "12+3*(4-5)", "((((7))))", "999\n"}) EXPECT_TRUE(accepts(g, text)) << text;
  for (const char* text : {"", "1+", "(1", "1)", "1234", "1++2"}) EXPECT_FALSE(accepts(g, text)) << text;
  GrammarState state(*g);
  EXPECT_TRUE(allowed(&state, token_of("12")));
  EXPECT_FALSE(allowed(&state, kTestEnd));
  EXPECT_TRUE(state.accept(token_of("12")));
  EXPECT_TRUE(allowed(&state, kTestEnd));
  EXPECT_FALSE(allowed(&state, token_of("00")));  // a fourth digit
}

TEST(Gbnf, RefusesBrokenGrammars) {
  const std::pair<const char*, const char*> cases[] = {
      {"root ::= root \"a\" | \"b\"", "left-recursive"}, {"root ::= a\na ::= \"b\"? root | \"c\"", "left-recursive"}, {"root ::= \"x\" root", "derives no finite text"},
      {"root ::= missing", "\"missing\", which is not defined"}, {"a ::= \"x\"", "no rule \"root\""}, {"root ::= \"x\nroot ::= y", "closing quote"},
      {"root ::= (\"x\"", "expected \")\""}, {"root = x", "line 1: expected \"::=\""}, {"root ::= \"a\"\nroot ::= \"b\"", "found \"root\" again"},
      {"root ::= \"a\"{3,1}", "m at most n"}};
  for (const auto& [text, message] : cases) {
    const Grammar::Compiled g = Grammar::gbnf(test_vocabulary(), text);
    ASSERT_FALSE(g.ok()) << text;
    EXPECT_NE(g.error().message.find(message), std::string::npos) << g.error().message;
  }
  EXPECT_FALSE(Grammar::gbnf(test_vocabulary(), "root ::= " + std::string(60'000, '(')).ok());
  const Grammar::Compiled ambiguous = Grammar::gbnf(test_vocabulary(), "root ::= (a | a)*\na ::= \"x\"* | b\nb ::= (\"x\" | \"xx\"){1,5000}");
  if (ambiguous.ok()) accepts(ambiguous, std::string(200, 'x'));
}

Grammar::Compiled tool_call(TagOptions options) {
  const Grammar::Compiled body = Grammar::json_schema_text(test_vocabulary(), R"({"type": "object", "properties": {"name": {"const": "foo"}}, "required": ["name"], "additionalProperties": false})");
  options.tags = {{"<tool_call>", *body, "</tool_call>"}};
  return Grammar::tagged(test_vocabulary(), options);
}

TEST(Tagged, FreeTextThenSchemaThenFree) {
  const Grammar::Compiled g = tool_call({});
  ASSERT_TRUE(g.ok());
  for (const char* text : {"hello <b>", R"(a<tool_call>{"name": "foo"}</tool_call> and <tool_call>{"name":"foo"}</tool_call>)", ""}) EXPECT_TRUE(accepts(g, text)) << text;
  for (const char* text : {"<tool_call>x", R"(<tool_call>{"name": "bar"})", R"(<tool_call>{"name": "foo"} x)", "<tool_call>{"}) EXPECT_FALSE(accepts(g, text)) << text;
  GrammarState state(*g);
  EXPECT_TRUE(allowed(&state, token_of("<tool_call>{")));
  EXPECT_TRUE(allowed(&state, token_of("x<tool_call>")));
  EXPECT_TRUE(allowed(&state, kTestEnd));
  EXPECT_TRUE(state.accept(token_of("<tool_call>{")));
  EXPECT_FALSE(allowed(&state, token_of("foo")));
  EXPECT_FALSE(allowed(&state, kTestEnd));
  EXPECT_TRUE(state.accept(token_of("\"")));
  EXPECT_EQ(state.forced_bytes(), "name\"");
  GrammarState copy(state);
  EXPECT_TRUE(copy.accept_bytes(R"(name":"foo"})"));
  EXPECT_TRUE(allowed(&copy, token_of("</tool")));
  EXPECT_FALSE(allowed(&copy, token_of("<tool")));
  EXPECT_FALSE(allowed(&copy, kTestEnd));
  EXPECT_TRUE(copy.accept(token_of("</tool")));
  EXPECT_EQ(copy.forced_bytes(), "_call>");
  EXPECT_TRUE(copy.accept(token_of("_call>")));
  EXPECT_TRUE(copy.accept(kTestEnd));
  EXPECT_TRUE(copy.is_ended());
  copy.rollback(4);
  EXPECT_EQ(copy.forced_bytes(), "name\"");
  EXPECT_EQ(state.forced_bytes(), "name\"");
  copy.rollback(2);
  EXPECT_TRUE(copy.accept_bytes("free text"));
}

TEST(Tagged, OnlyTagsAndTheirNumber) {
  const Grammar::Compiled g = tool_call({.tags = {}, .free_text = false, .tags_min = 1, .tags_max = 1});
  ASSERT_TRUE(g.ok());
  EXPECT_TRUE(accepts(g, R"(<tool_call>{"name": "foo"}</tool_call>)"));
  EXPECT_FALSE(accepts(g, ""));
  EXPECT_FALSE(accepts(g, "x"));
  EXPECT_FALSE(accepts(g, R"(<tool_call>{"name": "foo"}</tool_call> <tool_call>)"));
  GrammarState state(*g);
  EXPECT_FALSE(allowed(&state, token_of("foo")));
  EXPECT_TRUE(allowed(&state, token_of("<tool")));
}

std::shared_ptr<const Grammar> number_body() { return *Grammar::json_schema_text(test_vocabulary(), R"({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false})"); }

// Whether the text can be read token by token, each allowed by the mask before it.
bool reads(const Grammar::Compiled& g, std::initializer_list<std::string_view> tokens) {
  GrammarState state(*g);
  for (std::string_view text : tokens) {
    const TokenId token = token_of(text);
    const bool fits = allowed(&state, token);
    EXPECT_EQ(state.accept(token), fits) << text;
    if (!fits) return false;
  }
  return true;
}

TEST(Tagged, ControlTokensOnlyWhereATagHasThem) {
  const Grammar::Compiled g = Grammar::tagged(test_vocabulary(), {.tags = {{"\xFF[CALL]\xFE" "foo\xFF[ARGS]\xFE", number_body(), ""}}});
  ASSERT_TRUE(g.ok());
  EXPECT_TRUE(reads(g, {"bar", "\xFF[CALL]\xFE", "foo", "\xFF[ARGS]\xFE", "{\"", "a\"", ":", "12", "}", "foo"}));
  EXPECT_FALSE(reads(g, {"\xFF[OTHER]\xFE"}));
  EXPECT_FALSE(reads(g, {"\xFF[ARGS]\xFE"}));
  EXPECT_FALSE(reads(g, {"\xFF[CALL]\xFE", "bar"}));
  EXPECT_FALSE(reads(g, {"\xFF[CALL]\xFE", "foo", "x"}));
  EXPECT_FALSE(reads(g, {"\xFF[CALL]\xFE", "foo", "\xFF[ARGS]\xFE", "{\"", "b"}));
  EXPECT_FALSE(accepts(g, "x\xFF[CALL]\xFE"));
  EXPECT_TRUE(accepts(g, "[CALL]foo"));
  for (const char* schema : {"{}", R"({"type": "string"})"}) {
    const Grammar::Compiled json = Grammar::json_schema_text(test_vocabulary(), schema);
    EXPECT_FALSE(reads(json, {"\"", "\xFF[CALL]\xFE"}));
    EXPECT_FALSE(reads(json, {"\xFF[CALL]\xFE"}));
  }
  EXPECT_FALSE(reads(Grammar::regex(test_vocabulary(), "[^a]*"), {"\xFF[CALL]\xFE"}));
  EXPECT_FALSE(reads(Grammar::gbnf(test_vocabulary(), "root ::= [^a]*"), {"\xFF[CALL]\xFE"}));
}

TEST(Tagged, AtTheStartOnly) {
  const Grammar::Compiled g = Grammar::tagged(test_vocabulary(), {.tags = {{"{\"foo\": ", number_body(), "}"}}, .at_start = true, .tags_max = 1});
  ASSERT_TRUE(g.ok());
  for (const char* text : {"", "text {\"foo\": x", "{\"fob\": x", "{\"foo", "\n{\"foo\": {\"a\": 1}}"}) EXPECT_TRUE(accepts(g, text)) << text;
  for (const char* text : {"{\"foo\": x", "{\"foo\": {\"a\": 1}", "{\"foo\": {\"a\": 1}} x", "\xFF[CALL]\xFE"}) EXPECT_FALSE(accepts(g, text)) << text;
  EXPECT_FALSE(reads(g, {"{\"", "foo", "\": \""}));
  EXPECT_TRUE(reads(g, {"{\"", "bar", "\": \""}));
}

TEST(Tagged, InPlaceOfATextOfAGrammar) {
  const auto yes = *Grammar::regex(test_vocabulary(), "foo|[{]\"(foo|bar)\": true");
  const Grammar::Compiled g = Grammar::tagged(test_vocabulary(), {.tags = {{"{\"foo\": ", number_body(), "}"}}, .text = yes, .tags_max = 2});
  ASSERT_TRUE(g.ok());
  for (const char* text : {"foo", "{\"bar\": true", "{\"foo\": {\"a\": 1}}", "{\"foo\": {\"a\": 1}}\n{\"foo\": {\"a\": 2}}"}) EXPECT_TRUE(accepts(g, text)) << text;
  for (const char* text : {"", "fo", "{\"foo\": true", "foo{\"foo\": {\"a\": 1}}", "{\"foo\": {\"a\": 1}}foo"}) EXPECT_FALSE(accepts(g, text)) << text;
  EXPECT_TRUE(reads(g, {"{\"", "bar", "\": ", "true"}));
  EXPECT_FALSE(reads(g, {"{\"", "foo", "\": ", "true"}));
  EXPECT_TRUE(reads(g, {"{\"", "foo", "\": ", "{\"", "a\"", ":"}));
  EXPECT_FALSE(reads(g, {"\n"}));
  GrammarState state(*g);
  ASSERT_TRUE(state.accept_bytes("{\"foo"));
  ASSERT_TRUE(state.accept_bytes("\": {\"a\": 1}}"));
  EXPECT_TRUE(state.is_complete());
  state.rollback(1);
  EXPECT_FALSE(state.is_complete());
  state.rollback(1);
  EXPECT_TRUE(state.accept_bytes("foo"));
  EXPECT_TRUE(state.is_complete());
}

TEST(Tagged, ListsWithSeparatorsAndTagsThatDoNotCount) {
  const Grammar::Compiled list = Grammar::tagged(test_vocabulary(), {.tags = {{"{\"foo\": ", number_body(), "}"}}, .free_text = false, .separator = ", ", .tags_min = 1, .tags_max = 2});
  const Grammar::Compiled g = Grammar::tagged(test_vocabulary(), {.tags = {{"\xFF[CALL]\xFE[", *list, "]"}, {"bar", *Grammar::regex(test_vocabulary(), "a*"), ".", false}}, .free_text = false, .tags_min = 1, .tags_max = 1});
  ASSERT_TRUE(g.ok());
  const std::string call = "{\"foo\": {\"a\": 1}}", open = "\xFF[CALL]\xFE[";
  for (const std::string& text : {open + call + "]", open + call + ", " + call + "]", "baraa.\nbar." + open + call + "]"}) EXPECT_TRUE(accepts(g, text)) << text;
  for (const std::string& text : {open + "]", open + call + ", ]", open + call + call + "]", open + call + ", " + call + ", " + call + "]", std::string("bara."), "baraa." + open + call + "]bar"})
    EXPECT_FALSE(accepts(g, text)) << text;
  EXPECT_TRUE(accepts(g, std::string(8, '\n') + open + call + "]"));
  EXPECT_FALSE(accepts(g, std::string(9, '\n') + open + call + "]"));
}

TEST(Tagged, AThoughtAndThenAText) {
  const Grammar::Compiled thought = Grammar::tagged(test_vocabulary(), {.tags = {{"</think>", number_body(), ""}}, .tags_min = 1, .tags_max = 1});
  const Grammar::Compiled g = Grammar::tagged(test_vocabulary(), {.tags = {{"<think>", *thought, ""}}, .text = number_body(), .tags_max = 1});
  ASSERT_TRUE(g.ok());
  for (const char* text : {"{\"a\": 1}", "<think>x {\"</think>{\"a\": 1}", "<think></think>\n\n{\"a\": 1}"}) EXPECT_TRUE(accepts(g, text)) << text;
  for (const char* text : {"", "x", "<think>x", "<think>x</think>", "<think>x</think>x", "{\"a\": 1}<think>"}) EXPECT_FALSE(accepts(g, text)) << text;
}

TEST(GrammarState, TakesBackAndCopies) {
  const Grammar::Compiled g = Grammar::json_object(test_vocabulary());
  GrammarState state(*g);
  std::vector<uint32_t> before(test_vocabulary()->mask_words()), after = before;
  ASSERT_TRUE(state.accept_bytes(R"({"a": [1, {"b": "x)"));
  state.mask(before);
  GrammarState copy(state);
  for (const char* text : {"\"}", ", 2]", ", \"c\": null", "}"}) ASSERT_TRUE(state.accept_bytes(text)) << text;
  EXPECT_TRUE(state.is_complete());
  EXPECT_TRUE(state.is_exhausted());
  EXPECT_FALSE(copy.is_exhausted());
  EXPECT_FALSE(state.accept_bytes(" "));
  EXPECT_TRUE(state.accept(kTestEnd));
  state.rollback(5);
  state.mask(after);
  EXPECT_EQ(before, after);
  copy.mask(after);
  EXPECT_EQ(before, after);
  EXPECT_FALSE(state.accept(kTestEnd));
  EXPECT_FALSE(state.accept(-1));
  EXPECT_FALSE(state.accept(100'000));
}

TEST(GrammarState, LongTextsKeepLittleMemoryAndDeepOnesEnd) {
  const Grammar::Compiled g = Grammar::json_schema_text(test_vocabulary(), "{}");
  GrammarState state(*g);
  ASSERT_TRUE(state.accept_bytes("[{\"a\": 1}"));
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(state.accept_bytes(", {\"b\": [2, \"x\"]}"));
  ASSERT_TRUE(state.accept_bytes("]"));
  EXPECT_TRUE(state.is_complete());
  EXPECT_FALSE(GrammarState(*g).accept_bytes(std::string(60'000, '[')));
}

// Whatever tokens are drawn, a text that follows the masks never gets stuck and is in the language at its end.
TEST(GrammarState, RandomTextsThatFollowTheMasksAreValid) {
  const char* schemas[] = {
      R"({"type": "object", "properties": {"a": {"type": "integer", "minimum": 3, "maximum": 14}, "b": {"type": "array", "items": {"enum": ["foo", "bar", 1]}, "maxItems": 2}}, "required": ["a"], "additionalProperties": false})",
      R"({"oneOf": [{"type": "string", "pattern": "^a+b?$", "maxLength": 4}, {"type": "object", "maxProperties": 1, "patternProperties": {"^n": {"type": "null"}}, "additionalProperties": false}]})",
      R"({"type": "array", "prefixItems": [{"type": "boolean"}], "items": {"type": "number", "multipleOf": 0.5, "exclusiveMinimum": 0, "maximum": 2}, "minItems": 1, "maxItems": 3})"};
  Random random(7);
  for (const char* schema : schemas) {
    const Grammar::Compiled g = Grammar::json_schema_text(test_vocabulary(), schema);
    ASSERT_TRUE(g.ok());
    for (int run = 0; run < 60; ++run) {
      GrammarState state(*g);
      std::string text;
      for (int step = 0; step < 400 && !state.is_ended(); ++step) {
        std::vector<uint32_t> mask(test_vocabulary()->mask_words());
        state.mask(mask);
        std::vector<TokenId> choices;
        for (TokenId t = 0; t < static_cast<TokenId>(test_vocabulary()->size()); ++t) {
          const std::string_view bytes = test_vocabulary()->token_bytes(t);
          const bool blank = !bytes.empty() && bytes.find_first_not_of(" \n\r\t") == bytes.npos;
          if ((mask[t / 32] >> (t % 32) & 1) != 0 && !blank) choices.push_back(t);
        }
        ASSERT_FALSE(choices.empty()) << schema << " is stuck behind " << text;
        const TokenId token = (mask[0] & 1) != 0 ? kTestEnd : choices[random.next_below(static_cast<uint32_t>(choices.size()))];
        ASSERT_TRUE(state.accept(token)) << text;
        text += test_vocabulary()->token_bytes(token);
      }
      if (!state.is_ended()) continue;
      ASSERT_TRUE(parse_json(text).ok()) << text;
      EXPECT_TRUE(accepts(g, text)) << text;
    }
  }
}

}  // namespace
}  // namespace rival::text
