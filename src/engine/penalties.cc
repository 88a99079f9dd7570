#include "engine/penalties.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace rival::engine {
namespace {

// The last n tokens; -1 = all.
std::span<const TokenId> last_of(std::span<const TokenId> tokens, int32_t n) {
  return n < 0 ? tokens : tokens.last(std::min<size_t>(tokens.size(), static_cast<size_t>(n)));
}

// The length of the suffix that a repetition may span: up to the last breaker.
size_t breaker_distance(std::span<const TokenId> tokens, std::span<const TokenId> breakers) {
  size_t n = 0;
  while (n < tokens.size() && !std::binary_search(breakers.begin(), breakers.end(), tokens[tokens.size() - 1 - n])) ++n;
  return n;
}

}  // namespace

void penalize_repetition(const SamplerParams& params, std::span<const TokenId> tokens, std::span<float> logits) {
  if (params.repetition_penalty == 1.0f) return;
  const auto window = last_of(tokens, params.penalty_last_n);
  const std::unordered_set<TokenId> seen(window.begin(), window.end());
  for (const TokenId id : seen)
    logits[id] = logits[id] > 0.0f ? logits[id] / params.repetition_penalty : logits[id] * params.repetition_penalty;
}

void penalize_counts(const SamplerParams& params, const std::unordered_map<TokenId, uint32_t>& counts,
                     std::span<float> logits) {
  for (const auto& [id, count] : counts)
    logits[id] -= params.presence_penalty + params.frequency_penalty * static_cast<float>(count);
}

std::unordered_map<TokenId, uint32_t> repeated_suffixes(std::span<const TokenId> tokens,
                                                        std::span<const TokenId> breakers, uint32_t least) {
  std::unordered_map<TokenId, uint32_t> longest;
  const size_t n = tokens.size();
  const size_t limit = breaker_distance(tokens, breakers);
  if (limit < least) return longest;
  const auto reversed = [&](size_t i) { return tokens[n - 1 - i]; };
  std::vector<uint32_t> z(n, 0);  // z[k]: how far the reversed tokens from k on equal those from 0 on
  size_t left = 0, right = 0;     // the match that reaches furthest: [left, right)
  for (size_t k = 1; k < n; ++k) {
    size_t length = k < right ? std::min<size_t>(right - k, z[k - left]) : 0;
    while (k + length < n && reversed(length) == reversed(k + length)) ++length;
    if (k + length > right) left = k, right = k + length;
    z[k] = static_cast<uint32_t>(length);
    const uint32_t repeated = static_cast<uint32_t>(std::min(length, limit));
    const TokenId next = reversed(k - 1);
    if (repeated < least || std::binary_search(breakers.begin(), breakers.end(), next)) continue;
    uint32_t& best = longest[next];
    best = std::max(best, repeated);
  }
  return longest;
}

void penalize_dry(const SamplerParams& params, std::span<const TokenId> tokens, std::span<float> logits) {
  if (params.dry_multiplier <= 0.0f || params.dry_last_n == 0) return;
  const uint32_t least = std::max(1u, params.dry_allowed_length);
  for (const auto& [id, length] : repeated_suffixes(last_of(tokens, params.dry_last_n), params.dry_breakers, least)) {
    const float power = static_cast<float>(length) - static_cast<float>(params.dry_allowed_length);
    logits[id] -= std::min(params.dry_multiplier * std::pow(params.dry_base, power), 1e30f);
  }
}

}  // namespace rival::engine
