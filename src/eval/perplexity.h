// Perplexity of a text as llama.cpp's llama-perplexity measures it, so that figures can be compared: the text is cut
// into windows of `context` tokens, the first token of each is replaced by BOS where the vocabulary begins texts so,
// each window is computed from nothing, and the predictions of its second half count. A last part that is no whole
// window is left out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/result.h"
#include "engine/forward_model.h"

namespace rival::eval {

struct PerplexityOptions {
  uint32_t context = 512;
  std::optional<text::TokenId> bos = {};  // takes the place of each window's first token
  uint32_t windows_max = 0;               // 0 = all
  // After each window: how many are done, of how many, and the perplexity so far.
  std::function<void(uint32_t done, uint32_t of, double so_far)> progress = {};
};

struct Perplexity {
  double value = 0.0;     // e ^ (mean negative log-likelihood)
  double error = 0.0;     // standard error of `value`
  uint64_t tokens = 0;    // scored
  uint32_t windows = 0;
};

// Errors: kInvalidArgument for a context under 4 or a text under two windows; kLimit if the model's pages do not hold
// a window; those of forward(). Uses pages 0 and up.
Result<Perplexity> measure_perplexity(engine::ForwardModel& model, std::span<const text::TokenId> tokens,
                                      const PerplexityOptions& options);

}  // namespace rival::eval
