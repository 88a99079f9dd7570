// For tests: requests to an engine over the fake model, and their answers collected.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/fake_model.h"

namespace rival::engine {

// Token id 0..25 is a letter, 26 the first and 27 the second byte of "é", others "<id>".
class LetterStream : public TextStream {
 public:
  std::string add(TokenId token) override {
    if (token == 26) {
      half_ = true;
      return {};
    }
    const std::string before = std::exchange(half_, false) ? (token == 27 ? "é" : "\uFFFD") : "";
    if (token == 27) return before.empty() ? "\uFFFD" : before;
    return before + (token < 26 ? std::string(1, static_cast<char>('a' + token)) : "<" + std::to_string(token) + ">");
  }
  std::string finish() override { return std::exchange(half_, false) ? "\uFFFD" : ""; }

 private:
  bool half_ = false;
};

inline TextStreamFactory letters() {
  return [](bool) { return std::make_unique<LetterStream>(); };
}

struct Answer {
  std::string text;
  std::vector<TokenId> ids;
  std::vector<SampledToken> tokens;
  std::optional<Finish> finish;
  int finishes = 0;
  std::vector<SampledToken> prompt = {};  // scored
};

// Thread-safe.
class Answers {
 public:
  std::function<void(Output)> sink() {
    return [this](Output output) {
      std::lock_guard lock(mutex_);
      Answer& answer = answers_[{output.request, output.index}];
      answer.text += output.text;
      for (const SampledToken& token : output.tokens) {
        answer.ids.push_back(token.id);
        answer.tokens.push_back(token);
      }
      answer.prompt.insert(answer.prompt.end(), output.prompt.begin(), output.prompt.end());
      if (output.finish) answer.finish = output.finish, ++answer.finishes;
    };
  }
  Answer get(RequestId id, uint32_t index = 0) {
    std::lock_guard lock(mutex_);
    return answers_[{id, index}];
  }
  size_t finished() {
    std::lock_guard lock(mutex_);
    size_t n = 0;
    for (const auto& [key, answer] : answers_) n += answer.finish.has_value();
    return n;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<RequestId, uint32_t>, Answer> answers_;
};

inline std::vector<TokenId> prompt_of(uint64_t seed, size_t n, uint32_t vocabulary = 64) {
  Random random(seed);
  std::vector<TokenId> tokens(n);
  for (TokenId& id : tokens) id = static_cast<TokenId>(random.next_below(vocabulary));
  return tokens;
}

inline Request greedy_request(std::vector<TokenId> prompt, uint32_t max_tokens) {
  Request request;
  request.prompt = std::move(prompt);
  request.sampler.temperature = 0.0f;
  request.max_tokens = max_tokens;
  return request;
}

// Runs steps until nothing is left to do.
inline void run_all(Engine& engine) {
  for (int i = 0; i < 100000; ++i)
    if (!engine.step()) return;
  FAIL() << "the engine does not come to an end";
}

inline EngineOptions with_clock(EngineOptions options, FakeModel& model) {
  options.clock = model.clock();
  return options;
}

// The answer of a fresh engine that has nothing else to do.
inline Answer alone(Request request, EngineOptions options = {}, uint32_t context = 1000) {
  FakeModel model(100, context);
  Engine engine(model, with_clock(std::move(options), model));
  Answers answers;
  request.on_output = answers.sink();
  const auto id = engine.submit(std::move(request));
  EXPECT_TRUE(id.ok());
  run_all(engine);
  return answers.get(*id);
}

}  // namespace rival::engine
