// Changes of logits by what was said before. See SamplerParams for the formulas.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>

#include "engine/sampler.h"

namespace rival::engine {

// Repetition penalty over the last penalty_last_n of `tokens`.
void penalize_repetition(const SamplerParams& params, std::span<const TokenId> tokens, std::span<float> logits);

// Presence and frequency penalties; `counts` are those of the answer.
void penalize_counts(const SamplerParams& params, const std::unordered_map<TokenId, uint32_t>& counts,
                     std::span<float> logits);

// For each token, the longest repetition that it would lengthen: the length of the longest suffix of `tokens` that
// also stands right before an earlier occurrence of it. Suffixes do not reach across breakers. Linear time by the
// Z-function of the reversed tokens (Gusfield 1997, section 1.3).
std::unordered_map<TokenId, uint32_t> repeated_suffixes(std::span<const TokenId> tokens,
                                                        std::span<const TokenId> breakers, uint32_t least);

void penalize_dry(const SamplerParams& params, std::span<const TokenId> tokens, std::span<float> logits);

}  // namespace rival::engine
