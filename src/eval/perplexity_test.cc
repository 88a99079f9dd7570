#include "eval/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "engine/fake_model.h"

namespace rival::eval {
namespace {

std::vector<text::TokenId> random_text(size_t n) {
  Random random(5);
  std::vector<text::TokenId> tokens(n);
  for (auto& id : tokens) id = static_cast<text::TokenId>(random.next_below(64));
  return tokens;
}

// Token by token, straight from the definition.
double expected_perplexity(const std::vector<text::TokenId>& tokens, uint32_t context, std::optional<text::TokenId> bos) {
  engine::FakeModel model(20);
  std::vector<model::PageId> pages = {3, 4, 5, 6};
  double sum = 0.0;
  int count = 0;
  for (size_t start = 0; start + context <= tokens.size(); start += context) {
    for (uint32_t i = 0; i + 1 < context; ++i) {
      const text::TokenId id = i == 0 && bos ? *bos : tokens[start + i];
      const model::SequenceSlice slice{.tokens = {&id, 1}, .position = i, .pages = pages, .logits_count = 1};
      std::vector<float> row;
      EXPECT_TRUE(model.forward({&slice, 1}, row).ok());
      if (i < context / 2) continue;
      double total = 0.0;
      for (const float x : row) total += std::exp(double{x});
      sum -= row[tokens[start + i + 1]] - std::log(total);
      ++count;
    }
  }
  return std::exp(sum / count);
}

TEST(Perplexity, SecondHalvesOfWholeWindows) {
  const auto tokens = random_text(70 * 3 + 20);
  for (const std::optional<text::TokenId> bos : {std::optional<text::TokenId>(), std::optional<text::TokenId>(7)}) {
    engine::FakeModel model(20);
    int windows = 0;
    const auto result = measure_perplexity(model, tokens, {.context = 70, .bos = bos, .progress = [&](auto, auto, auto) { ++windows; }});
    ASSERT_TRUE(result.ok());
    EXPECT_NEAR(result->value, expected_perplexity(tokens, 70, bos), 1e-4);
    EXPECT_EQ(result->tokens, 3u * 34);
    EXPECT_EQ(result->windows, 3u);
    EXPECT_EQ(windows, 3);
    EXPECT_GT(result->error, 0.0);
  }
}

TEST(Perplexity, ChunksDoNotMatter) {
  // A vocabulary so large that only a few rows of logits fit into a step.
  const auto tokens = random_text(128);
  engine::FakeModel wide(20, 1000, 1u << 20);
  const auto result = measure_perplexity(wide, tokens, {.context = 64, .windows_max = 1});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tokens, 31u);
  EXPECT_GT(wide.steps, 2u);
}

TEST(Perplexity, RefusesWhatItCannotMeasure) {
  engine::FakeModel model(2);
  EXPECT_EQ(measure_perplexity(model, random_text(100), {.context = 64}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(measure_perplexity(model, random_text(100), {.context = 2}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(measure_perplexity(model, random_text(300), {.context = 128}).error().code, ErrorCode::kLimit);
  model.fail_at = 2;
  EXPECT_EQ(measure_perplexity(model, random_text(300), {.context = 64}).error().code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace rival::eval
