// From a row of logits to a token. Filters run in the order of llama.cpp's default chain (common/common.h,
// `samplers`, after the logit bias of common/sampling.cpp):
//
//   constraint and bias -> penalties -> DRY -> top-k -> typical -> top-p -> min-p -> temperature -> draw
//
// so top-p and the others look at the distribution before temperature. No filter sorts the whole vocabulary.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "engine/logits.h"
#include "text/vocabulary.h"

namespace rival::engine {

using text::TokenId;

// The defaults change nothing: the model's own distribution at temperature 1.
struct SamplerParams {
  float temperature = 1.0f;  // 0 = greedy; [0, 100]
  uint32_t top_k = 0;        // 0 = all; Fan et al. 2018
  float top_p = 1.0f;        // (0, 1]; 1 = all; Holtzman et al. 2020
  float min_p = 0.0f;        // [0, 1]; of the likeliest token's probability; Nguyen et al. 2024
  float typical_p = 1.0f;    // (0, 1]; 1 = off; Meister et al. 2022

  // Positive logits are divided, negative ones multiplied by it, for tokens among the last penalty_last_n of
  // prompt and answer (Keskar et al. 2019). 1 = off.
  float repetition_penalty = 1.0f;
  int32_t penalty_last_n = 64;     // -1 = all, 0 = off
  // Subtracted once, and once an occurrence, for tokens of the answer (OpenAI's formula). [-2, 2] in its API.
  float presence_penalty = 0.0f;
  float frequency_penalty = 0.0f;

  // DRY (p-e-w, text-generation-webui pull request 5677): a token that would lengthen a repetition of n >=
  // dry_allowed_length tokens loses dry_multiplier * dry_base ^ (n - dry_allowed_length). 0 = off.
  float dry_multiplier = 0.0f;
  float dry_base = 1.75f;
  uint32_t dry_allowed_length = 2;
  int32_t dry_last_n = -1;           // -1 = all, 0 = off
  std::vector<TokenId> dry_breakers = {};  // sorted; repetitions do not reach across these tokens

  std::vector<std::pair<TokenId, float>> logit_bias = {};  // added to the logit; -infinity bans

  std::optional<uint64_t> seed = {};  // absent = a different text every time
  uint32_t logprobs = 0;         // alternatives wanted for every token ...
  bool want_logprobs = false;    // ... if logprobs are wanted at all

  bool greedy() const { return temperature <= 0.0f; }
};

// Errors: kInvalidArgument naming the field, its value and its range.
Status check_sampler_params(const SamplerParams& params, uint32_t vocabulary_size);

struct TokenProbability {
  TokenId id = 0;
  float logprob = 0.0f;  // natural logarithm, of the model's own distribution: before bias, penalties and filters
};

struct SampledToken {
  TokenId id = 0;
  std::optional<float> logprob = {};        // if want_logprobs
  std::vector<TokenProbability> top = {};   // the `logprobs` likeliest, best first
};

// How likely `id` is by one row of logits, with the `alternatives` likeliest tokens.
SampledToken with_logprobs(TokenId id, std::span<const float> logits, uint32_t alternatives);

// What sampling may look at beside the logits.
struct SamplerContext {
  std::span<const TokenId> tokens = {};    // prompt and answer so far
  size_t prompt_size = 0;                  // the first prompt_size of them are the prompt
  std::span<const uint32_t> allowed = {};  // bits as in TokenConstraint::mask; empty = all
  std::span<const TokenId> banned = {};    // end-of-generation tokens while they may not come
};

// The sampler of one sequence. One number is drawn for every token that is not greedy, so the text of a seed does
// not depend on batches, drafts or preemption. Used by one thread at a time.
class Sampler {
 public:
  // `stream` tells the answers of one request apart; stream 0 of a seed is the same whatever n is.
  Sampler(const SamplerParams& params, uint64_t seed, uint32_t stream);

  // `logits` is one row and is used as scratch. Errors: kInternal if no logit is finite, kInvalidArgument if
  // constraint and bans leave no token.
  Result<SampledToken> sample(std::span<float> logits, const SamplerContext& context);

 private:
  TokenId pick(std::span<const float> logits, float largest);
  std::span<const float> take_allowed(std::span<const uint32_t> allowed, std::span<const float> logits);
  void adjust(std::span<float> logits, const SamplerContext& context) const;
  void choose_candidates(std::span<const float> logits, float largest);
  void keep_top_p(std::span<const float> logits, float largest);

  SamplerParams params_;
  Random random_;
  std::unordered_map<TokenId, uint32_t> counts_;  // of the tokens sampled; kept if a penalty needs them
  std::vector<Candidate> candidates_;             // scratch
  std::vector<float> original_;                   // scratch
  std::vector<TokenId> few_;                      // scratch: the tokens of few_logits_
  std::vector<float> few_logits_;                 // scratch: of a mask that allows few
};

}  // namespace rival::engine
