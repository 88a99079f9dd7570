// Rates of a model on this machine, each as a share of what the machine could do at most.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/forward_model.h"
#include "eval/machine_limits.h"
#include "eval/model_work.h"

namespace rival::eval {

struct BenchOptions {
  uint32_t prefill = 512;                  // tokens; 0 = skip
  uint32_t decode = 128;                   // steps; 0 = skip
  std::vector<uint32_t> batch = {1, 8, 32};   // sequences together; 0 = skip
  std::vector<uint32_t> depth = {0, 4096};    // positions that each sequence has already
  double seconds_max = 5.0;                // of one test: it is repeated 3 times, more within a second, fewer beyond
};

struct BenchResult {
  std::string test;          // "prefill" or "decode"
  uint32_t tokens = 0;       // of each sequence
  uint32_t batch = 1;
  uint32_t depth = 0;
  double tokens_per_s = 0.0; // of all sequences together; the median of repeated runs
  double limit_share = 0.0;  // least_seconds over measured seconds
};

// KV pages that decoding takes.
uint64_t decode_pages(const BenchOptions& options, uint32_t batch, uint32_t depth);

// Pages for every test that takes at most pages_max, so that the store can be made before.
uint32_t bench_pages(const BenchOptions& options, uint64_t pages_max);

// Prefill first, then decode: for each batch each depth. Tests for which the model has too few pages are left out.
// Errors: those of forward().
Result<std::vector<BenchResult>> run_bench(engine::ForwardModel& model, const ModelWork& work,
                                           const MachineLimits& limits, const BenchOptions& options);

}  // namespace rival::eval
