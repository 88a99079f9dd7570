#include "cmd/chat_thinking.h"

#include <gtest/gtest.h>

namespace rival::cmd {
namespace {

struct Parts {
  std::string thinking, answer;
  bool operator==(const Parts&) const = default;
};

Parts split(ThinkingStyle style, bool inside, std::string_view text, size_t piece) {
  Parts parts;
  ThinkingSplitter splitter(style, inside, [&](bool thinking, std::string_view told) {
    (thinking ? parts.thinking : parts.answer) += told;
  });
  for (size_t at = 0; at < text.size(); at += piece) splitter.push(text.substr(at, piece));
  splitter.finish();
  return parts;
}

void expect_parts(ThinkingStyle style, bool inside, std::string_view text, const Parts& expected) {
  for (size_t piece = 1; piece <= text.size() + 1; ++piece) {
    const Parts parts = split(style, inside, text, piece);
    EXPECT_EQ(parts.thinking, expected.thinking) << text << " in pieces of " << piece;
    EXPECT_EQ(parts.answer, expected.answer) << text << " in pieces of " << piece;
  }
}

TEST(ThinkingSplitter, Tags) {
  using enum ThinkingStyle;
  expect_parts(kTags, false, "<think>\nhm </b>\n</think>\n\nyes", {"hm </b>\n", "yes"});
  expect_parts(kTags, false, "\n<think>never closed", {"never closed", ""});
  expect_parts(kTags, true, "opened by the prompt</think>yes", {"opened by the prompt", "yes"});
  expect_parts(kTags, false, "<think></think>yes", {"", "yes"});
}

TEST(ThinkingSplitter, TagsInsideAnAnswerAreText) {
  using enum ThinkingStyle;
  expect_parts(kTags, false, "The tag <think> opens.", {"", "The tag <think> opens."});
  expect_parts(kTags, false, "a <b> </think>", {"", "a <b> </think>"});
  expect_parts(kTags, false, "<thin", {"", "<thin"});
}

TEST(ThinkingSplitter, Harmony) {
  using enum ThinkingStyle;
  expect_parts(kHarmony, false,
               "<|channel|>analysis<|message|>Let me see.<|end|><|start|>assistant<|channel|>final<|message|>Yes.",
               {"Let me see.", "Yes."});
  expect_parts(kHarmony, false, "<|channel|>final<|message|>Yes.<|end|>", {"", "Yes."});
  expect_parts(kHarmony, false, "No channel at all", {"", "No channel at all"});
}

}  // namespace
}  // namespace rival::cmd
