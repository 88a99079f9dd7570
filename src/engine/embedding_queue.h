// Texts that wait for their embedding vectors.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "engine/engine.h"

namespace rival::engine {

struct EmbeddingJob {
  std::vector<std::vector<text::TokenId>> inputs;
  std::function<void(Result<Engine::Embeddings>)> done;
  Engine::Embeddings vectors;  // so far
};

// Not thread-safe.
class EmbeddingQueue {
 public:
  explicit EmbeddingQueue(ForwardModel& model) : model_(model) {}

  // A job with an input that cannot be computed is done at once, with an error.
  void add(EmbeddingJob job);
  // Computes inputs of the first job, together at most tokens_max tokens or a single input. False if none waits.
  bool step(uint32_t tokens_max);
  void fail_all(const Error& error);
  bool empty() const { return jobs_.empty(); }

 private:
  Status compute(EmbeddingJob& job, uint32_t tokens_max);

  ForwardModel& model_;
  std::deque<EmbeddingJob> jobs_;
};

}  // namespace rival::engine
