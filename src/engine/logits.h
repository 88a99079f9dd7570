// Loops over rows of logits, without a sort of the whole vocabulary. NaN counts as minus infinity.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "text/vocabulary.h"

namespace rival::engine {

constexpr float kNever = -std::numeric_limits<float>::infinity();  // the logit of a token that may not come

struct Candidate {
  float logit;
  text::TokenId id;
};

// kNever for an empty row or one without numbers.
float max_logit(std::span<const float> logits);

// The first index of the largest logit. REQUIRES one that is above kNever.
text::TokenId arg_max(std::span<const float> logits);

// Sum of exp((logit - offset) * scale); about 1e-7 relative. REQUIRES logit <= offset, scale >= 0.
double sum_exp(std::span<const float> logits, float offset, float scale);

// The index at which the running sum of exp((logit - offset) * scale) passes `share` in [0, 1) of its total.
text::TokenId draw_index(std::span<const float> logits, float offset, float scale, double share);

// The `count` largest, largest first, lower ids first among equals; kNever is left out.
void select_top(std::span<const float> logits, uint32_t count, std::vector<Candidate>& top);

// Sets the logits of tokens that are not allowed to kNever. Bit id % 32 of word id / 32; words that are missing allow none.
void keep_allowed(std::span<const uint32_t> allowed, std::span<float> logits);

// All logits >= least and above kNever, by id.
void select_from(std::span<const float> logits, float least, std::vector<Candidate>& chosen);

}  // namespace rival::engine
