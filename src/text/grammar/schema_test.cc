// JSON Schemas with texts that they accept and texts that they refuse.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "text/grammar.h"
#include "text/grammar/test_vocabulary.h"

namespace rival::text {
namespace {

using grammar::test_vocabulary;

// Follows a text token by token (longest first, as far as the mask allows) and holds every mask against accept().
bool follows(const std::shared_ptr<const Grammar>& compiled, std::string_view text) {
  const GrammarVocabulary& vocabulary = compiled->vocabulary();
  GrammarState state(compiled);
  std::vector<uint32_t> mask(vocabulary.mask_words());
  while (!text.empty()) {
    state.mask(mask);
    TokenId best = -1;
    for (TokenId t = 1; t < static_cast<TokenId>(vocabulary.size()); ++t) {
      const std::string_view bytes = vocabulary.token_bytes(t);
      const bool allowed = (mask[t / 32] >> (t % 32) & 1) != 0;
      GrammarState copy(state);
      EXPECT_EQ(copy.accept(t), allowed) << "token " << bytes << " before " << text;
      if (allowed && text.substr(0, bytes.size()) == bytes && (best < 0 || bytes.size() > vocabulary.token_bytes(best).size())) best = t;
    }
    if (best < 0) return false;
    EXPECT_TRUE(state.accept(best));
    text.remove_prefix(vocabulary.token_bytes(best).size());
  }
  state.mask(mask);
  const bool may_end = (mask[0] & 1) != 0;
  EXPECT_EQ(may_end, state.is_complete());
  return may_end;
}

bool accepts(const std::shared_ptr<const Grammar>& compiled, std::string_view text) {
  GrammarState state(compiled);
  return state.accept_bytes(text) && state.is_complete();
}

struct Case {
  const char* schema;
  std::vector<const char*> valid, invalid;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Grammar::Compiled compiled = Grammar::json_schema_text(test_vocabulary(), c.schema);
    ASSERT_TRUE(compiled.ok()) << c.schema << ": " << compiled.error().message;
    for (const char* text : c.valid) EXPECT_TRUE(accepts(*compiled, text)) << c.schema << " should accept " << text;
    for (const char* text : c.invalid) EXPECT_FALSE(accepts(*compiled, text)) << c.schema << " should refuse " << text;
    EXPECT_TRUE(follows(*compiled, c.valid.at(0))) << c.schema << " by tokens " << c.valid[0];
    EXPECT_FALSE(follows(*compiled, c.invalid.at(0))) << c.schema << " by tokens " << c.invalid[0];
  }
}

TEST(Schema, Types) {
  check({{R"({})", {R"({"a": [1, -2.5e+3, true, null, "x"], "b": {}})", "\"\"", "0"}, {"01", "{", "[1,]", "{\"a\" 1}", "1.", "nul", "\"\x01\"", "+1"}},
         {R"({"type": "integer"})", {"12", "-0", "1.0"}, {"1.5", "1e2", "\"1\"", "-"}},
         {R"({"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"})", {"12"}, {"1.0"}},
         {R"({"type": ["string", "null"]})", {"\"a\"", "null"}, {"1", "true"}},
         {R"({"const": {"a": [1, "x"]}})", {R"({"a": [1.0, "\u0078"]})"}, {R"({"a": [1]})", R"({})", R"({"a": [1, "x"], "b": 1})"}},
         {R"({"enum": ["foo", "foobar", 12, null, "é"]})", {"\"foobar\"", "12", "null", "\"foo\"", R"("\u00e9")", "\"\xC3\xA9\"", R"("\u0066oo")"},
          {"\"fo\"", "\"foob\"", "1", "\"FOO\"", R"("\u00e8")"}},
         {R"(true)", {"1"}, {"x"}}});
}

TEST(Schema, Strings) {
  check({{R"({"type": "string", "minLength": 2, "maxLength": 3})", {"\"ab\"", "\"abc\"", "\"\xC3\xA9\xC3\xA9\"", R"("\u00e9a")", R"("\ud83d\ude00a")"},
          {"\"a\"", "\"abcd\"", R"("\ud83d\ude00")", "\"\xC3\xA9\""}},
         {R"({"type": "string", "pattern": "^[a-c]+$"})", {"\"abc\"", R"("\u0061")"}, {"\"\"", "\"abd\"", R"("\u0064")"}},
         {R"({"type": "string", "pattern": "b"})", {"\"abc\"", "\"b\""}, {"\"ac\""}},
         {R"({"type": "string", "pattern": "^a|b$"})", {"\"ax\"", "\"xb\"", "\"a\""}, {"\"xax\"", "\"bx\""}},
         {R"({"type": "string", "pattern": "^(foo|bar)?$", "minLength": 1})", {"\"foo\"", "\"bar\""}, {"\"\"", "\"fo\""}},
         {R"({"type": "string", "pattern": "^\\S+$", "maxLength": 3})", {"\"abc\""}, {"\"a b\"", "\"abcd\""}},
         {R"({"type": "string", "format": "date"})", {"\"2024-02-29\""}, {"\"2023-02-29\"", "\"2024-13-01\"", "\"2024-2-1\""}},
         {R"({"type": "string", "format": "date-time"})", {"\"2024-01-31T23:59:59.5Z\"", "\"2024-01-31t00:00:00+01:00\""}, {"\"2024-01-31 00:00:00Z\""}},
         {R"({"type": "string", "format": "uuid"})", {"\"00112233-4455-6677-8899-AAbbCCddEEff\""}, {"\"0011\""}},
         {R"({"type": "string", "format": "ipv6"})", {"\"::1\"", "\"1:2:3:4:5:6:7:8\"", "\"::ffff:1.2.3.4\"", "\"1::\""}, {"\"1:2\"", "\":::\"", "\"1::2::3\""}},
         {R"({"type": "string", "format": "email"})", {"\"joe.bloggs@example.com\""}, {"\"joe\"", "\".joe@x\""}},
         {R"({"type": "string", "format": "uri"})", {"\"http://foo.bar/?baz=qux#quux\"", "\"mailto:a@b\""}, {"\"/abc\"", "\"http:// x\""}},
         {R"({"type": "string", "format": "hostname"})", {"\"www.example.com\""}, {"\"-a\"", "\"a_b\"", "\"xn--X\""}},
         {R"({"type": "string"})", {R"("\"\\\/\b\f\n\r\t")"}, {R"("\x")", R"("\ud83d")", R"("\ude00")", "\"\xFF\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\""}}});
}

TEST(Schema, Numbers) {
  check({{R"({"type": "integer", "minimum": 5, "maximum": 120})", {"5", "12", "99", "120", "100"}, {"4", "121", "-5", "1200", "0"}},
         {R"({"type": "integer", "minimum": -12, "exclusiveMaximum": 3})", {"-12", "-1", "0", "2"}, {"-13", "3", "12"}},
         {R"({"type": "number", "minimum": 0})", {"0", "1e9", "0.001", "12.5", "1E-05"}, {"-1", "-0.5"}},
         {R"({"type": "number", "exclusiveMinimum": 0, "maximum": 1})", {"0.001", "1", "1.0", "0.99"}, {"0", "0.0", "1.01", "2"}},
         {R"({"type": "number", "minimum": 1.25, "maximum": 1.5})", {"1.25", "1.3", "1.50", "1.4999"}, {"1.2", "1.249", "1.51", "1", "2"}},
         {R"({"type": "number", "minimum": -2.5, "maximum": -0.5})", {"-2.5", "-1", "-0.5", "-2.49"}, {"-2.51", "-0.4", "0", "1"}},
         {R"({"type": "integer", "multipleOf": 7, "minimum": 1})", {"7", "14", "700"}, {"0", "1", "15"}},
         {R"({"type": "number", "multipleOf": 0.01})", {"1", "1.25", "0.010", "-3.5"}, {"1.255", "0.001"}},
         {R"({"type": "integer"})", {"1.0", "10"}, {"1.00", "1.000"}},
         {R"({"type": "number"})", {"1.0", "1.10", "0.0000000000000000123", "2.5e-300"}, {"1.00", "0.00000000000000000123", "1e1000", "1.100000000000000000"}},
         {R"({"type": "number", "not": {"const": 5}})", {"5.5", "50"}, {"5", "5.0", "5.00"}},
         {R"({"type": "number", "not": {"type": "integer"}})", {"0.5"}, {"1.00", "1.0"}},
         {R"({"minimum": 10, "exclusiveMinimum": true})", {"11", "\"x\""}, {"10", "9"}},
         {R"({"not": {"type": "integer"}})", {"1.5", "\"x\""}, {"1", "1.0"}},
         {R"({"const": 1e20})", {"100000000000000000000", "1e+20", "1e20"}, {"1e21", "1e2"}}});
}

TEST(Schema, Objects) {
  check({{R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"], "additionalProperties": false})",
          {R"({"a": 1})", R"({"b": "x", "a": 1})", "{\n  \"a\" : 1 ,\n \"b\":\"\"}"},
          {R"({})", R"({"b": "x"})", R"({"a": 1, "a": 2})", R"({"a": 1, "c": 1})", R"({"a": 1,})", R"({"\u0061": "x"})"}},
         {R"({"type": "object", "properties": {"a": {"type": "integer"}}})", {R"({"x": [1], "a": 1})", R"({"ab": "s"})"}, {R"({"a": "s"})", "[]"}},
         {R"({"type": "object", "additionalProperties": {"type": "integer"}, "properties": {"n": {"type": "string"}}})",
          {R"({"n": "x", "m": 1})"}, {R"({"m": "x"})", R"({"n": 1})"}},
         {R"({"type": "object", "patternProperties": {"^a": {"type": "integer"}, "b$": {"minimum": 5}}, "additionalProperties": false})",
          {R"({"ax": 1, "ab": 7, "xb": "s"})"}, {R"({"ab": 1})", R"({"x": 1})", R"({"ax": "s"})"}},
         {R"({"type": "object", "propertyNames": {"enum": ["foo", "bar"]}, "minProperties": 2})", {R"({"foo": 1, "bar": 2})"}, {R"({"foo": 1})", R"({"baz": 1})"}},
         {R"({"type": "object", "propertyNames": {"pattern": "^[ab]+$"}, "maxProperties": 1})", {R"({"ab": 1})", "{}"}, {R"({"c": 1})", R"({"a": 1, "b": 1})"}},
         {R"({"type": "object", "dependentRequired": {"a": ["b"]}})", {R"({"a": 1, "b": 2})", "{}", R"({"b": 1})"}, {R"({"a": 1})"}},
         {R"({"type": "object", "dependentSchemas": {"a": {"required": ["b"], "properties": {"b": {"const": 1}}}}})",
          {R"({"a": 1, "b": 1})", R"({"b": 2})"}, {R"({"a": 1})", R"({"b": 2, "a": 0})"}},
         {R"({"type": "object", "required": ["x"], "maxProperties": 1})", {R"({"x": 1})"}, {R"({"y": 1})", "{}"}},
         {R"({"properties": {"a": false}})", {R"({"b": 1})"}, {R"({"a": 1})"}}});
}

TEST(Schema, Arrays) {
  check({{R"({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2})", {"[1, 2]", "[1]"}, {"[]", "[1,2,3]", "[\"a\"]"}},
         {R"({"prefixItems": [{"type": "integer"}, {"type": "string"}], "items": false})", {"[1, \"a\"]", "[]", "[1]"}, {"[\"a\"]", "[1, \"a\", 2]"}},
         {R"({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}], "additionalItems": {"type": "string"}})",
          {"[1, \"a\"]"}, {"[1, 2]"}},
         {R"({"type": "array", "contains": {"const": 1}, "minContains": 2, "maxContains": 3})", {"[1, 0, 1]", "[1,1,1]"}, {"[1]", "[1,1,1,1]", "[]"}},
         {R"({"type": "array", "items": {"enum": ["a", "ab", 1, 1.0, null, "a"]}, "uniqueItems": true, "minItems": 1})",
          {"[1, \"ab\", \"a\", null]", "[\"a\"]", "[null, 1.0]"}, {"[]", "[1, 1]", "[1, 1.0]", "[\"a\", null, \"a\"]", R"(["a", "\u0061"])", "[1, \"ab\", \"a\", null,"}},
         {R"({"type": "array", "items": {"$ref": "#/$defs/flag"}, "uniqueItems": true, "$defs": {"flag": {"type": ["boolean", "null"]}}})",
          {"[true, false]", "[null, false, true]", "[]"}, {"[true, true]", "[true, false, null, true]"}},
         {R"({"items": {"enum": [1, 2, 3]}, "allOf": [{"items": {"enum": [2, 3, 4]}, "uniqueItems": true, "minItems": 2, "type": "array"}]})", {"[2, 3]", "[3,2]"}, {"[2]", "[2, 2]", "[1, 2]", "[2, 4]", "[2, 3, "}},
         {R"({"type": "array", "contains": {"type": "string"}, "items": {"type": ["string", "integer"]}})", {"[1, \"a\"]"}, {"[1]", "[]"}}});
}

TEST(Schema, Combinations) {
  check({{R"({"allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"a": {"minimum": 3}}}]})",
          {R"({"a": 3})", "1"}, {R"({"a": 2})", R"({"a": "x"})"}},
         {R"({"anyOf": [{"type": "object", "properties": {"k": {"const": "foo"}, "v": {"type": "integer"}}, "required": ["k", "v"]},
                        {"type": "object", "properties": {"k": {"const": "bar"}, "v": {"type": "string"}}, "required": ["k", "v"]}]})",
          {R"({"k": "bar", "v": "x"})", R"({"v": 1, "k": "foo"})"}, {R"({"k": "foo", "v": "x"})", R"({"v": "x", "k": "foo"})", R"({"k": "ba", "v": 1})"}},
         {R"({"oneOf": [{"type": "integer"}, {"minimum": 2}]})", {"1", "2.5", "\"x\""}, {"3", "1.5"}},
         {R"({"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"})", {R"({"a": 1})", R"({"b": 1})"}, {R"({"a": 1, "b": 1})", "{}"}},
         {R"({"not": {"required": ["a"]}, "type": "object"})", {"{}", R"({"b": 1})"}, {R"({"a": 1})"}},
         {R"({"type": "string", "not": {"enum": ["foo"]}})", {"\"fo\"", "\"fooo\""}, {"\"foo\"", R"("\u0066oo")"}},
         {R"({"not": {"additionalProperties": {"type": "integer"}}, "type": "object"})", {R"({"a": "x"})", R"({"b": 1, "c": null})"}, {R"({"a": 1})", "{}"}},
         {R"({"type": "object", "properties": {"a": {"type": ["string", "integer"]}}, "additionalProperties": false, "not": {"additionalProperties": {"type": "integer"}}})",
          {R"({"a": "x"})"}, {R"({"a": 1})", "{}"}},
         {R"({"not": {"items": {"type": "integer"}}, "type": "array"})", {R"([1, "x"])"}, {"[1]", "[]"}},
         {R"({"if": {"properties": {"t": {"const": "foo"}}, "required": ["t"]}, "then": {"required": ["x"]}, "else": {"required": ["y"]}, "type": "object"})",
          {R"({"t": "foo", "x": 1})", R"({"y": 1, "t": "bar"})"}, {R"({"t": "foo", "y": 1})", R"({"x": 1})"}},
         {R"({"allOf": [{"properties": {"a": {}}}], "properties": {"b": {}}, "unevaluatedProperties": false, "type": "object"})",
          {R"({"a": 1, "b": 2})"}, {R"({"c": 1})"}},
         {R"({"anyOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"properties": {"b": {}}, "required": ["b"]}], "unevaluatedProperties": false})",
          {R"({"a": 1})", R"({"a": 1, "b": 2})", R"({"b": 2})"}, {R"({"a": 2, "b": 2})", R"({"a": 1, "c": 1})"}}});
}

TEST(Schema, References) {
  check({{R"({"$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "v": {"type": "integer"}}, "required": ["v"], "additionalProperties": false}}, "$ref": "#/$defs/node"})",
          {R"({"v": 1, "next": {"next": {"v": 3}, "v": 2}})"}, {R"({"next": {}})", R"({"v": 1, "next": {"v": "x"}})"}},
         {R"({"$id": "http://x.y/root.json", "$defs": {"a": {"$id": "item.json", "type": "integer"}, "b": {"$anchor": "q", "type": "string"}},
              "properties": {"i": {"$ref": "item.json"}, "s": {"$ref": "#q"}}})",
          {R"({"i": 1, "s": "x"})"}, {R"({"i": "x"})", R"({"s": 1})"}},
         {R"({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a~/b": {"type": "integer"}}, "properties": {"x": {"$ref": "#/definitions/a~0~1b", "type": "string"}}})",
          {R"({"x": 1})"}, {R"({"x": "s"})"}}});
}

TEST(Schema, RefusesByNameAndPath) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"properties": {"a": {"type": "string", "pattern": "(?=x)y"}}})", "#/properties/a/pattern: pattern uses look-ahead"},
      {R"({"items": {"$ref": "http://elsewhere/x.json"}})", "#/items/$ref: the reference"},
      {R"({"$ref": "#/definitions/none"})", "#/$ref: the reference"},
      {R"({"type": "string", "format": "regex"})", "#/format: format \"regex\" is not supported"},
      {R"({"type": "object", "maxProperties": 2, "not": {"additionalProperties": {"type": "integer"}}})", "demand on some member"},
      {R"({"type": "array", "uniqueItems": true})", "#/uniqueItems: this keyword is not supported, but for items that are each one of a few constants"},
      {R"({"items": {"items": {"enum": [1, [2]]}, "uniqueItems": true}})", "#/items/uniqueItems: this keyword"},
      {R"({"prefixItems": [{"type": "boolean"}], "items": {"type": "boolean"}, "uniqueItems": true})", "#/uniqueItems: this keyword"},
      {R"({"type": "array", "items": {"type": "boolean"}, "uniqueItems": true, "minItems": 3})", "allows no value"},
      {R"({"type": "strin"})", "#/type: expected"},
      {R"({"required": "a"})", "#/required: expected a list of names"},
      {R"({"allOf": [{"$ref": "#"}]})", "without end"},
      {R"({"$ref": "#"})", "without end"},
      {R"({"type": "string", "enum": [1]})", "allows no value"},
      {R"({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]})", "allows no value"},
      {R"({"type": "array", "minItems": 3, "maxItems": 2})", "allows no value"},
      {R"({"type": "string", "pattern": "a{2,1}"})", "#/pattern: pattern has a count"},
      {R"({"properties": {"a": 1}})", "#/properties/a: expected a schema"}};
  for (const auto& [schema, message] : cases) {
    const Grammar::Compiled compiled = Grammar::json_schema_text(test_vocabulary(), schema);
    ASSERT_FALSE(compiled.ok()) << schema;
    EXPECT_NE(compiled.error().message.find(message), std::string::npos) << schema << ": " << compiled.error().message;
  }
}

TEST(Schema, HostileInputEndsSoon) {
  std::string deep;
  for (int i = 0; i < 60'000; ++i) deep += R"({"items":)";
  std::string wide = R"({"allOf": [)";
  for (int i = 0; i < 40; ++i) wide += (i > 0 ? "," : "") + fmt::format(R"({{"anyOf": [{{"required": ["a{}"]}}, {{"required": ["b{}"]}}, {{"required": ["c{}"]}}]}})", i, i, i);
  wide += "]}";
  const std::string refused[] = {deep, wide, R"({"type": "string", "pattern": ")" + std::string(10'000, '(') + R"("})"};
  for (const std::string& schema : refused) EXPECT_FALSE(Grammar::json_schema_text(test_vocabulary(), schema).ok()) << schema.substr(0, 80);
  const char* compiled[] = {R"({"type": "string", "pattern": "^(a|b)*a(a|b){500}$", "not": {"pattern": "^(a|b)*b(a|b){499}$"}})",
                            R"({"type": "array", "minItems": 4000000000, "items": {"type": "integer", "multipleOf": 1000003, "minimum": 1}})",
                            R"({"type": "string", "pattern": "^((a{1000}){1000}|b)$", "maxLength": 1000000000})",
                            R"({"type": "string", "minLength": 3000000000})"};
  for (const char* schema : compiled) {
    const std::clock_t start = std::clock();  // of the processor: the machine may be busy
    const Grammar::Compiled c = Grammar::json_schema_text(test_vocabulary(), schema);
    EXPECT_LT(std::clock() - start, CLOCKS_PER_SEC) << schema;
    if (!c.ok()) continue;
    GrammarState state(*c);
    std::vector<uint32_t> mask(test_vocabulary()->mask_words());
    for (const char* text : {"\"", "a", "aaaa", "b\""}) {
      state.mask(mask);
      state.accept_bytes(text);
    }
    EXPECT_LT(std::clock() - start, CLOCKS_PER_SEC) << schema;
  }
}

}  // namespace
}  // namespace rival::text
