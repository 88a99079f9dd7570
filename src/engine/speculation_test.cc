#include <gtest/gtest.h>

#include "engine/prompt_lookup.h"

namespace rival::engine {
namespace {

using Ids = std::vector<text::TokenId>;

TEST(PromptLookup, FindsWhatFollowedTheLongestSuffix) {
  EXPECT_EQ(lookup_draft(Ids{1, 2, 3, 4, 5, 9, 1, 2, 3}, 2), (Ids{4, 5}));
  EXPECT_EQ(lookup_draft(Ids{7, 1, 2, 3, 4, 1, 2, 3, 5, 7, 1, 2, 3}, 1), Ids{4});  // four tokens beat three
  EXPECT_EQ(lookup_draft(Ids{1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3}, 1), Ids{5});        // the latest of equals
  EXPECT_EQ(lookup_draft(Ids{1, 2, 9, 1, 2}, 4), Ids{});                           // two tokens are too few
  EXPECT_EQ(lookup_draft(Ids{1, 2, 3}, 4), Ids{});
  EXPECT_EQ(lookup_draft(Ids{}, 4), Ids{});
  EXPECT_EQ(lookup_draft(Ids{1, 2, 3, 1, 2, 3}, 0), Ids{});
}

TEST(PromptLookup, ACircleGoesOn) {
  EXPECT_EQ(lookup_draft(Ids{5, 5, 5, 5}, 4), (Ids{5, 5, 5, 5}));
  EXPECT_EQ(lookup_draft(Ids{1, 2, 3, 1, 2, 3}, 5), (Ids{1, 2, 3, 1, 2}));
}

TEST(StepCost, LearnsTheLine) {
  StepCost cost;
  EXPECT_EQ(cost.prompt_budget(0, 0.05, 32, 512), 64u);
  for (int i = 0; i < 50; ++i)
    for (uint32_t rows : {1u, 4u, 8u}) cost.observe(rows, 0, 0.004 + 0.001 * rows);
  EXPECT_NEAR(cost.seconds(1), 0.005, 1e-5);
  EXPECT_NEAR(cost.row_seconds(), 0.001, 1e-5);
  for (int i = 0; i < 50; ++i) cost.observe(8, 100, 0.012 + 0.02);
  EXPECT_NEAR(cost.prompt_token_seconds(), 0.0002, 1e-6);
  // 50 ms less 12 ms for the rows, at 0.2 ms a token.
  EXPECT_NEAR(cost.prompt_budget(8, 0.05, 32, 512), 190, 2);
  EXPECT_NEAR(cost.prompt_budget(0, 0.05, 32, 512), 250, 2);
  EXPECT_EQ(cost.prompt_budget(8, 0.001, 32, 512), 32u);
  EXPECT_EQ(cost.prompt_budget(8, 0.001, 32, 16), 16u);
}

TEST(Speculation, OnlyWhereItPays) {
  StepCost cheap_rows, dear_rows;
  for (int i = 0; i < 50; ++i)
    for (uint32_t rows : {1u, 8u}) {
      cheap_rows.observe(rows, 0, 0.010 + 0.0005 * rows);
      dear_rows.observe(rows, 0, 0.001 + 0.010 * rows);
    }
  EXPECT_EQ(draft_length(cheap_rows, 0.95, 1, 8), 8u);
  EXPECT_GT(draft_length(cheap_rows, 0.5, 1, 8), 1u);
  EXPECT_EQ(draft_length(cheap_rows, 0.01, 1, 8), 0u);
  EXPECT_EQ(draft_length(dear_rows, 0.9, 1, 8), 0u);
  EXPECT_EQ(draft_length(cheap_rows, 0.5, 1, 0), 0u);
  EXPECT_LT(draft_length(cheap_rows, 0.5, 16, 8), draft_length(cheap_rows, 0.5, 1, 8));
}

TEST(Speculation, TrustFollowsSuccess) {
  double trust = 0.5;
  for (int i = 0; i < 30; ++i) trust = updated_trust(trust, 4, 4);
  EXPECT_GT(trust, 0.95);
  for (int i = 0; i < 30; ++i) trust = updated_trust(trust, 4, 0);
  EXPECT_LT(trust, 0.05);
  for (int i = 0; i < 500; ++i) trust = updated_trust(trust, 0, 0);
  EXPECT_GT(trust, 0.4);
}

}  // namespace
}  // namespace rival::engine
