#include "engine/prompt_lookup.h"

#include <algorithm>

namespace rival::engine {
namespace {

constexpr size_t kMatchMin = 3;
constexpr size_t kMatchMax = 8;
constexpr double kTrustAtRest = 0.5;
constexpr double kRowShareUnknown = 0.15;

}  // namespace

std::vector<text::TokenId> lookup_draft(std::span<const text::TokenId> tokens, uint32_t count) {
  const size_t n = tokens.size();
  if (count == 0 || n <= kMatchMin) return {};
  size_t best_end = 0, best_length = kMatchMin - 1;
  // `end` is where an earlier occurrence of the suffix ends; what follows it is the draft.
  for (size_t end = n - 1; end >= kMatchMin && best_length < kMatchMax; --end) {
    if (tokens[end - 1] != tokens[n - 1] || tokens[end - 2] != tokens[n - 2]) continue;
    size_t length = 2;
    while (length < kMatchMax && length < end && tokens[end - 1 - length] == tokens[n - 1 - length]) ++length;
    if (length > best_length) best_length = length, best_end = end;
  }
  if (best_end == 0) return {};
  std::vector<text::TokenId> draft;
  for (size_t i = best_end; draft.size() < count; ++i) draft.push_back(i < n ? tokens[i] : draft[i - n]);
  return draft;
}

uint32_t draft_length(const StepCost& cost, double trust, uint32_t answers, uint32_t most) {
  const double step = cost.known() ? cost.seconds(answers) : 1.0;
  const double row = cost.known() ? cost.row_seconds() : kRowShareUnknown;
  const double saved = step / std::max(1u, answers);
  double expected = 0.0, chance = 1.0, best_gain = 0.0;
  uint32_t best = 0;
  for (uint32_t length = 1; length <= most; ++length) {
    chance *= trust;
    expected += chance;
    const double gain = expected * saved - row * length;
    if (gain > best_gain) best_gain = gain, best = length;
  }
  return best;
}

double updated_trust(double trust, uint32_t drafted, uint32_t right) {
  if (drafted == 0) return trust < kTrustAtRest ? trust + 0.005 * (kTrustAtRest - trust) : trust;
  // The first wrong token hides those after it, so a draft is `right` successes and, unless all were right, a failure.
  const double tries = right + (right < drafted ? 1.0 : 0.0);
  const double share = std::min(0.5, 0.12 * tries);
  return trust + share * (right / tries - trust);
}

}  // namespace rival::engine
