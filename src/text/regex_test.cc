#include "text/regex.h"

#include <gtest/gtest.h>

namespace rival::text {
namespace {

std::vector<std::string> found(std::string_view pattern, const std::string& text) {
  const auto regex = Regex::compile(pattern);
  EXPECT_TRUE(regex.ok()) << regex.error().message;
  std::vector<Span> spans;
  if (regex.ok()) {
    EXPECT_TRUE(regex->find_all(text, spans).ok());
  }
  std::vector<std::string> out;
  for (const Span span : spans) out.push_back(text.substr(span.begin, span.end - span.begin));
  return out;
}

using Texts = std::vector<std::string>;

TEST(Regex, ClassesNestAndIntersect) {
  EXPECT_EQ(found("[a-z&&[^aeiou]]+", "education"), (Texts{"d", "c", "t", "n"}));
  EXPECT_EQ(found("[a[0-9]]+", "a1b2a"), (Texts{"a1", "2a"}));
  EXPECT_EQ(found("[^a[0-9]]+", "a1bc2a"), (Texts{"bc"}));
  EXPECT_EQ(found("[\\p{Ll}&&[^\\p{Han}]]+",
                  "ab\xE4\xB8\xAD"
                  "c"),
            (Texts{"ab", "c"}));
  EXPECT_EQ(found("[]a]+", "a]b"), (Texts{"a]"}));
}

TEST(Regex, EscapesMeanWhatOnigurumaMeans) {
  EXPECT_EQ(found("\\h+", "xyz beef 12"), (Texts{"beef", "12"}));
  EXPECT_EQ(found("\\s+",
                  "a\xC2\xA0\xE3\x80\x80"
                  "b\xE1\xA0\x8E"),
            (Texts{"\xC2\xA0\xE3\x80\x80"}));  // not U+180E
  EXPECT_EQ(found("[^\\S\\n]+", "a \t\nb"), (Texts{" \t"}));
  EXPECT_EQ(found("\\u00e9", "caf\xC3\xA9"), (Texts{"\xC3\xA9"}));
  EXPECT_EQ(found("\\p{Letter}+", "ab1"), (Texts{"ab"}));
  EXPECT_EQ(found("[[:punct:]]+", "a!$b"), (Texts{"!$"}));
}

TEST(Regex, IntervalsRepeatInsteadOfPossess) {
  EXPECT_EQ(found("(?:\\d{1,3}+)", "12345"), (Texts{"12345"}));
  EXPECT_EQ(found("a{,2}b", "aaab"), (Texts{"aab"}));
  EXPECT_EQ(found("x{", "x{"), (Texts{"x{"}));
  EXPECT_EQ(found("a?+b", "ab"), (Texts{"ab"}));
}

TEST(Regex, LinesEndBeforeEveryNewline) {
  EXPECT_EQ(found("\\w+$", "ab\ncd"), (Texts{"ab", "cd"}));
  EXPECT_EQ(found("(?m:a.b)", "a\nb"), (Texts{"a\nb"}));
  EXPECT_EQ(found("a.b", "a\nb"), Texts{});
}

TEST(Regex, EmptyMatchesThatTouchTheLastAreLeftOut) {
  const auto regex = Regex::compile("a*");
  std::vector<Span> spans;
  ASSERT_TRUE(regex->find_all("baac", spans).ok());
  EXPECT_EQ(spans, (std::vector<Span>{{0, 0}, {1, 3}, {4, 4}}));
}

TEST(Regex, CharactersOfLaterUnicodeVersionsHaveTheirClass) {
  EXPECT_EQ(found("\\p{L}+", "a\xF0\xB1\x8D\x90z"), (Texts{"a\xF0\xB1\x8D\x90z"}));  // U+31350, Unicode 15
}

TEST(Regex, WhatCannotBeUsedIsAnError) {
  for (const char* pattern : {"(", "[a", "a\\", "\\p{L", "[\\p{NoSuchScript}]", "(?<=a+)b", "*"}) {
    const auto regex = Regex::compile(pattern);
    ASSERT_FALSE(regex.ok()) << pattern;
    EXPECT_EQ(regex.error().code, ErrorCode::kUnsupported) << regex.error().message;
  }
  EXPECT_EQ(Regex::compile(std::string(100'000, 'a')).error().code, ErrorCode::kLimit);
  EXPECT_FALSE(Regex::compile(std::string(1000, '[')).ok());
}

}  // namespace
}  // namespace rival::text
