#include "engine/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "engine/penalties.h"

namespace rival::engine {
namespace {

template <typename T>
Status out_of_range(const char* field, T value, const char* expected) {
  return make_error(ErrorCode::kInvalidArgument, "{} is {}; expected {}", field, value, expected);
}

bool within(float value, float least, float most) { return value >= least && value <= most; }  // false for NaN

Status check_tokens(const SamplerParams& params, uint32_t vocabulary_size) {
  const auto known = [&](TokenId id) { return id >= 0 && static_cast<uint32_t>(id) < vocabulary_size; };
  for (const auto& [id, bias] : params.logit_bias) {
    if (!known(id)) return out_of_range("logit_bias", id, "a token id of the vocabulary");
    if (std::isnan(bias)) return out_of_range("logit_bias", bias, "a number");
  }
  if (!std::is_sorted(params.dry_breakers.begin(), params.dry_breakers.end()))
    return make_error(ErrorCode::kInvalidArgument, "dry_breakers are not sorted");
  return {};
}

// Where at most one token in so many is allowed, only the logits of those are looked at.
constexpr size_t kFewShare = 16;

Error no_finite_logit() { return make_error(ErrorCode::kInternal, "the model gave no finite logit"); }

bool allows_few(std::span<const uint32_t> allowed, size_t vocabulary) {
  size_t count = 0;
  for (const uint32_t word : allowed) count += static_cast<size_t>(std::popcount(word));
  return count * kFewShare <= vocabulary;
}

double mass(const std::vector<Candidate>& candidates, float largest) {
  double sum = 0.0;
  for (const Candidate& c : candidates) sum += std::exp(c.logit - largest);
  return sum;
}

// Keeps the shortest run from the front whose probability reaches p.
void cut_at(std::vector<Candidate>& candidates, float largest, double total, double p) {
  double sum = 0.0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    sum += std::exp(candidates[i].logit - largest) / total;
    if (sum >= p) return candidates.resize(i + 1);
  }
}

// Locally typical sampling: those whose surprise -ln p is nearest to the entropy, until their probability reaches p.
void keep_typical(std::vector<Candidate>& candidates, float largest, double p) {
  const double total = mass(candidates, largest);
  const double log_total = std::log(total);
  double entropy = log_total;
  for (const Candidate& c : candidates) {
    const double shifted = c.logit - largest;
    entropy -= std::exp(shifted) / total * shifted;
  }
  const auto distance = [&](const Candidate& c) { return std::abs(log_total - (c.logit - largest) - entropy); };
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](const Candidate& a, const Candidate& b) { return distance(a) < distance(b); });
  cut_at(candidates, largest, total, p);
}

void sort_by_logit(std::vector<Candidate>& candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.logit > b.logit; });
}

}  // namespace

SampledToken with_logprobs(TokenId id, std::span<const float> logits, uint32_t alternatives) {
  SampledToken token{.id = id};
  const float largest = max_logit(logits);
  const float log_total = largest + static_cast<float>(std::log(sum_exp(logits, largest, 1.0f)));
  token.logprob = logits[id] - log_total;
  std::vector<Candidate> top;
  select_top(logits, alternatives, top);
  for (const Candidate& c : top) token.top.push_back({c.id, c.logit - log_total});
  return token;
}

Status check_sampler_params(const SamplerParams& p, uint32_t vocabulary_size) {
  if (!within(p.temperature, 0.0f, 100.0f)) return out_of_range("temperature", p.temperature, "0 to 100");
  if (!within(p.top_p, 0.0f, 1.0f)) return out_of_range("top_p", p.top_p, "0 to 1");
  if (!within(p.min_p, 0.0f, 1.0f)) return out_of_range("min_p", p.min_p, "0 to 1");
  if (!within(p.typical_p, 0.0f, 1.0f)) return out_of_range("typical_p", p.typical_p, "0 to 1");
  if (!within(p.repetition_penalty, 1e-3f, 1e3f))
    return out_of_range("repetition_penalty", p.repetition_penalty, "0.001 to 1000");
  if (p.penalty_last_n < -1) return out_of_range("penalty_last_n", p.penalty_last_n, "-1 or more");
  if (!within(p.presence_penalty, -100.0f, 100.0f))
    return out_of_range("presence_penalty", p.presence_penalty, "-100 to 100");
  if (!within(p.frequency_penalty, -100.0f, 100.0f))
    return out_of_range("frequency_penalty", p.frequency_penalty, "-100 to 100");
  if (!within(p.dry_multiplier, 0.0f, 1e3f)) return out_of_range("dry_multiplier", p.dry_multiplier, "0 to 1000");
  if (!within(p.dry_base, 1.0f, 1e3f)) return out_of_range("dry_base", p.dry_base, "1 to 1000");
  if (p.dry_last_n < -1) return out_of_range("dry_last_n", p.dry_last_n, "-1 or more");
  if (p.logprobs > vocabulary_size) return out_of_range("logprobs", p.logprobs, "at most the vocabulary's size");
  return check_tokens(p, vocabulary_size);
}

Sampler::Sampler(const SamplerParams& params, uint64_t seed, uint32_t stream)
    : params_(params), random_(seed + uint64_t{stream} * 0x9e3779b97f4a7c15u) {}

Result<SampledToken> Sampler::sample(std::span<float> logits, const SamplerContext& context) {
  if (params_.want_logprobs) original_.assign(logits.begin(), logits.end());
  const bool few = !context.allowed.empty() && allows_few(context.allowed, logits.size());
  if (!few && !std::isfinite(max_logit(logits))) return no_finite_logit();
  if (!few && !context.allowed.empty()) keep_allowed(context.allowed, logits);
  adjust(logits, context);
  const std::span<const float> row = few ? take_allowed(context.allowed, logits) : logits;
  const float largest = max_logit(row);
  if (few && !std::isfinite(largest) && !std::isfinite(max_logit(logits))) return no_finite_logit();
  if (largest == kNever)
    return make_error(ErrorCode::kInvalidArgument, "no token may come next: bias, bans and constraint leave none");
  const TokenId index = params_.greedy() ? arg_max(row) : pick(row, largest);
  const TokenId id = few ? few_[static_cast<size_t>(index)] : index;
  if (params_.presence_penalty != 0.0f || params_.frequency_penalty != 0.0f) ++counts_[id];
  if (params_.want_logprobs) return with_logprobs(id, original_, params_.logprobs);
  return SampledToken{.id = id};
}

void Sampler::adjust(std::span<float> logits, const SamplerContext& context) const {
  for (const TokenId id : context.banned) logits[id] = kNever;
  for (const auto& [id, bias] : params_.logit_bias) logits[id] += bias;
  penalize_repetition(params_, context.tokens, logits);
  penalize_counts(params_, counts_, logits);
  penalize_dry(params_, context.tokens, logits);
}

// The logits of the allowed tokens side by side; few_ has their ids, ascending.
std::span<const float> Sampler::take_allowed(std::span<const uint32_t> allowed, std::span<const float> logits) {
  few_.clear();
  few_logits_.clear();
  for (size_t word = 0; word < allowed.size(); ++word) {
    for (uint32_t left = allowed[word]; left != 0; left &= left - 1) {
      const size_t id = word * 32 + static_cast<size_t>(std::countr_zero(left));
      if (id >= logits.size()) break;
      few_.push_back(static_cast<TokenId>(id));
      few_logits_.push_back(logits[id]);
    }
  }
  return few_logits_;
}

TokenId Sampler::pick(std::span<const float> logits, float largest) {
  const double share = random_.next_double();
  const float scale = 1.0f / params_.temperature;
  const bool all = params_.top_k == 0 || params_.top_k >= logits.size();
  if (all && params_.typical_p >= 1.0f && params_.top_p >= 1.0f && params_.min_p <= 0.0f)
    return draw_index(logits, largest, scale, share);
  choose_candidates(logits, largest);
  double total = 0.0;
  for (const Candidate& c : candidates_) total += std::exp((c.logit - largest) * scale);
  double left = share * total;
  for (const Candidate& c : candidates_) {
    left -= std::exp((c.logit - largest) * scale);
    if (left < 0.0) return c.id;
  }
  return candidates_.back().id;
}

// The filters keep at least one candidate each: the likeliest (or most typical) token passes all of them.
void Sampler::choose_candidates(std::span<const float> logits, float largest) {
  const float least = params_.min_p > 0.0f ? largest + std::log(params_.min_p) : kNever;
  const bool all = params_.top_k == 0 || params_.top_k >= logits.size();
  if (!all) {
    select_top(logits, params_.top_k, candidates_);
  } else if (params_.typical_p < 1.0f) {
    select_from(logits, kNever, candidates_);
  } else if (params_.top_p < 1.0f) {
    keep_top_p(logits, largest);
  } else {
    select_from(logits, least, candidates_);
  }
  if (params_.typical_p < 1.0f) {
    keep_typical(candidates_, largest, params_.typical_p);
    sort_by_logit(candidates_);
  }
  if (params_.top_p < 1.0f && (!all || params_.typical_p < 1.0f))
    cut_at(candidates_, candidates_.front().logit, mass(candidates_, candidates_.front().logit), params_.top_p);
  const float kept_least = least > kNever ? least - largest + candidates_.front().logit : kNever;
  std::erase_if(candidates_, [&](const Candidate& c) {
    return c.logit < kept_least && c.id != candidates_.front().id;
  });
}

// Most distributions give 90 % of their mass to a few tokens, so few are selected at first.
void Sampler::keep_top_p(std::span<const float> logits, float largest) {
  const double total = sum_exp(logits, largest, 1.0f);
  for (uint64_t count = 64;; count *= 8) {
    select_top(logits, static_cast<uint32_t>(std::min<uint64_t>(count, logits.size())), candidates_);
    if (count >= logits.size() || mass(candidates_, largest) / total >= params_.top_p) break;
  }
  cut_at(candidates_, largest, total, params_.top_p);
}

}  // namespace rival::engine
