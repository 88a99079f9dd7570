#include "engine/engine.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/engine_test_util.h"

namespace rival::engine {
namespace {

struct World {
  explicit World(uint32_t pages = 100, EngineOptions options = {}, uint32_t context = 1000)
      : model(pages, context), engine(model, with_clock(std::move(options), model)) {}

  RequestId submit(Request request) {
    request.on_output = answers.sink();
    auto id = engine.submit(std::move(request));
    EXPECT_TRUE(id.ok()) << id.error().message;
    return id.ok() ? *id : 0;
  }
  Answer run(Request request) {
    const RequestId id = submit(std::move(request));
    run_all(engine);
    return answers.get(id);
  }

  FakeModel model;
  Answers answers;
  Engine engine;
};

TEST(Engine, AnswersWithUsageAndTimings) {
  World s;
  const Answer answer = s.run(greedy_request(prompt_of(1, 70), 20));
  EXPECT_EQ(answer.ids.size(), 20u);
  ASSERT_TRUE(answer.finish);
  EXPECT_EQ(answer.finishes, 1);
  EXPECT_EQ(answer.finish->reason, FinishReason::kLength);
  EXPECT_EQ(answer.finish->usage.prompt_tokens, 70u);
  EXPECT_EQ(answer.finish->usage.completion_tokens, 20u);
  EXPECT_GE(answer.finish->timings.total_s, answer.finish->timings.first_token_s);
  const EngineStats stats = s.engine.stats();
  EXPECT_EQ(stats.running + stats.waiting + stats.pages_used, 0u);
  EXPECT_EQ(stats.completion_tokens, 20u);
}

TEST(Engine, BatchChunksAndSpeculationDoNotChangeTheText) {
  EngineOptions plain;
  plain.draft_max = 0;
  for (const uint32_t step_tokens : {1u, 7u, 64u}) {
    EngineOptions options;
    options.step_tokens_max = step_tokens;
    World s(200, options);
    std::vector<RequestId> ids;
    for (uint64_t i = 0; i < 12; ++i) ids.push_back(s.submit(greedy_request(prompt_of(i, 3 + 17 * i), 40)));
    run_all(s.engine);
    for (uint64_t i = 0; i < 12; ++i)
      EXPECT_EQ(s.answers.get(ids[i]).ids, alone(greedy_request(prompt_of(i, 3 + 17 * i), 40), plain).ids) << i;
  }
}

TEST(Engine, DraftsSaveStepsAndKeepSampledText) {
  EngineOptions plain;
  plain.draft_max = 0;
  Request request = greedy_request(prompt_of(4, 20), 200);
  const Answer expected = alone(greedy_request(prompt_of(4, 20), 200), plain);
  World s;
  const Answer answer = s.run(std::move(request));
  EXPECT_EQ(answer.ids, expected.ids);
  EXPECT_GT(answer.finish->usage.accepted_tokens, 50u);
  EXPECT_LT(s.model.steps, 150u);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const auto sampled = [&] {
      Request r = greedy_request(prompt_of(4, 20), 100);
      r.sampler.temperature = 0.1f;
      r.sampler.seed = seed;
      return r;
    };
    EXPECT_EQ(s.run(sampled()).ids, alone(sampled(), plain).ids);
  }
}

TEST(Engine, PrefixIsReusedAndSessionGoesOn) {
  World s;
  const auto prompt = prompt_of(1, 100);
  const Answer first = s.run(greedy_request(prompt, 10));
  EXPECT_EQ(first.finish->usage.cached_tokens, 0u);
  const Answer again = s.run(greedy_request(prompt, 10));
  EXPECT_EQ(again.ids, first.ids);
  EXPECT_EQ(again.finish->usage.cached_tokens, 99u);  // the last token has to give logits
  auto session = prompt;
  session.insert(session.end(), first.ids.begin(), first.ids.end());
  session.push_back(5);
  const Answer next = s.run(greedy_request(session, 10));
  EXPECT_EQ(next.finish->usage.cached_tokens, 109u);
  EXPECT_EQ(next.ids, alone(greedy_request(session, 10)).ids);
  Request fresh = greedy_request(prompt, 10);
  fresh.reuse_prefix = false;
  EXPECT_EQ(s.run(std::move(fresh)).finish->usage.cached_tokens, 0u);
}

TEST(Engine, SharedPromptIsComputedOnce) {
  World s(200);
  auto shared = prompt_of(1, 320);
  uint32_t tails = 0;
  for (uint64_t i = 0; i < 10; ++i) {
    auto prompt = shared;
    const auto tail = prompt_of(100 + i, 5);
    prompt.insert(prompt.end(), tail.begin(), tail.end());
    s.submit(greedy_request(prompt, 1));
    tails += 5;
  }
  run_all(s.engine);
  EXPECT_LE(s.model.token_count, 320 + tails);
  EXPECT_EQ(s.answers.finished(), 10u);
}

TEST(Engine, ManyAnswersOfOnePrompt) {
  World s;
  Request request = greedy_request(prompt_of(1, 75), 12);
  request.sampler.temperature = 1.0f;
  request.sampler.seed = 9;
  request.n = 4;
  const RequestId id = s.submit(std::move(request));
  run_all(s.engine);
  std::set<std::vector<TokenId>> different;
  for (uint32_t i = 0; i < 4; ++i) {
    const Answer answer = s.answers.get(id, i);
    EXPECT_EQ(answer.finishes, 1);
    EXPECT_EQ(answer.ids.size(), 12u);
    different.insert(answer.ids);
  }
  EXPECT_EQ(different.size(), 4u);
  EXPECT_LE(s.model.token_count, 75u + 4 * 12 + 50);  // drafts included
  Request one = greedy_request(prompt_of(1, 75), 12);
  one.sampler.temperature = 1.0f;
  one.sampler.seed = 9;
  EXPECT_EQ(s.answers.get(id, 0).ids, alone(std::move(one)).ids);
}

TEST(Engine, ManyAnswersWithoutRoomForAllStillCome) {
  EngineOptions options;
  options.sequences_max = 2;
  World s(8, options);
  Request request = greedy_request(prompt_of(1, 40), 30);
  request.n = 5;
  const RequestId id = s.submit(std::move(request));
  run_all(s.engine);
  const Answer expected = alone(greedy_request(prompt_of(1, 40), 30));
  for (uint32_t i = 0; i < 5; ++i) EXPECT_EQ(s.answers.get(id, i).ids, expected.ids) << i;
}

TEST(Engine, TextComesInWholeCharactersAndStopsAtStopStrings) {
  EngineOptions options;
  options.text_stream = letters();
  World s(100, options, 1000);
  const Answer whole = s.run(greedy_request(prompt_of(3, 10), 30));
  ASSERT_GT(whole.text.size(), 12u);
  const std::string stop = whole.text.substr(6, 4);
  Request request = greedy_request(prompt_of(3, 10), 30);
  request.stop = {stop};
  const Answer answer = s.run(std::move(request));
  EXPECT_EQ(answer.text, whole.text.substr(0, whole.text.find(stop)));
  EXPECT_EQ(answer.finish->reason, FinishReason::kStop);
  EXPECT_EQ(answer.finish->stop_string, stop);
  EXPECT_LT(answer.ids.size(), whole.ids.size());
}

TEST(Engine, EndOfGenerationStopsUnlessBanned) {
  const Answer free_text = alone(greedy_request(prompt_of(2, 10), 20));
  EngineOptions options;
  options.end_of_generation = {free_text.ids[5]};
  World s(100, options);
  const size_t first = std::find(free_text.ids.begin(), free_text.ids.end(), free_text.ids[5]) - free_text.ids.begin();
  Answer answer = s.run(greedy_request(prompt_of(2, 10), 20));
  EXPECT_EQ(answer.finish->reason, FinishReason::kStop);
  EXPECT_EQ(*answer.finish->stop_token, free_text.ids[5]);
  EXPECT_EQ(answer.ids.size(), first);
  Request request = greedy_request(prompt_of(2, 10), 20);
  request.ignore_eos = true;
  answer = s.run(std::move(request));
  EXPECT_EQ(answer.ids.size(), 20u);
  EXPECT_EQ(std::count(answer.ids.begin(), answer.ids.end(), free_text.ids[5]), 0);
  request = greedy_request(prompt_of(2, 10), 20);
  request.min_tokens = 12;
  EXPECT_GE(s.run(std::move(request)).finish->usage.completion_tokens, 12u);
}

// Allows tokens that continue a repeated pattern; finished after `length` of them.
class PatternConstraint : public TokenConstraint {
 public:
  PatternConstraint(std::vector<TokenId> pattern, size_t length) : pattern_(std::move(pattern)), length_(length) {}
  void mask(std::span<uint32_t> allowed) override {
    std::fill(allowed.begin(), allowed.end(), 0);
    const TokenId id = pattern_[at_ % pattern_.size()];
    allowed[id / 32] |= 1u << (id % 32);
  }
  Status accept(TokenId token) override {
    if (token != pattern_[at_++ % pattern_.size()]) return make_error(ErrorCode::kInternal, "not allowed");
    return {};
  }
  bool finished() const override { return at_ >= length_; }
  std::unique_ptr<TokenConstraint> clone() const override { return std::make_unique<PatternConstraint>(*this); }

 private:
  std::vector<TokenId> pattern_;
  size_t length_, at_ = 0;
};

TEST(Engine, ConstraintHoldsWithDraftsAndForks) {
  World s;
  Request request = greedy_request(prompt_of(2, 10), 100);
  request.constraint = std::make_unique<PatternConstraint>(std::vector<TokenId>{1, 2, 3, 4, 5}, 60);
  request.n = 3;
  const RequestId id = s.submit(std::move(request));
  run_all(s.engine);
  for (uint32_t n = 0; n < 3; ++n) {
    const Answer answer = s.answers.get(id, n);
    ASSERT_EQ(answer.ids.size(), 60u);
    for (size_t i = 0; i < 60; ++i) EXPECT_EQ(answer.ids[i], static_cast<TokenId>(i % 5 + 1));
    EXPECT_EQ(answer.finish->reason, FinishReason::kStop);
    EXPECT_GT(answer.finish->usage.accepted_tokens, 0u);
  }
}

TEST(Engine, ACompleteAnswerEndsThoughItMayNotStop) {
  EngineOptions options;
  options.end_of_generation = {3};
  World s(100, options);
  for (const bool ignore_eos : {true, false}) {
    Request request = greedy_request(prompt_of(2, 10), 100);
    request.constraint = std::make_unique<PatternConstraint>(std::vector<TokenId>{1, 2, 3}, 60);
    request.ignore_eos = ignore_eos;
    request.min_tokens = 20;
    const Answer answer = s.run(std::move(request));
    EXPECT_EQ(answer.ids, (std::vector<TokenId>{1, 2}));
    EXPECT_EQ(answer.finish->reason, FinishReason::kStop);
  }
}

TEST(Engine, LogprobsComeWithTheTokens) {
  World s;
  Request request = greedy_request(prompt_of(2, 10), 5);
  request.sampler.want_logprobs = true;
  request.sampler.logprobs = 3;
  const Answer answer = s.run(std::move(request));
  ASSERT_EQ(answer.tokens.size(), 5u);
  for (const SampledToken& token : answer.tokens) {
    ASSERT_EQ(token.top.size(), 3u);
    EXPECT_EQ(token.top[0].id, token.id);
    EXPECT_FLOAT_EQ(token.top[0].logprob, *token.logprob);
  }
}

// A prompt's scores are those of the tokens that the same model samples behind each of its beginnings.
TEST(Engine, APromptIsScoredWholeWhateverIsKnownOfIt) {
  const std::vector<TokenId> prompt = prompt_of(2, 75);
  for (const uint32_t tokens : {0u, 6u}) {
    World s(9);  // 288 positions: the companions below take pages away
    s.run(greedy_request(prompt, 4));
    Request request = greedy_request(prompt, tokens);
    request.score_prompt = request.sampler.want_logprobs = true;
    request.sampler.logprobs = 64;
    request.n = 2;
    const RequestId id = s.submit(std::move(request));
    for (uint64_t seed = 3; seed < 6; ++seed) s.submit(greedy_request(prompt_of(seed, 50), 60));
    run_all(s.engine);
    const Answer answer = s.answers.get(id);
    EXPECT_EQ(answer.ids, tokens ? alone(greedy_request(prompt, tokens)).ids : std::vector<TokenId>());
    EXPECT_EQ(s.answers.get(id, 1).ids, answer.ids);
    EXPECT_TRUE(s.answers.get(id, 1).prompt.empty());
    ASSERT_EQ(answer.prompt.size(), prompt.size());
    EXPECT_FALSE(answer.prompt[0].logprob);
    for (size_t i = 0; i < prompt.size(); ++i) EXPECT_EQ(answer.prompt[i].id, prompt[i]);
    for (const size_t i : {1u, 31u, 32u, 33u, 64u, 74u}) {
      Request begun = greedy_request({prompt.begin(), prompt.begin() + static_cast<ptrdiff_t>(i)}, 1);
      begun.sampler.want_logprobs = true;
      begun.sampler.logprobs = 64;
      const SampledToken expected = alone(std::move(begun)).tokens.at(0);
      ASSERT_EQ(answer.prompt[i].top.size(), 64u);
      EXPECT_EQ(answer.prompt[i].top[0].id, expected.id);
      for (const TokenProbability& other : expected.top) {
        if (other.id == prompt[i]) { EXPECT_EQ(*answer.prompt[i].logprob, other.logprob); }
      }
    }
  }
}

TEST(Engine, ContextOverflowIsNeverSilent) {
  EngineOptions options;
  options.context = 64;
  World s(100, options);
  EXPECT_EQ(s.engine.context_limit(), 64u);
  EXPECT_EQ(s.engine.submit(greedy_request(prompt_of(1, 64), 5)).error().code, ErrorCode::kLimit);
  Answer answer = s.run(greedy_request(prompt_of(1, 60), 50));
  EXPECT_EQ(answer.finish->reason, FinishReason::kContext);
  EXPECT_EQ(answer.ids.size(), 4u);
  Request request = greedy_request(prompt_of(1, 200), 10);
  request.overflow = OverflowPolicy::kTruncateLeft;
  request.keep_tokens = 8;
  answer = s.run(std::move(request));
  EXPECT_EQ(answer.finish->usage.prompt_tokens, 54u);
  EXPECT_EQ(answer.finish->usage.truncated_tokens, 146u);
  auto cut = prompt_of(1, 200);
  cut.erase(cut.begin() + 8, cut.begin() + 8 + 146);
  EXPECT_EQ(answer.ids, alone(greedy_request(cut, 10)).ids);
  // Memory for less than the context.
  World small(2, {}, 1000);
  EXPECT_EQ(small.engine.context_limit(), 64u);
}

TEST(Engine, MaxTokensZeroComputesThePrompt) {
  World s;
  Answer answer = s.run(greedy_request(prompt_of(1, 40), 0));
  EXPECT_EQ(answer.finish->reason, FinishReason::kLength);
  EXPECT_TRUE(answer.ids.empty());
  answer = s.run(greedy_request(prompt_of(1, 40), 1));
  EXPECT_EQ(answer.ids.size(), 1u);
  EXPECT_EQ(answer.finish->usage.cached_tokens, 39u);
}

TEST(Engine, BadRequestsAreNamed) {
  World s;
  const auto code = [&](Request request) { return s.engine.submit(std::move(request)).error().code; };
  EXPECT_EQ(code(greedy_request({}, 5)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(greedy_request({64}, 5)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(greedy_request({-1}, 5)), ErrorCode::kInvalidArgument);
  Request request = greedy_request({1}, 5);
  request.n = 0;
  EXPECT_EQ(code(std::move(request)), ErrorCode::kInvalidArgument);
  request = greedy_request({1}, 5);
  request.sampler.top_p = 2.0f;
  EXPECT_EQ(code(std::move(request)), ErrorCode::kInvalidArgument);
  request = greedy_request({1}, 5);
  request.min_tokens = 6;
  EXPECT_EQ(code(std::move(request)), ErrorCode::kInvalidArgument);
}

TEST(Engine, AFullQueueRefuses) {
  EngineOptions options;
  options.waiting_max = 2;
  World s(100, options);
  s.submit(greedy_request({1}, 1));
  s.submit(greedy_request({2}, 1));
  EXPECT_EQ(s.engine.submit(greedy_request({3}, 1)).error().code, ErrorCode::kLimit);
  run_all(s.engine);
  s.submit(greedy_request({3}, 1));
  run_all(s.engine);
  EXPECT_EQ(s.answers.finished(), 3u);
}

TEST(Engine, CancelFreesAtOnce) {
  World s;
  const RequestId id = s.submit(greedy_request(prompt_of(1, 64), 500));
  const RequestId other = s.submit(greedy_request(prompt_of(2, 64), 20));
  for (int i = 0; i < 5; ++i) s.engine.step();
  EXPECT_GT(s.engine.stats().pages_used, 0u);
  s.engine.cancel(id);
  s.engine.cancel(12345);
  s.engine.step();
  EXPECT_EQ(s.answers.get(id).finish->reason, FinishReason::kCancelled);
  run_all(s.engine);
  EXPECT_EQ(s.engine.stats().pages_used, 0u);
  EXPECT_EQ(s.answers.get(other).ids, alone(greedy_request(prompt_of(2, 64), 20)).ids);
  // Before its first step, and with answers that follow.
  Request request = greedy_request(prompt_of(1, 64), 500);
  request.n = 3;
  const RequestId early = s.submit(std::move(request));
  s.engine.cancel(early);
  run_all(s.engine);
  for (uint32_t i = 0; i < 3; ++i) EXPECT_EQ(s.answers.get(early, i).finish->reason, FinishReason::kCancelled);
}

TEST(Engine, OneAnswerOfSeveralIsCancelled) {
  World s;
  Request request = greedy_request(prompt_of(1, 64), 30);
  request.n = 3;
  const RequestId id = s.submit(std::move(request));
  for (int i = 0; i < 5; ++i) s.engine.step();
  s.engine.cancel(id, 1);
  s.engine.cancel(id, 7);
  run_all(s.engine);
  EXPECT_EQ(s.answers.get(id, 1).finish->reason, FinishReason::kCancelled);
  for (const uint32_t i : {0u, 2u}) EXPECT_EQ(s.answers.get(id, i).ids.size(), 30u);
}

TEST(Engine, OutOfPagesPreemptsAndGivesTheSameText) {
  World s(9);  // 288 positions for four answers of up to 140
  std::vector<RequestId> ids;
  for (uint64_t i = 0; i < 4; ++i) ids.push_back(s.submit(greedy_request(prompt_of(i, 40), 100)));
  run_all(s.engine);
  EXPECT_GT(s.engine.stats().preemptions, 0u);
  for (uint64_t i = 0; i < 4; ++i)
    EXPECT_EQ(s.answers.get(ids[i]).ids, alone(greedy_request(prompt_of(i, 40), 100)).ids) << i;
  EXPECT_EQ(s.engine.stats().pages_used, 0u);
}

TEST(Engine, AFailedStepEndsItsSequencesOnly) {
  EngineOptions options;
  options.draft_max = 0;
  World s(100, options);
  s.model.fail_at = 4;
  const RequestId first = s.submit(greedy_request(prompt_of(1, 20), 50));
  run_all(s.engine);
  const Answer failed = s.answers.get(first);
  EXPECT_EQ(failed.finish->reason, FinishReason::kError);
  EXPECT_EQ(failed.finish->error.code, ErrorCode::kInternal);
  EXPECT_EQ(failed.ids.size(), 3u);
  EXPECT_EQ(s.run(greedy_request(prompt_of(1, 20), 5)).ids, alone(greedy_request(prompt_of(1, 20), 5)).ids);
  EXPECT_EQ(s.engine.stats().pages_used, 0u);
  EXPECT_EQ(s.engine.stats().failed, 1u);
}

TEST(Engine, ShortPromptsPassLongOnes) {
  EngineOptions options;
  options.step_tokens_max = 64;
  World s(100, options);
  const RequestId long_one = s.submit(greedy_request(prompt_of(1, 900), 1));
  s.engine.step();
  const RequestId short_one = s.submit(greedy_request(prompt_of(2, 20), 1));
  s.engine.step();
  EXPECT_TRUE(s.answers.get(short_one).finish);
  EXPECT_FALSE(s.answers.get(long_one).finish);
  run_all(s.engine);
  EXPECT_TRUE(s.answers.get(long_one).finish);
}

TEST(Engine, PromptsDoNotStopRunningAnswers) {
  EngineOptions options;
  options.step_tokens_max = 64;
  options.draft_max = 0;
  World s(100, options);
  const RequestId running = s.submit(greedy_request(prompt_of(1, 10), 200));
  s.engine.step();
  s.submit(greedy_request(prompt_of(2, 900), 1));
  for (size_t i = 2; i < 12; ++i) {
    s.engine.step();
    EXPECT_EQ(s.answers.get(running).ids.size(), i);  // one token every step
  }
}

TEST(Engine, EmbedsInOrder) {
  World s;
  Result<Engine::Embeddings> result = make_error(ErrorCode::kInternal, "not called");
  s.engine.embed({{5, 1, 1}, {6}}, [&](Result<Engine::Embeddings> r) { result = std::move(r); });
  run_all(s.engine);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, (Engine::Embeddings{{3, 5}, {1, 6}}));
  for (const auto& bad : {std::vector<std::vector<TokenId>>{{}}, {{99}}, {std::vector<TokenId>(2000, 1)}}) {
    s.engine.embed(bad, [&](Result<Engine::Embeddings> r) { result = std::move(r); });
    run_all(s.engine);
    EXPECT_FALSE(result.ok());
  }
}

}  // namespace
}  // namespace rival::engine
