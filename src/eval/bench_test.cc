#include "eval/bench.h"

#include <gtest/gtest.h>

#include "engine/fake_model.h"
#include "kernels/dispatch.h"

namespace rival::eval {
namespace {

ModelWork small_work() {
  return {.body_ops = 1e6, .head_ops = 1e5, .weight_bytes = 1e6, .kv_bytes = {100, 100}, .kv_window = {0, 64}, .int8 = true};
}

TEST(Bench, PrefillThenEveryBatchAndDepth) {
  const BenchOptions options{.prefill = 40, .decode = 4, .batch = {1, 3}, .depth = {0, 64}, .seconds_max = 0.01};
  engine::FakeModel model(bench_pages(options, 1000));
  const MachineLimits limits{.int8_ops_per_s = 1e9, .fma_flops_per_s = 1e9, .memory_bytes_per_s = 1e9, .memory_bytes = 1};
  const auto results = run_bench(model, small_work(), limits, options);
  ASSERT_TRUE(results.ok()) << results.error().message;
  ASSERT_EQ(results->size(), 5u);
  const char* tests[] = {"prefill", "decode", "decode", "decode", "decode"};
  const uint32_t batches[] = {1, 1, 1, 3, 3}, depths[] = {0, 0, 64, 0, 64}, tokens[] = {40, 4, 4, 4, 4};
  for (size_t i = 0; i < 5; ++i) {
    const BenchResult& result = (*results)[i];
    EXPECT_EQ(result.test, tests[i]);
    EXPECT_EQ(result.batch, batches[i]);
    EXPECT_EQ(result.depth, depths[i]);
    EXPECT_EQ(result.tokens, tokens[i]);
    EXPECT_GT(result.tokens_per_s, 0.0);
    EXPECT_GT(result.limit_share, 0.0);
  }
}

TEST(Bench, ZeroSkipsAPart) {
  engine::FakeModel model(10);
  const MachineLimits limits{.int8_ops_per_s = 1, .fma_flops_per_s = 1, .memory_bytes_per_s = 1, .memory_bytes = 1};
  BenchOptions options{.prefill = 0, .decode = 0, .seconds_max = 0.001};
  EXPECT_TRUE(run_bench(model, small_work(), limits, options)->empty());
  options = {.prefill = 8, .decode = 2, .batch = {0}, .depth = {0}, .seconds_max = 0.001};
  EXPECT_EQ(run_bench(model, small_work(), limits, options)->size(), 1u);
  options.batch = {100};
  EXPECT_EQ(run_bench(model, small_work(), limits, options)->size(), 1u);  // no pages for a hundred
  EXPECT_EQ(bench_pages(options, 1000), 100u);
  EXPECT_EQ(bench_pages(options, 99), 1u);
  options.batch = {1};
  model.fail_at = model.steps + 2;
  EXPECT_EQ(run_bench(model, small_work(), limits, options).error().code, ErrorCode::kInternal);
}

TEST(Bench, TheNearerLimitCounts) {
  const MachineLimits limits{.int8_ops_per_s = 1e9, .fma_flops_per_s = 1e8, .memory_bytes_per_s = 1e9, .memory_bytes = 1};
  ModelWork work = small_work();
  EXPECT_DOUBLE_EQ(work.kv_bytes_at(100), 100 * 100 + 100 * 64);
  EXPECT_DOUBLE_EQ(least_seconds(work, limits, 1, 1, 1, 0), 1.1e-3);        // operations: a little over the bytes
  EXPECT_DOUBLE_EQ(least_seconds(work, limits, 1, 1, 1, 10000), 2.0064e-3); // keys and values are read too
  work.int8 = false;
  EXPECT_DOUBLE_EQ(least_seconds(work, limits, 10, 1, 1, 0), 0.101);
}

TEST(MachineLimits, ArePlausible) {
  ThreadTeam team(1);
  const MachineLimits limits = measure_limits(team, kernels::best_table(), 0);
  EXPECT_EQ(limits.memory_bytes, 1u << 20);
  EXPECT_GT(limits.int8_ops_per_s, 1e8);
  EXPECT_GT(limits.fma_flops_per_s, 1e8);
  EXPECT_GT(limits.memory_bytes_per_s, 1e8);
}

}  // namespace
}  // namespace rival::eval
