// Random traffic: whatever comes, every answer is the one that it would have been alone, gets exactly one Finish, and
// no page is lost.
#include <gtest/gtest.h>

#include <thread>

#include "engine/engine_test_util.h"

namespace rival::engine {
namespace {

// A few families of prompts with common beginnings.
Request random_request(Random& random) {
  auto prompt = prompt_of(random.next_below(3), 1 + random.next_below(100));
  const auto tail = prompt_of(random.next_u32(), random.next_below(40));
  prompt.insert(prompt.end(), tail.begin(), tail.end());
  Request request = greedy_request(std::move(prompt), random.next_below(60));
  if (random.next_below(2)) {
    request.sampler.temperature = 0.3f;
    request.sampler.seed = random.next_u32();
    request.sampler.repetition_penalty = 1.1f;
  }
  request.n = random.next_below(4) ? 1 : 3;
  request.reuse_prefix = random.next_below(8) > 0;
  return request;
}

Request copy_of(const Request& request) {
  Request copy;
  copy.prompt = request.prompt;
  copy.n = request.n;
  copy.sampler = request.sampler;
  copy.max_tokens = request.max_tokens;
  copy.reuse_prefix = request.reuse_prefix;
  return copy;
}

struct Sent {
  Request request;
  RequestId id;
  bool cancelled = false;
};

void expect_as_alone(const Sent& sent, Answers& answers) {
  FakeModel model(200);
  Engine engine(model, with_clock({}, model));
  Answers expected;
  Request request = copy_of(sent.request);
  request.on_output = expected.sink();
  const RequestId id = *engine.submit(std::move(request));
  run_all(engine);
  for (uint32_t n = 0; n < sent.request.n; ++n) {
    const Answer answer = answers.get(sent.id, n), whole = expected.get(id, n);
    ASSERT_EQ(answer.finishes, 1);
    if (sent.cancelled && answer.finish->reason == FinishReason::kCancelled) {
      ASSERT_LE(answer.ids.size(), whole.ids.size());
      EXPECT_TRUE(std::equal(answer.ids.begin(), answer.ids.end(), whole.ids.begin()));
    } else {
      EXPECT_EQ(answer.ids, whole.ids);
      EXPECT_EQ(answer.finish->reason, whole.finish->reason);
    }
  }
}

class RandomTraffic : public testing::TestWithParam<uint32_t> {};

TEST_P(RandomTraffic, AnswersAsAlone) {
  Random random(GetParam());
  FakeModel model(8 + random.next_below(30), 250);
  EngineOptions options;
  options.sequences_max = 1 + random.next_below(8);
  options.step_tokens_max = 8 + random.next_below(60);
  Engine engine(model, with_clock(options, model));
  Answers answers;
  std::vector<Sent> sent;
  for (int round = 0; round < 150; ++round) {
    if (random.next_below(3) == 0) {
      Request request = random_request(random);
      if (request.prompt.size() + *request.max_tokens >= engine.context_limit()) continue;
      Request copy = copy_of(request);
      request.on_output = answers.sink();
      sent.push_back({std::move(copy), *engine.submit(std::move(request))});
    }
    if (!sent.empty() && random.next_below(10) == 0) {
      Sent& one = sent[random.next_below(static_cast<uint32_t>(sent.size()))];
      one.cancelled = true;
      engine.cancel(one.id);
    }
    for (uint32_t i = random.next_below(4); i > 0; --i) engine.step();
  }
  run_all(engine);
  for (const Sent& one : sent) expect_as_alone(one, answers);
  const EngineStats stats = engine.stats();
  EXPECT_EQ(stats.pages_used, 0u);
  EXPECT_LE(stats.pages_cached, stats.pages);
  EXPECT_EQ(stats.running + stats.waiting, 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTraffic, testing::Range(0u, 40u));

TEST(EngineFailures, AnyStepMayFail) {
  for (uint32_t fail_at = 1; fail_at < 25; ++fail_at) {
    FakeModel model(12, 250);
    model.fail_at = fail_at;
    Engine engine(model, with_clock({}, model));
    Answers answers;
    std::vector<RequestId> ids;
    Random random(fail_at);
    uint32_t expected = 0;
    for (int i = 0; i < 5; ++i) {
      Request request = random_request(random);
      request.on_output = answers.sink();
      expected += request.n;
      ids.push_back(*engine.submit(std::move(request)));
    }
    run_all(engine);
    EXPECT_EQ(answers.finished(), expected);
    EXPECT_EQ(engine.stats().pages_used, 0u);
  }
}

// Threads send and cancel while the engine runs on its own; stop() ends what is left.
TEST(EngineThreads, SendCancelStop) {
  FakeModel model(30, 250);
  model.threads = true;
  Engine engine(model, with_clock({}, model));
  Answers answers;
  std::atomic<uint32_t> expected{0}, embedded{0};
  engine.start();
  {
    std::vector<std::jthread> senders;
    for (uint32_t t = 0; t < 4; ++t) {
      senders.emplace_back([&, t] {
        Random random(t);
        for (int i = 0; i < 12; ++i) {
          Request request = random_request(random);
          request.on_output = answers.sink();
          const uint32_t n = request.n;
          if (auto id = engine.submit(std::move(request)); id.ok()) {
            expected += n;
            if (i % 3 == 0) engine.cancel(*id);
          }
          engine.embed({{1, 2}}, [&](auto result) { embedded += result.ok(); });
          engine.stats();
        }
      });
    }
  }
  for (int i = 0; i < 2000 && answers.finished() < expected; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(answers.finished(), expected);
  Request last = greedy_request({1, 2, 3}, 200);
  last.on_output = answers.sink();
  const RequestId id = *engine.submit(std::move(last));
  engine.stop();
  EXPECT_TRUE(answers.get(id).finish);
  EXPECT_EQ(embedded, 48u);
  EXPECT_EQ(engine.submit(greedy_request({1}, 1)).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(engine.stats().pages_used, 0u);
}

}  // namespace
}  // namespace rival::engine
