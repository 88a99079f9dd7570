#include "engine/dry_breakers.h"

#include <gtest/gtest.h>

namespace rival::engine {
namespace {

TEST(DryBreakers, TokensThatContainThem) {
  text::Vocabulary vocabulary;  // in GPT-2's byte alphabet U+010A is the newline, U+0120 the space
  vocabulary.tokens = {"a", ":", "b\xC4\x8A", "\xC4\xA0:", "ab", "*"};
  auto tokenizer = text::Tokenizer::create(std::move(vocabulary));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(dry_breaker_tokens(*tokenizer, default_dry_breakers()), (std::vector<text::TokenId>{1, 2, 3, 5}));
  EXPECT_TRUE(dry_breaker_tokens(*tokenizer, std::vector<std::string>{""}).empty());
}

}  // namespace
}  // namespace rival::engine
