// Running a model for many at once. Requests of token ids come in from any thread; each step computes a batch of
// slices of their sequences: one or a few tokens of every sequence that answers, and chunks of waiting prompts up to
// a budget, so that no prompt, however long, holds up a running answer for long.
//
// Invariants
//   1. The answer to a request does not depend on other requests, on chunks, on speculation or on preemption.
//   2. KV pages never exceed the budget. A sequence without pages waits; a running one gives its pages up and is
//      computed again later.
//   3. Every submitted request gets exactly one Finish for each of its n answers, whatever fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/forward_model.h"
#include "engine/request.h"
#include "engine/text_stream.h"

namespace rival::engine {

struct EngineOptions {
  uint32_t context = 0;                     // longest prompt and answer together; 0 = as trained; at most the pages
  uint32_t sequences_max = 64;              // computed together in one step
  uint32_t waiting_max = 4096;              // requests; submit() refuses more with kLimit
  uint32_t step_tokens_max = 512;           // of all slices of a step, logits rows at most this many too
  double step_target_s = 0.05;              // a step with running answers takes prompt chunks up to about this time
  uint32_t draft_max = 8;                   // longest draft of prompt lookup; 0 = off
  std::vector<text::TokenId> end_of_generation = {};  // of the model
  TextStreamFactory text_stream = {};       // absent = outputs carry ids only
  std::function<std::chrono::steady_clock::time_point()> clock = {};  // absent = the real one; tests have their own
};

// Numbers since the start unless said otherwise.
struct EngineStats {
  uint32_t running = 0, waiting = 0;  // now, answers
  uint32_t pages = 0;                 // the budget
  uint32_t pages_used = 0;            // now, by running answers
  uint32_t pages_cached = 0;          // now, kept for reuse only
  uint64_t bytes_per_page = 0;
  uint64_t requests = 0, finished = 0, cancelled = 0, failed = 0;
  uint64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0;
  uint64_t drafted_tokens = 0, accepted_tokens = 0;
  uint64_t preemptions = 0;
  uint64_t steps = 0;
  double step_s = 0;                  // sum over steps
};

class Engine {
 public:
  // `model` outlives the engine.
  Engine(ForwardModel& model, EngineOptions options);
  ~Engine();  // stop()
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Steps run on a thread of the engine from here on, which sleeps while there is nothing to do.
  void start();
  // Ends the thread after the step under way; every unfinished request ends with kCancelled, which is told on the
  // caller's thread. Idempotent. Not from on_output.
  void stop();
  // Without start(): one step on the caller's thread. False if there was nothing to do.
  bool step();

  // Any thread. Errors, none of which calls on_output: kInvalidArgument names the field; kLimit for a prompt of
  // context_limit() tokens or more, and for a full queue; kCancelled after stop().
  Result<RequestId> submit(Request request);

  // Any thread. The request's answers, or one of them, end with kCancelled and their pages are free before the next
  // step. Unknown or finished ids are ignored.
  void cancel(RequestId id, std::optional<uint32_t> index = {});

  // Any thread. One vector an input, in order; `done` is called on the engine's thread.
  using Embeddings = std::vector<std::vector<float>>;
  void embed(std::vector<std::vector<text::TokenId>> inputs, std::function<void(Result<Embeddings>)> done);

  // Longest prompt and answer together, in tokens.
  uint32_t context_limit() const;
  const EngineOptions& options() const;
  EngineStats stats() const;  // any thread; as of the last step

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rival::engine
