#include "eval/bench.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>

#include "base/random.h"

namespace rival::eval {
namespace {

using Clock = std::chrono::steady_clock;
using model::kPagePositions;

constexpr uint32_t kStepTokens = 512;
constexpr double kSecondsMin = 1.0;  // of a test with short runs
constexpr size_t kRunsMin = 3;

uint32_t pages_for(uint64_t positions) { return static_cast<uint32_t>((positions + kPagePositions - 1) / kPagePositions); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::vector<text::TokenId> random_tokens(uint32_t count, uint32_t vocabulary) {
  Random random(count);
  std::vector<text::TokenId> tokens(count);
  for (auto& id : tokens) id = static_cast<text::TokenId>(random.next_below(vocabulary));
  return tokens;
}

// Median seconds of a run, after one that warms up.
Result<double> repeat(double seconds_max, const std::function<Status()>& run) {
  std::vector<double> seconds;
  const Clock::time_point start = Clock::now();
  const auto elapsed = [&](Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); };
  bool warm = false;
  while (true) {
    const Clock::time_point begin = Clock::now();
    RIVAL_RETURN_IF_ERROR(run());
    const double one = elapsed(begin);
    // A run that takes long by itself is its own warm-up.
    if (warm || one > seconds_max / 3) seconds.push_back(one);
    warm = true;
    const double total = elapsed(start);
    if (seconds.empty()) continue;
    if (total > seconds_max || (seconds.size() >= kRunsMin && total > kSecondsMin)) return median(seconds);
  }
}

class Bench {
 public:
  Bench(engine::ForwardModel& model, const ModelWork& work, const MachineLimits& limits, const BenchOptions& options)
      : model_(model), work_(work), limits_(limits), options_(options) {}

  Result<BenchResult> prefill();
  Result<BenchResult> decode(uint32_t batch, uint32_t depth);

 private:
  Status fill(std::span<const model::PageId> pages);

  engine::ForwardModel& model_;
  const ModelWork& work_;
  const MachineLimits& limits_;
  const BenchOptions& options_;
  std::vector<float> logits_;
};

Result<BenchResult> Bench::prefill() {
  const uint32_t count = options_.prefill;
  const auto tokens = random_tokens(count, model_.vocabulary_size());
  std::vector<model::PageId> pages(pages_for(count));
  std::iota(pages.begin(), pages.end(), 0);
  RIVAL_ASSIGN_OR_RETURN(const double seconds, repeat(options_.seconds_max, [&]() -> Status {
    for (uint32_t at = 0; at < count; at += kStepTokens) {
      const uint32_t n = std::min(kStepTokens, count - at);
      const model::SequenceSlice slice{.tokens = std::span(tokens).subspan(at, n), .position = at, .pages = pages,
                                       .logits_count = at + n == count ? 1u : 0u};
      RIVAL_RETURN_IF_ERROR(model_.forward({&slice, 1}, logits_));
    }
    return {};
  }));
  double least = 0.0;
  for (uint32_t at = 0; at < count; at += kStepTokens) {
    const uint32_t n = std::min(kStepTokens, count - at);
    least += least_seconds(work_, limits_, n, 1, at + n == count ? 1 : 0, at);
  }
  return BenchResult{.test = "prefill", .tokens = count, .batch = 1, .depth = 0, .tokens_per_s = count / seconds,
                     .limit_share = least / seconds};
}

// Gives the pages memory of their own. What is in them does not change the time that reading them takes.
Status Bench::fill(std::span<const model::PageId> pages) {
  const auto tokens = random_tokens(kPagePositions, model_.vocabulary_size());
  const model::SequenceSlice slice{.tokens = tokens, .position = 0, .pages = pages.first(1), .logits_count = 0};
  RIVAL_RETURN_IF_ERROR(model_.forward({&slice, 1}, logits_));
  for (const model::PageId page : pages.subspan(1)) model_.copy_page(pages[0], page);
  return {};
}

Result<BenchResult> Bench::decode(uint32_t batch, uint32_t depth) {
  const uint32_t steps = options_.decode;
  const uint32_t each = pages_for(uint64_t{depth} + steps);
  std::vector<model::PageId> pages(size_t{each} * batch);
  std::iota(pages.begin(), pages.end(), 0);
  RIVAL_RETURN_IF_ERROR(fill(pages));
  const auto tokens = random_tokens(steps * batch, model_.vocabulary_size());
  std::vector<model::SequenceSlice> slices(batch);
  RIVAL_ASSIGN_OR_RETURN(const double seconds, repeat(options_.seconds_max, [&]() -> Status {
    for (uint32_t step = 0; step < steps; ++step) {
      for (uint32_t i = 0; i < batch; ++i)
        slices[i] = {.tokens = std::span(tokens).subspan(size_t{step} * batch + i, 1), .position = depth + step,
                     .pages = std::span(pages).subspan(size_t{i} * each, each), .logits_count = 1};
      RIVAL_RETURN_IF_ERROR(model_.forward(slices, logits_));
    }
    return {};
  }));
  double least = 0.0;
  for (uint32_t step = 0; step < steps; ++step)
    least += least_seconds(work_, limits_, batch, batch, batch, depth + step);
  return BenchResult{.test = "decode", .tokens = steps, .batch = batch, .depth = depth,
                     .tokens_per_s = double{1} * steps * batch / seconds, .limit_share = least / seconds};
}

}  // namespace

uint64_t decode_pages(const BenchOptions& options, uint32_t batch, uint32_t depth) {
  return uint64_t{batch} * pages_for(uint64_t{depth} + options.decode);
}

uint32_t bench_pages(const BenchOptions& options, uint64_t pages_max) {
  std::vector<uint64_t> wanted = {1, pages_for(options.prefill)};
  if (options.decode > 0)
    for (const uint32_t batch : options.batch)
      for (const uint32_t depth : options.depth) wanted.push_back(decode_pages(options, batch, depth));
  uint64_t pages = 1;
  for (const uint64_t each : wanted)
    if (each <= pages_max) pages = std::max(pages, each);
  return static_cast<uint32_t>(pages);
}

Result<std::vector<BenchResult>> run_bench(engine::ForwardModel& model, const ModelWork& work,
                                           const MachineLimits& limits, const BenchOptions& options) {
  Bench bench(model, work, limits, options);
  std::vector<BenchResult> results;
  if (options.prefill > 0 && pages_for(options.prefill) <= model.page_count()) {
    RIVAL_ASSIGN_OR_RETURN(BenchResult result, bench.prefill());
    results.push_back(std::move(result));
  }
  for (const uint32_t batch : options.batch) {
    for (const uint32_t depth : options.depth) {
      if (batch == 0 || options.decode == 0 || decode_pages(options, batch, depth) > model.page_count()) continue;
      RIVAL_ASSIGN_OR_RETURN(BenchResult result, bench.decode(batch, depth));
      results.push_back(std::move(result));
    }
  }
  return results;
}

}  // namespace rival::eval
