#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <map>
#include <numeric>

#include "engine/penalties.h"

namespace rival::engine {
namespace {

std::vector<float> random_logits(size_t n, uint64_t seed) {
  Random random(seed);
  std::vector<float> logits(n);
  for (float& x : logits) x = static_cast<float>(random.next_double() * 20.0 - 10.0);
  return logits;
}

// The candidates that a chain leaves, found by drawing often.
std::map<TokenId, int> drawn(const SamplerParams& params, const std::vector<float>& logits, int draws = 2000) {
  Sampler sampler(params, 1, 0);
  std::map<TokenId, int> counts;
  for (int i = 0; i < draws; ++i) {
    std::vector<float> row = logits;
    auto token = sampler.sample(row, {});
    EXPECT_TRUE(token.ok());
    ++counts[token->id];
  }
  return counts;
}

TEST(Logits, TopEqualsSortForEverySize) {
  for (const size_t n : {1, 3, 63, 64, 65, 1000, 5000}) {
    std::vector<float> logits = random_logits(n, n);
    for (size_t i = 0; i < n; i += 7) logits[i] = 3.25f;  // equals
    if (n > 10) logits[5] = std::nanf(""), logits[6] = kNever;
    std::vector<Candidate> all;
    for (size_t i = 0; i < n; ++i)
      if (logits[i] > kNever) all.push_back({logits[i], static_cast<TokenId>(i)});
    std::stable_sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.logit > b.logit; });
    EXPECT_EQ(arg_max(logits), all[0].id);
    for (const uint32_t count : {1u, 2u, 40u, 200u, 10000u}) {
      std::vector<Candidate> top;
      select_top(logits, count, top);
      ASSERT_EQ(top.size(), std::min<size_t>(count, all.size()));
      for (size_t i = 0; i < top.size(); ++i) EXPECT_EQ(top[i].id, all[i].id) << n << " " << count << " " << i;
    }
  }
}

TEST(Logits, SumOfExponentialsIsExact) {
  for (const size_t n : {1, 4, 5, 1023, 1024, 1025, 49152}) {
    const std::vector<float> logits = random_logits(n, n);
    const float largest = max_logit(logits);
    double expected = 0.0;
    for (const float x : logits) expected += std::exp((double{x} - largest) * 0.7);
    EXPECT_NEAR(sum_exp(logits, largest, 0.7f) / expected, 1.0, 1e-6);
  }
}

TEST(Logits, DrawFollowsTheDistribution) {
  std::vector<float> logits(3000, kNever);
  logits[10] = std::log(0.2f), logits[1500] = std::log(0.5f), logits[2999] = std::log(0.3f);
  EXPECT_EQ(draw_index(logits, 0.0f, 1.0f, 0.0), 10);
  EXPECT_EQ(draw_index(logits, 0.0f, 1.0f, 0.19), 10);
  EXPECT_EQ(draw_index(logits, 0.0f, 1.0f, 0.21), 1500);
  EXPECT_EQ(draw_index(logits, 0.0f, 1.0f, 0.69), 1500);
  EXPECT_EQ(draw_index(logits, 0.0f, 1.0f, 0.71), 2999);
  EXPECT_EQ(draw_index(logits, 0.0f, 1.0f, 0.99999999999), 2999);
}

TEST(Sampler, FiltersLeaveWhatTheirFormulasSay) {
  // Probabilities 0.4, 0.3, 0.2, 0.06, 0.04.
  const std::vector<float> p = {0.4f, 0.3f, 0.2f, 0.06f, 0.04f};
  std::vector<float> logits;
  for (const float x : p) logits.push_back(std::log(x) + 5.0f);
  EXPECT_EQ(drawn({}, logits).size(), 5u);
  EXPECT_EQ(drawn({.top_k = 2}, logits).size(), 2u);
  EXPECT_EQ(drawn({.top_p = 0.65f}, logits).size(), 2u);
  EXPECT_EQ(drawn({.top_p = 0.75f}, logits).size(), 3u);
  EXPECT_EQ(drawn({.top_k = 4, .top_p = 0.99f}, logits).size(), 4u);
  EXPECT_EQ(drawn({.min_p = 0.4f}, logits).size(), 3u);
  EXPECT_EQ(drawn({.top_k = 2, .min_p = 0.4f}, logits).size(), 2u);
  EXPECT_EQ(drawn({.temperature = 0.0f}, logits).size(), 1u);
  EXPECT_EQ(drawn({.top_p = 0.0f}, logits).size(), 1u);
  // Entropy is 1.38 nats: the surprises 1.20 and 1.61 are nearest, then 0.92.
  const auto typical = drawn({.typical_p = 0.45f}, logits);
  EXPECT_EQ(typical.size(), 2u);
  EXPECT_TRUE(typical.contains(1) && typical.contains(2));
}

TEST(Sampler, DrawsMatchProbabilities) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  auto counts = drawn({}, logits, 20000);
  EXPECT_NEAR(counts[0] / 20000.0, 0.5, 0.015);
  EXPECT_NEAR(counts[2] / 20000.0, 0.2, 0.015);
  // Temperature 0.5 squares the probabilities: 0.25, 0.09, 0.04 of 0.38.
  counts = drawn({.temperature = 0.5f, .top_k = 2}, logits, 20000);
  EXPECT_NEAR(counts[0] / 20000.0, 0.25 / 0.34, 0.015);
}

TEST(Sampler, SameSeedSameTokensAndStreamsDiffer) {
  const auto run = [](uint64_t seed, uint32_t stream) {
    Sampler sampler({}, seed, stream);
    std::vector<TokenId> ids;
    for (uint64_t i = 0; i < 20; ++i) {
      auto logits = random_logits(100, i);
      for (float& x : logits) x *= 0.1f;
      ids.push_back(sampler.sample(logits, {})->id);
    }
    return ids;
  };
  EXPECT_EQ(run(5, 0), run(5, 0));
  EXPECT_NE(run(5, 0), run(6, 0));
  EXPECT_NE(run(5, 0), run(5, 1));
}

TEST(Sampler, ConstraintBansAndBias) {
  std::vector<float> logits = random_logits(70, 3);
  const TokenId best = arg_max(logits);
  const std::vector<uint32_t> allowed = {1u << 7, 0, 1u << 2};
  Sampler greedy({.temperature = 0.0f}, 0, 0);
  auto row = logits;
  const TokenId expected = logits[7] > logits[66] ? 7 : 66;
  EXPECT_EQ(greedy.sample(row, {.allowed = allowed})->id, expected);
  const std::vector<TokenId> banned = {best};
  row = logits;
  EXPECT_NE(greedy.sample(row, {.banned = banned})->id, best);
  SamplerParams biased{.temperature = 0.0f};
  biased.logit_bias = {{11, 100.0f}, {best, kNever}};
  row = logits;
  EXPECT_EQ(Sampler(biased, 0, 0).sample(row, {})->id, 11);
  const std::vector<uint32_t> none(3, 0);
  row = logits;
  EXPECT_EQ(greedy.sample(row, {.allowed = none}).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(Logits, KeepsWhatIsAllowed) {
  Random random(5);
  for (const size_t n : {1, 31, 32, 33, 64, 100, 1000}) {
    const std::vector<float> logits = random_logits(n, n);
    for (const size_t words : {(n + 31) / 32, size_t{1}}) {
      std::vector<uint32_t> allowed(words);
      for (uint32_t& word : allowed) word = random.next_below(4) == 0 ? UINT32_MAX : random.next_below(UINT32_MAX) & random.next_below(UINT32_MAX);
      auto row = logits;
      keep_allowed(allowed, row);
      for (size_t i = 0; i < n; ++i)
        EXPECT_EQ(row[i], i / 32 < words && (allowed[i / 32] >> (i % 32) & 1) != 0 ? logits[i] : kNever) << n << " " << i;
    }
  }
}

// Where few tokens are allowed only those are looked at: the same are drawn as from a row that rules the others out.
TEST(Sampler, FewAllowedTokensAreDrawnAsFromTheWholeRow) {
  const std::vector<float> logits = random_logits(5000, 8);
  std::vector<uint32_t> allowed((logits.size() + 31) / 32);
  for (const TokenId id : {3, 64, 65, 700, 1999, 2000, 4998}) allowed[static_cast<size_t>(id) / 32] |= 1u << (id % 32);
  std::vector<float> others_out = logits;
  keep_allowed(allowed, others_out);
  const std::vector<TokenId> banned = {65};
  SamplerParams plain{.temperature = 3.0f, .repetition_penalty = 1.5f, .presence_penalty = 0.5f}, greedy{.temperature = 0.0f};
  plain.logit_bias = {{700, 2.0f}, {701, 50.0f}};
  SamplerParams top = plain, nucleus = plain, least = plain;
  top.top_k = 3;
  nucleus.top_p = 0.7f;
  least.min_p = 0.2f;
  const std::vector<TokenId> tokens = {3, 700, 9};
  for (const SamplerParams& params : {plain, top, nucleus, least, greedy}) {
    Sampler few(params, 1, 0), whole(params, 1, 0);
    for (int i = 0; i < 300; ++i) {
      auto row = logits, other = others_out;
      const auto a = few.sample(row, {.tokens = tokens, .allowed = allowed, .banned = banned});
      const auto b = whole.sample(other, {.tokens = tokens, .banned = banned});
      ASSERT_TRUE(a.ok() && b.ok());
      ASSERT_EQ(a->id, b->id);
    }
  }
}

TEST(Sampler, BadLogitsAreAnError) {
  Sampler sampler({}, 0, 0);
  std::vector<float> row(10, std::nanf(""));
  EXPECT_EQ(sampler.sample(row, {}).error().code, ErrorCode::kInternal);
  std::vector<float> wide(100, std::nanf(""));
  const std::vector<uint32_t> one = {0, 1u << 3, 0, 0};
  EXPECT_EQ(sampler.sample(wide, {.allowed = one}).error().code, ErrorCode::kInternal);
  wide[7] = 1.0f;
  EXPECT_EQ(sampler.sample(wide, {.allowed = one}).error().code, ErrorCode::kInvalidArgument);
  row.assign(10, std::numeric_limits<float>::infinity());
  EXPECT_FALSE(sampler.sample(row, {}).ok());
  row.assign(10, std::nanf(""));
  row[4] = 1.0f;
  EXPECT_EQ(sampler.sample(row, {})->id, 4);
}

TEST(Sampler, LogprobsAreTheModelsOwn) {
  SamplerParams params{.temperature = 0.0f};
  params.want_logprobs = true;
  params.logprobs = 2;
  params.logit_bias = {{2, 50.0f}};
  std::vector<float> row = {std::log(0.5f) + 3, std::log(0.3f) + 3, std::log(0.2f) + 3};
  const auto token = *Sampler(params, 0, 0).sample(row, {});
  EXPECT_EQ(token.id, 2);
  EXPECT_NEAR(*token.logprob, std::log(0.2f), 1e-5);
  ASSERT_EQ(token.top.size(), 2u);
  EXPECT_EQ(token.top[0].id, 0);
  EXPECT_NEAR(token.top[1].logprob, std::log(0.3f), 1e-5);
}

TEST(Penalties, RepetitionPresenceFrequency) {
  SamplerParams params{.repetition_penalty = 2.0f, .penalty_last_n = 3};
  std::vector<float> logits = {1.0f, -1.0f, 4.0f, 5.0f};
  const std::vector<TokenId> tokens = {3, 0, 1, 1};
  penalize_repetition(params, tokens, logits);
  EXPECT_EQ(logits, (std::vector<float>{0.5f, -2.0f, 4.0f, 5.0f}));  // 3 is out of the window
  params.presence_penalty = 1.0f, params.frequency_penalty = 0.5f;
  logits = {0, 0, 0, 0};
  penalize_counts(params, {{1, 3}}, logits);
  EXPECT_EQ(logits[1], -2.5f);
}

TEST(Penalties, SuffixesLikeTheDefinition) {
  Random random(9);
  for (int round = 0; round < 300; ++round) {
    std::vector<TokenId> tokens(random.next_below(30) + 1);
    for (TokenId& id : tokens) id = static_cast<TokenId>(random.next_below(4));
    const std::vector<TokenId> breakers = round % 2 ? std::vector<TokenId>{3} : std::vector<TokenId>{};
    std::unordered_map<TokenId, uint32_t> expected;
    for (size_t at = 1; at < tokens.size(); ++at) {  // an earlier occurrence of the next token
      uint32_t length = 0;
      while (length < at && tokens[at - 1 - length] == tokens[tokens.size() - 1 - length] &&
             std::find(breakers.begin(), breakers.end(), tokens[tokens.size() - 1 - length]) == breakers.end())
        ++length;
      if (length < 2 || std::find(breakers.begin(), breakers.end(), tokens[at]) != breakers.end()) continue;
      expected[tokens[at]] = std::max(expected[tokens[at]], length);
    }
    EXPECT_EQ(repeated_suffixes(tokens, breakers, 2), expected);
  }
}

TEST(Penalties, DryGrowsWithTheRepetition) {
  SamplerParams params{.dry_multiplier = 0.8f, .dry_base = 2.0f, .dry_allowed_length = 2};
  std::vector<float> logits(10, 0.0f);
  const std::vector<TokenId> tokens = {1, 2, 3, 4, 9, 1, 2, 3};
  penalize_dry(params, tokens, logits);
  EXPECT_FLOAT_EQ(logits[4], -1.6f);  // 1 2 3 again: length 3
  EXPECT_EQ(logits[9], 0.0f);
}

TEST(Sampler, ParametersOutOfRangeAreNamed) {
  const auto message = [](const SamplerParams& params) {
    const Status status = check_sampler_params(params, 100);
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_EQ(message({}), "");
  EXPECT_NE(message({.temperature = -1.0f}).find("temperature"), std::string::npos);
  EXPECT_NE(message({.temperature = std::nanf("")}).find("temperature"), std::string::npos);
  EXPECT_NE(message({.top_p = 1.5f}).find("top_p"), std::string::npos);
  EXPECT_NE(message({.logit_bias = {{100, 1.0f}}}).find("logit_bias"), std::string::npos);
}

double best_of(int rounds, const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

TEST(Sampler, GreedyIsCheapOnLargeVocabularies) {
  std::vector<float> row = random_logits(49152, 1);
  Sampler sampler({.temperature = 0.0f}, 0, 0);
  const double seconds = best_of(50, [&] { ASSERT_TRUE(sampler.sample(row, {}).ok()); });
  RecordProperty("greedy_49k_us", std::to_string(seconds * 1e6));
  EXPECT_LT(seconds, 500e-6);  // 20 us here; the bound leaves room for sanitizers and busy machines
  std::vector<float> large = random_logits(262144, 2);
  Sampler top({.top_k = 40, .top_p = 0.95f, .min_p = 0.05f}, 0, 0);
  Sampler nucleus({.top_p = 0.9f}, 0, 0);
  fmt::print("greedy 49k {:.0f} us, top-k chain 262k {:.0f} us, top-p 262k {:.0f} us\n", seconds * 1e6,
             best_of(20, [&] { ASSERT_TRUE(top.sample(large, {}).ok()); }) * 1e6,
             best_of(20, [&] { ASSERT_TRUE(nucleus.sample(large, {}).ok()); }) * 1e6);
}

}  // namespace
}  // namespace rival::engine
