// Which sequences compute what in the next step, and on which KV pages.
//
// A step takes the last token (and a draft) of every sequence that answers, then prompt chunks up to a budget that
// keeps the step short for those that answer. Prompts go by `order`: arrival plus a few times the time that they will
// take, so a short prompt passes a long one that came just before, but none is passed for ever. A prompt whose next
// page another one is just computing waits for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/sequence.h"
#include "engine/step_cost.h"

namespace rival::engine {

struct StepPart {
  Sequence* sequence = nullptr;
  uint32_t count = 0;                 // tokens from sequence->computed on, draft included
  std::vector<TokenId> with_draft = {};  // the last token and the draft, if there is one
  bool answers = false;               // its last token is computed: a token is sampled

  std::span<const TokenId> tokens() const {
    return with_draft.empty() ? sequence->tokens().subspan(sequence->computed, count)
                              : std::span<const TokenId>(with_draft);
  }
  std::span<const TokenId> draft() const {
    return with_draft.empty() ? std::span<const TokenId>() : std::span(with_draft).subspan(1);
  }
  // Rows of logits that it needs: the last ones.
  uint32_t rows() const {
    if (sequence->scores_prompt()) return count;
    return answers ? 1 + static_cast<uint32_t>(draft().size()) : 0;
  }
};

struct StepPlan {
  std::vector<StepPart> parts;
  uint32_t answer_rows = 0;    // tokens of sequences that answered before this step, drafts included
  uint32_t prompt_tokens = 0;
  uint32_t scored_tokens = 0;  // those of prompt_tokens whose rows of logits are wanted
};

// Not thread-safe.
class Scheduler {
 public:
  Scheduler(ForwardModel& model, const EngineOptions& options);

  void add(std::unique_ptr<Sequence> sequence);

  // Admits, shares, allocates and, where memory is out, preempts. Empty if nothing can be computed now. A sequence
  // that cannot ever go on ends with kContext.
  StepPlan plan(Clock::time_point now);

  // The first `count` tokens of the part are computed; full pages go into the prefix tree.
  void commit(const StepPart& part, uint32_t count);

  // Lets the leader's follower answer from the leader's prompt, which is just computed. False if it has to wait for
  // pages or for its turn like a new one.
  Sequence* fork(const Sequence& leader, std::unique_ptr<Sequence> follower);

  // Calls visit for every sequence: running, waiting and following.
  void for_each(const std::function<void(Sequence&)>& visit);

  // Removes finished sequences; their pages are free or cached.
  std::vector<std::unique_ptr<Sequence>> take_finished();

  bool idle() const { return running_.empty() && waiting_.empty(); }
  uint32_t running() const { return static_cast<uint32_t>(running_.size()); }
  uint32_t waiting() const { return static_cast<uint32_t>(waiting_.size()); }
  uint64_t preemptions() const { return preemptions_; }
  StepCost& cost() { return cost_; }
  const PagePool& pool() const { return pool_; }
  PrefixTree& tree() { return tree_; }

 private:
  void admit();
  bool fits(const Sequence& sequence) const;
  void plan_answers(StepPlan& plan);
  double target_s(const std::vector<Sequence*>& prompts, Clock::time_point now) const;
  void plan_prompts(StepPlan& plan, Clock::time_point now);
  std::vector<TokenId> make_draft(const Sequence& sequence, const StepPlan& plan, uint32_t answers) const;
  bool waits_for_other(const Sequence& sequence) const;
  void start(Sequence& sequence, Clock::time_point now);
  bool grow(Sequence& sequence, uint32_t positions);
  bool grow_or_preempt(size_t index, uint32_t positions);
  std::optional<PageId> take_page();
  void preempt_last();
  void release(Sequence& sequence);

  ForwardModel& model_;
  const EngineOptions& options_;
  PagePool pool_;
  PrefixTree tree_;
  StepCost cost_;
  std::vector<std::unique_ptr<Sequence>> running_;  // in the order of admission
  std::vector<std::unique_ptr<Sequence>> waiting_;  // by order
  uint64_t preemptions_ = 0;
};

}  // namespace rival::engine
