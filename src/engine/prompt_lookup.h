// Drafts for speculative decoding without a second model: what followed the last time that the text ended as it does
// now (Saxena 2023, prompt lookup decoding). The model checks a draft in one step; since each token is sampled from
// the model's own logits, the text is the same with and without drafts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/step_cost.h"
#include "text/vocabulary.h"

namespace rival::engine {

// The `count` tokens after the latest earlier occurrence of the longest suffix, of at least 3 and at most 8 tokens, of
// `tokens`; past their end the draft repeats itself. Empty if there is no such occurrence.
std::vector<text::TokenId> lookup_draft(std::span<const text::TokenId> tokens, uint32_t count);

// The draft length that gains most: `trust` is the chance of a drafted token to be right, `answers` run together.
// A token that was right saves its answer's share of a step, each drafted one costs a row. 0 = drafts do not pay.
uint32_t draft_length(const StepCost& cost, double trust, uint32_t answers, uint32_t most);

// Trust after a step in which `right` of `drafted` were right; drafted == 0 slowly forgets, so that it is tried again.
double updated_trust(double trust, uint32_t drafted, uint32_t right);

}  // namespace rival::engine
