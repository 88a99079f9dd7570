// Templates that try to exhaust memory, stack or time: each ends with an error, soon.
#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"
#include "text/chat_template.h"

namespace rival::text {
namespace {

std::string repeat(std::string_view part, size_t count) {
  std::string result;
  result.reserve(part.size() * count);
  for (size_t i = 0; i < count; ++i) result += part;
  return result;
}

// The error of parsing or rendering; kInternal where there is none.
ErrorCode outcome(std::string_view source) {
  const auto parsed = ChatTemplate::parse(source);
  if (!parsed.ok()) return parsed.error().code;
  const auto result = parsed->render({});
  return result.ok() ? ErrorCode::kInternal : result.error().code;
}

TEST(ChatTemplateHostile, NestingIsBounded) {
  constexpr size_t kDeep = 100'000;
  for (const std::string& source : {
           "{{ " + repeat("(", kDeep),
           "{{ " + repeat("[", kDeep),
           "{{ " + repeat("{1:", kDeep),
           "{{ " + repeat("not ", kDeep) + "1 }}",
           "{{ " + repeat("- ", kDeep) + "1 }}",
           "{{ " + repeat("1 if ", kDeep) + " }}",
           "{{ 1" + repeat(" + 1", kDeep) + " }}",
           "{{ 1" + repeat(" ** 1", kDeep) + " }}",
           "{{ 1" + repeat(" if 1 else 1", kDeep) + " }}",
           "{{ a" + repeat(".a", kDeep) + " }}",
           "{{ a" + repeat("[0]", kDeep) + " }}",
           "{{ a" + repeat("()", kDeep) + " }}",
           "{{ a" + repeat("(a", kDeep),
           "{{ a" + repeat("|upper", kDeep) + " }}",
           "{{ a is odd" + repeat(" a(a is odd", kDeep),
           repeat("{% if 1 %}", kDeep),
           repeat("{% for a in a %}", kDeep),
           repeat("{% macro a() %}", kDeep),
           repeat("{% filter upper %}", kDeep),
           "{% for " + repeat("(", kDeep),
       })
    EXPECT_EQ(outcome(source), ErrorCode::kLimit) << source.substr(0, 40);
}

TEST(ChatTemplateHostile, RecursionIsBounded) {
  for (const std::string_view source : {
           "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
           "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
           "{% macro m() %}{{ m() ~ m() }}{% endmacro %}{{ m() }}",
           "{% macro m() %}{{ caller }}{% call m() %}{% endcall %}{% endmacro %}{{ m() }}",
           "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
           "{% set n = namespace() %}{% set n.n = n %}{{ n }}",
           "{% set n = namespace(l=[]) %}{% for i in range(100000) %}{% set n.l = [n.l] %}{% endfor %}{{ n.l }}",
           "{% set n = namespace(l=[]) %}{% for i in range(100000) %}{% set n.l = [n.l] %}{% endfor %}{{ n.l | tojson }}",
           "{% set n = namespace(l=[], m=[]) %}{% for i in range(100000) %}{% set n.l = [n.l] %}{% set n.m = [n.m] %}"
           "{% endfor %}{{ n.l == n.m }}",
           "{% set n = namespace(l=[1]) %}{% for i in range(100000) %}{% set n.l = n.l | map('upper') %}{% endfor %}"
           "{{ n.l | list }}",
       })
    EXPECT_EQ(outcome(source), ErrorCode::kLimit) << source;
}

TEST(ChatTemplateHostile, LongChainsOfValuesAreFreedWithoutRecursion) {
  EXPECT_EQ(outcome("{% set n = namespace(l=[]) %}{% for i in range(100000) %}{% set n.l = [n.l] %}{% endfor %}"),
            ErrorCode::kInternal);
  EXPECT_EQ(outcome("{% set n = namespace(l=0) %}{% for i in range(100000) %}{% set n.l = namespace(l=n.l) %}{% endfor %}"),
            ErrorCode::kInternal);
  EXPECT_EQ(outcome("{% for i in range(9) %}{% set n = namespace() %}{% set n.n = n %}{{ loop.changed(loop) }}{% endfor %}"),
            ErrorCode::kInternal);
}

TEST(ChatTemplateHostile, MemoryIsBounded) {
  for (const std::string_view source : {
           "{{ 'aaaaaaaaaa' * 10 ** 9 }}",
           "{{ [0] * 10 ** 11 }}",
           "{{ [[0] * 10 ** 6] * 10 ** 6 }}",
           "{% set n = namespace(s='a') %}{% for i in range(64) %}{% set n.s = n.s + n.s %}{% endfor %}",
           "{% set n = namespace(s=[0]) %}{% for i in range(64) %}{% set n.s = n.s + n.s %}{% endfor %}",
           "{{ '%999999999d' % 1 }}",
           "{{ '%*d' % (999999999, 1) }}",
           "{{ '{:999999999}'.format(1) }}",
           "{{ 'a'.center(999999999) }}",
           "{{ 'a'.zfill(999999999) }}",
           "{{ 'a' | center(999999999) }}",
           "{{ '\t'.expandtabs(999999999) }}",
           "{{ [1] | tojson(indent=999999999) }}",
           "{{ 'a' | indent(999999999) }}",
           "{{ [1] | batch(999999999, 0) | list }}",
           "{% set s = 'a' * 30000 %}{{ s.replace('', s) }}",
           "{% set s = 'a' * 30000 %}{{ s | join(s) }}",
           "{% for i in range(100000) %}{{ 'a' * 10000 }}{% endfor %}",
       })
    EXPECT_EQ(outcome(source), ErrorCode::kLimit) << source;
}

TEST(ChatTemplateHostile, TimeIsBounded) {
  for (const std::string_view source : {
           "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
           "{% set r = range(100000) | list %}{% for i in r %}{% set x = r | sort %}{% endfor %}",
           "{% set s = 'a' * 10000000 %}{% for i in range(100000) %}{% set x = 'b' in s %}{% endfor %}",
           "{% set s = ' ' * 10000000 %}{% for i in range(100000) %}{% set x = s.strip() %}{% endfor %}",
           "{% set s = 'é' * 10000000 %}{% for i in range(100000) %}{% set x = s[9999999] %}{% endfor %}",
       })
    EXPECT_EQ(outcome(source), ErrorCode::kLimit) << source;
}

TEST(ChatTemplateHostile, BytesThatAreNoTemplateAreRefused) {
  EXPECT_EQ(outcome("\xFF"), ErrorCode::kCorrupt);
  EXPECT_EQ(outcome("{# \xC3"), ErrorCode::kCorrupt);
  EXPECT_EQ(outcome("{#"), ErrorCode::kCorrupt);
  EXPECT_EQ(outcome("{% raw %}"), ErrorCode::kCorrupt);
  EXPECT_EQ(outcome("{{ '\\"), ErrorCode::kCorrupt);
  EXPECT_EQ(outcome("{{ 99999999999999999999 }}"), ErrorCode::kUnsupported);
  EXPECT_EQ(outcome(std::string(limits::kTemplateBytesMax + 1, ' ')), ErrorCode::kLimit);
}

}  // namespace
}  // namespace rival::text
