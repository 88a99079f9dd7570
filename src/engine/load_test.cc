// Many streams that ask again as soon as they are answered, in the fake model's time: how long prompts and answers wait.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/engine_test_util.h"

namespace rival::engine {
namespace {

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0.0 : values[std::min(values.size() - 1, static_cast<size_t>(q * static_cast<double>(values.size())))];
}

// In turn a short prompt, a short one behind a long one that all share, and a long one of its own.
class ClosedLoop {
 public:
  explicit ClosedLoop(uint32_t streams) : model_(6000, 2000), streams_(streams), engine_(model_, with_clock({}, model_)) {
    // About SmolLM2-135M on two cores of 2026.
    model_.step_us = 1500;
    model_.token_us = 300;
  }

  void run(double seconds) {
    const double begin = now();
    for (uint32_t i = 0; i < streams_.size(); ++i) ask(i, i);
    while (now() < begin + seconds) {
      if (!warm_ && now() > begin + seconds / 3) {
        warm_ = true;
        firsts_.clear();
        gaps_.clear();
        tokens_ = 0;
        seconds_ = now();
      }
      engine_.step();
    }
    seconds_ = now() - seconds_;
    over_ = true;
  }

  double first_p50() const { return quantile(firsts_, 0.5); }
  double first_p95() const { return quantile(firsts_, 0.95); }
  double gap_p95() const { return quantile(gaps_, 0.95); }
  double tokens_per_s() const { return static_cast<double>(tokens_) / seconds_; }

 private:
  struct Stream {
    double asked = 0, last = 0, gap = 0;
  };

  double now() { return std::chrono::duration<double>(model_.clock()().time_since_epoch()).count(); }

  void ask(uint32_t i, uint32_t turn) {
    static const std::vector<TokenId> shared = prompt_of(7, 1000);
    std::vector<TokenId> prompt;
    if (turn % 3 == 1) prompt = shared;
    const std::vector<TokenId> own = prompt_of(1000 * turn + i, turn % 3 == 2 ? 600 : 36);
    prompt.insert(prompt.end(), own.begin(), own.end());
    Request request = greedy_request(std::move(prompt), 32 + (turn * 37 + i * 11) % 65);
    request.sampler.temperature = 2.0f;
    request.sampler.seed = i;
    request.speculate = false;
    request.on_output = [this, i, turn](Output output) { take(i, turn, output); };
    streams_[i] = {now(), 0, 0};
    ASSERT_TRUE(engine_.submit(std::move(request)).ok());
  }

  void take(uint32_t i, uint32_t turn, const Output& output) {
    Stream& stream = streams_[i];
    tokens_ += output.tokens.size();
    if (stream.last == 0) {
      firsts_.push_back(now() - stream.asked);
    } else {
      stream.gap = std::max(stream.gap, now() - stream.last);
    }
    stream.last = now();
    if (!output.finish || over_) return;
    gaps_.push_back(stream.gap);
    ask(i, turn + 1);
  }

  FakeModel model_;
  std::vector<Stream> streams_;
  std::vector<double> firsts_, gaps_;
  uint64_t tokens_ = 0;
  double seconds_ = 0;
  bool over_ = false, warm_ = false;
  Engine engine_;
};

// A prompt of 600 tokens takes 0.18 s by itself; 64 streams that each get an equal share wait 90 ms for every token.
TEST(Load, PromptsAndAnswersWaitLittleAtAnyNumberOfStreams) {
  struct Row {
    uint32_t streams;
    double tokens_per_s, first_p50_s, first_p95_s, gap_p95_s;
  };
  for (const Row& row : {Row{1, 340, 0.02, 0.19, 0.003}, Row{4, 570, 0.02, 0.21, 0.09}, Row{16, 680, 0.06, 0.4, 0.16}, Row{64, 700, 0.4, 1.2, 0.16}}) {
    ClosedLoop loop(row.streams);
    loop.run(120);
    EXPECT_GT(loop.tokens_per_s(), row.tokens_per_s) << row.streams;
    EXPECT_LT(loop.first_p50(), row.first_p50_s) << row.streams;
    EXPECT_LT(loop.first_p95(), row.first_p95_s) << row.streams;
    EXPECT_LT(loop.gap_p95(), row.gap_p95_s) << row.streams;
  }
}

}  // namespace
}  // namespace rival::engine
