// One answer in the making: its tokens, the KV pages it stands on, and how a row of logits becomes the next piece of
// text.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/prefix_tree.h"
#include "engine/request.h"
#include "engine/sampler.h"
#include "engine/stop_text.h"
#include "engine/text_stream.h"

namespace rival::engine {

using Clock = std::chrono::steady_clock;

inline double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

// What all answers of a request share; constant after submit().
struct RequestState {
  RequestId id = 0;
  Request request;                       // without the constraint and the prompt: sequences have their own
  std::vector<TokenId> ending;           // sorted: tokens that end an answer
  uint32_t context_limit = 0;
  uint32_t truncated_tokens = 0;
  Clock::time_point submitted;
};

class Sequence {
 public:
  Sequence(std::shared_ptr<const RequestState> state, uint32_t index, std::vector<TokenId> prompt, uint64_t seed,
           std::unique_ptr<TokenConstraint> constraint, std::unique_ptr<TextStream> text);

  // ---- tokens ----
  const RequestState& state() const { return *state_; }
  const Request& request() const { return state_->request; }
  uint32_t index() const { return index_; }
  std::span<const TokenId> tokens() const { return tokens_; }
  uint32_t size() const { return static_cast<uint32_t>(tokens_.size()); }
  uint32_t prompt_size() const { return prompt_size_; }
  uint32_t completion_tokens() const { return size() - prompt_size_; }

  // ---- sampling: one thread at a time, any thread ----
  // Takes the next token from one row of logits (scratch afterwards). False if the answer is finished with it.
  bool advance(std::span<float> logits);
  // advance() over the rows of the last token and of the draft, as long as the draft is right. Returns the number of
  // draft tokens that were.
  uint32_t advance_over(std::span<float> rows, std::span<const TokenId> draft);
  // Whether tokens of the prompt wait to be scored, and their scores from the rows of the positions from `computed` on.
  bool scores_prompt() const { return request().score_prompt && index_ == 0 && !told_prompt_ && scores_.size() < prompt_size_; }
  void score_prompt(std::span<const float> rows, uint32_t count);
  // Ends the answer, unless it has ended.
  void end(FinishReason reason, Error error = {});

  bool finished() const { return finish_.has_value(); }
  FinishReason reason() const { return finish_->reason; }  // REQUIRES finished()

  // The news since the last call; with the Finish if the answer has ended. Nullopt if there is none.
  std::optional<Output> take_output(Clock::time_point now);

  // ---- the scheduler's ----
  std::vector<PageId> pages;               // cover at least `computed` positions
  uint32_t computed = 0;                   // positions whose keys and values lie in pages; < size()
  PrefixTree::Node* node = nullptr;        // of the last full page that is in the tree; null = none yet
  uint32_t pages_in_tree = 0;
  bool started = false;                    // has looked into the prefix tree
  double order = 0;                        // of waiting and of prefill, smaller first
  uint32_t remaining() const { return size() - computed; }  // 1 = only the last token: it answers
  double draft_trust = 0.5;                // running share of drafted tokens that were right
  std::vector<std::unique_ptr<Sequence>> followers;  // answers that wait for this one's prompt (n > 1)
  Usage usage;

  void mark_started(Clock::time_point now);
  void mark_prefilled(Clock::time_point now);

 private:
  struct Pending {
    SampledToken token;
    size_t begin;  // of its text in the answer
    size_t end;
  };

  Result<SampledToken> sample(std::span<float> logits);
  bool may_not_end() const;
  bool must_end() const;
  void accept(SampledToken token);
  void take_tokens(Output& output, bool all);
  Timings timings(Clock::time_point now) const;

  std::shared_ptr<const RequestState> state_;
  uint32_t index_;
  std::vector<TokenId> tokens_;
  uint32_t prompt_size_;
  Sampler sampler_;
  std::unique_ptr<TokenConstraint> constraint_;  // may be null
  std::vector<uint32_t> allowed_;                // scratch of the constraint
  std::unique_ptr<TextStream> text_;             // may be null
  StopText stop_;
  std::vector<SampledToken> scores_;             // of the prompt, if they are wanted
  std::deque<Pending> pending_;                  // tokens whose text is held back
  std::optional<Finish> finish_;
  bool told_finish_ = false, told_prompt_ = false;
  std::optional<Clock::time_point> started_at_, prefilled_at_, first_token_at_;
};

}  // namespace rival::engine
