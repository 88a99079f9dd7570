#include "engine/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/prompt_lookup.h"

namespace rival::engine {
namespace {

using model::kPagePositions;

constexpr double kPatience = 3.0;          // a prompt lets pass what comes within this many times its own duration
constexpr double kPromptTokenGuess = 1e-3; // seconds, before anything was measured
constexpr double kPriorityStep = 1e6;      // seconds that one level of priority is worth
constexpr uint32_t kChunkMin = 32;         // prompt tokens of a step, however long it takes
constexpr uint32_t kChunkMinAlone = 128;   // the same while nobody answers: enough to use each weight well
constexpr double kAloneTargets = 8.0;      // step_target_s that a step may then take: new requests and cancels wait
constexpr double kLateShare = 0.25;        // of the longest wait of a prompt, added to step_target_s ...
constexpr double kLateTargets = 3.0;       // ... up to this many times step_target_s
constexpr uint32_t kScoredMax = 32;        // prompt tokens of a step whose rows of logits are wanted, each as long as the vocabulary
constexpr uint32_t kDraftRowsMax = 16;     // rows of a step, answers included, up to which drafts are added

uint32_t pages_for(uint32_t positions) { return (positions + kPagePositions - 1) / kPagePositions; }

bool by_order(const std::unique_ptr<Sequence>& a, const std::unique_ptr<Sequence>& b) { return a->order < b->order; }

bool answering(const Sequence& sequence) { return sequence.started && sequence.remaining() == 1; }

}  // namespace

Scheduler::Scheduler(ForwardModel& model, const EngineOptions& options)
    : model_(model), options_(options), pool_(model.page_count()), tree_(pool_) {}

void Scheduler::add(std::unique_ptr<Sequence> sequence) {
  const double token_s = cost_.prompt_token_seconds() > 0.0 ? cost_.prompt_token_seconds() : kPromptTokenGuess;
  if (sequence->order == 0.0) {
    const auto arrival = sequence->state().submitted.time_since_epoch();
    sequence->order = std::chrono::duration<double>(arrival).count() + kPatience * token_s * sequence->size() -
                      kPriorityStep * sequence->request().priority;
  }
  waiting_.insert(std::upper_bound(waiting_.begin(), waiting_.end(), sequence, by_order), std::move(sequence));
}

StepPlan Scheduler::plan(Clock::time_point now) {
  while (true) {
    admit();
    StepPlan plan;
    plan_answers(plan);
    plan_prompts(plan, now);
    if (!plan.parts.empty() || running_.empty()) return plan;
    // Several prompts hold pages and none can go on.
    if (running_.size() == 1) {
      running_.front()->end(FinishReason::kContext);
      return plan;
    }
    preempt_last();
  }
}

// Pages are promised to admitted prompts before they are taken chunk by chunk; each answer may need one more soon.
bool Scheduler::fits(const Sequence& sequence) const {
  if (running_.empty()) return true;
  uint32_t promised = 0;
  for (const auto& other : running_) {
    const uint32_t wanted = pages_for(other->size() + 1) + 1;
    promised += wanted - std::min<uint32_t>(wanted, static_cast<uint32_t>(other->pages.size()));
  }
  PrefixTree::Known known;
  if (sequence.request().reuse_prefix) known = tree_.known(sequence.tokens().first(sequence.size() - 1));
  const uint32_t wanted = promised + pages_for(sequence.size() + 1) - known.pages + known.unused;
  return pool_.free_count() + pool_.cached_count() >= wanted;
}

void Scheduler::admit() {
  while (!waiting_.empty() && running_.size() < options_.sequences_max && fits(*waiting_.front())) {
    running_.push_back(std::move(waiting_.front()));
    waiting_.erase(waiting_.begin());
  }
}

void Scheduler::plan_answers(StepPlan& plan) {
  const auto answers = static_cast<uint32_t>(
      std::count_if(running_.begin(), running_.end(), [](const auto& s) { return answering(*s); }));
  for (size_t i = 0; i < running_.size(); ++i) {
    if (!answering(*running_[i]) || running_[i]->finished()) continue;
    if (!grow_or_preempt(i, running_[i]->size())) continue;
    Sequence& sequence = *running_[i];
    StepPart part{.sequence = &sequence, .count = 1, .with_draft = make_draft(sequence, plan, answers), .answers = true};
    if (!part.with_draft.empty()) part.count = static_cast<uint32_t>(part.with_draft.size());
    plan.answer_rows += part.count;
    plan.parts.push_back(std::move(part));
  }
}

// Memory is given up by the last admitted. False if running_[index] itself is no longer running or has ended.
bool Scheduler::grow_or_preempt(size_t index, uint32_t positions) {
  while (!grow(*running_[index], positions)) {
    const bool last = index + 1 == running_.size();
    if (last && index == 0) {
      running_[index]->end(FinishReason::kContext);
      return false;
    }
    preempt_last();
    if (last) return false;
  }
  return true;
}

std::vector<TokenId> Scheduler::make_draft(const Sequence& sequence, const StepPlan& plan, uint32_t answers) const {
  const Request& request = sequence.request();
  if (!request.speculate || answers + plan.answer_rows >= kDraftRowsMax + plan.parts.size()) return {};
  uint32_t most = std::min<uint32_t>(options_.draft_max, kDraftRowsMax + static_cast<uint32_t>(plan.parts.size()) -
                                                             answers - plan.answer_rows);
  if (request.max_tokens) most = std::min(most, *request.max_tokens - sequence.completion_tokens() - 1);
  most = std::min(most, sequence.state().context_limit - sequence.size() - 1);
  // No page is taken for a draft: it ends with the page.
  most = std::min<uint32_t>(most, static_cast<uint32_t>(sequence.pages.size()) * kPagePositions - sequence.size());
  const uint32_t length = draft_length(cost_, sequence.draft_trust, answers, most);
  std::vector<TokenId> draft = lookup_draft(sequence.tokens(), length);
  if (!draft.empty()) draft.insert(draft.begin(), sequence.tokens().back());
  return draft;
}

// Seconds that a step with running answers may take: more while prompts wait that came long ago, so that they cannot
// pile up. Each answer then comes more slowly, but all come sooner: more of them share a step.
double Scheduler::target_s(const std::vector<Sequence*>& prompts, Clock::time_point now) const {
  double oldest = 0.0;
  for (const Sequence* prompt : prompts) oldest = std::max(oldest, seconds_between(prompt->state().submitted, now));
  return std::min(options_.step_target_s + kLateShare * oldest, kLateTargets * options_.step_target_s);
}

void Scheduler::plan_prompts(StepPlan& plan, Clock::time_point now) {
  std::vector<Sequence*> prompts;
  for (const auto& sequence : running_)
    if (!answering(*sequence) && !sequence->finished()) prompts.push_back(sequence.get());
  std::stable_sort(prompts.begin(), prompts.end(), [](auto* a, auto* b) { return a->order < b->order; });
  const uint32_t room = options_.step_tokens_max - std::min(options_.step_tokens_max, plan.answer_rows);
  const bool alone = plan.answer_rows == 0;
  uint32_t left = cost_.prompt_budget(plan.answer_rows, alone ? options_.step_target_s * kAloneTargets : target_s(prompts, now),
                                      alone ? kChunkMinAlone : kChunkMin, room);
  for (Sequence* sequence : prompts) {
    if (left == 0) break;
    if (!sequence->started) {
      if (waits_for_other(*sequence)) continue;
      start(*sequence, now);
    }
    uint32_t count = std::min(left, sequence->remaining());
    const bool scored = sequence->scores_prompt();
    if (scored) count = std::min(count, kScoredMax - plan.scored_tokens);
    // A sliver of a long prompt costs more than it brings forward.
    if (count < sequence->remaining() && count < kChunkMin && plan.prompt_tokens > 0) continue;
    while (count > 0 && !grow(*sequence, sequence->computed + count)) {
      const auto covered = static_cast<uint32_t>(sequence->pages.size()) * kPagePositions;
      count = std::min(count, covered - sequence->computed);
    }
    if (count == 0) continue;
    left -= count;
    plan.prompt_tokens += count;
    plan.scored_tokens += scored ? count : 0;
    plan.parts.push_back({.sequence = sequence, .count = count, .answers = count == sequence->remaining()});
  }
}

bool Scheduler::waits_for_other(const Sequence& sequence) const {
  if (!sequence.request().reuse_prefix || sequence.scores_prompt()) return false;
  const auto tokens = sequence.tokens().first(sequence.size() - 1);
  const uint32_t next = (tree_.known(tokens).pages + 1) * kPagePositions;
  if (next > tokens.size()) return false;
  return std::any_of(running_.begin(), running_.end(), [&](const auto& other) {
    return other->started && other->remaining() > 1 && other->request().reuse_prefix && other->size() >= next &&
           std::equal(tokens.begin(), tokens.begin() + next, other->tokens().begin());
  });
}

void Scheduler::start(Sequence& sequence, Clock::time_point now) {
  sequence.started = true;
  sequence.mark_started(now);
  if (!sequence.request().reuse_prefix) return;
  PrefixTree::Match match = tree_.match(sequence.tokens().first(sequence.scores_prompt() ? 0 : sequence.size() - 1));
  sequence.node = match.node;
  sequence.pages = std::move(match.pages);
  sequence.pages_in_tree = static_cast<uint32_t>(sequence.pages.size());
  sequence.computed = sequence.pages_in_tree * kPagePositions;
  if (match.partial_tokens > 0) {
    if (const auto page = take_page()) {
      model_.copy_page(match.partial_page, *page);
      sequence.pages.push_back(*page);
      sequence.computed += match.partial_tokens;
    }
    pool_.release(match.partial_page);
  }
  if (sequence.completion_tokens() == 0) sequence.usage.cached_tokens = sequence.computed;
}

void Scheduler::commit(const StepPart& part, uint32_t count) {
  Sequence& sequence = *part.sequence;
  sequence.computed += count;
  if (!sequence.request().reuse_prefix) return;
  while ((sequence.pages_in_tree + 1) * kPagePositions <= sequence.computed) {
    const uint32_t page = sequence.pages_in_tree++;
    sequence.node = tree_.insert(sequence.node, sequence.tokens().subspan(page * kPagePositions, kPagePositions),
                                 &sequence.pages[page]);
  }
}

Sequence* Scheduler::fork(const Sequence& leader, std::unique_ptr<Sequence> follower) {
  const uint32_t full = leader.computed / kPagePositions;
  const bool partial = leader.computed % kPagePositions != 0;
  std::optional<PageId> copy;
  if (running_.size() < options_.sequences_max && partial) copy = take_page();
  if (running_.size() >= options_.sequences_max || (partial && !copy)) {
    add(std::move(follower));
    return nullptr;
  }
  follower->pages.assign(leader.pages.begin(), leader.pages.begin() + full);
  for (const PageId page : follower->pages) pool_.retain(page);
  if (copy) {
    model_.copy_page(leader.pages[full], *copy);
    follower->pages.push_back(*copy);
  }
  follower->computed = leader.computed;
  follower->node = leader.node;
  follower->pages_in_tree = leader.pages_in_tree;
  follower->started = true;
  follower->usage.cached_tokens = leader.computed;
  running_.push_back(std::move(follower));
  return running_.back().get();
}

void Scheduler::for_each(const std::function<void(Sequence&)>& visit) {
  for (auto* list : {&running_, &waiting_}) {
    for (auto& sequence : *list) {
      visit(*sequence);
      for (auto& follower : sequence->followers) visit(*follower);
    }
  }
}

std::vector<std::unique_ptr<Sequence>> Scheduler::take_finished() {
  std::vector<std::unique_ptr<Sequence>> finished;
  std::vector<std::unique_ptr<Sequence>> orphans;
  for (auto* list : {&running_, &waiting_}) {
    for (auto& sequence : *list) {
      auto& followers = sequence->followers;
      for (auto& follower : followers)
        if (follower->finished()) finished.push_back(std::move(follower));
      std::erase(followers, nullptr);
      if (!sequence->finished()) continue;
      std::move(followers.begin(), followers.end(), std::back_inserter(orphans));
      followers.clear();
      release(*sequence);
      finished.push_back(std::move(sequence));
    }
    std::erase(*list, nullptr);
  }
  for (auto& orphan : orphans) add(std::move(orphan));
  return finished;
}

std::optional<PageId> Scheduler::take_page() {
  if (pool_.free_count() == 0) tree_.evict_one();
  return pool_.allocate();
}

bool Scheduler::grow(Sequence& sequence, uint32_t positions) {
  while (sequence.pages.size() * kPagePositions < positions) {
    const auto page = take_page();
    if (!page) return false;
    sequence.pages.push_back(*page);
  }
  return true;
}

void Scheduler::preempt_last() {
  std::unique_ptr<Sequence> sequence = std::move(running_.back());
  running_.pop_back();
  release(*sequence);
  ++preemptions_;
  add(std::move(sequence));
}

// What was computed stays in the tree until the memory is wanted, a partly filled last page too.
void Scheduler::release(Sequence& sequence) {
  const uint32_t full = sequence.computed / kPagePositions, rest = sequence.computed % kPagePositions;
  if (rest > 0 && sequence.node && sequence.pages_in_tree == full)
    tree_.insert(sequence.node, sequence.tokens().subspan(full * kPagePositions, rest), &sequence.pages[full]);
  for (const PageId page : sequence.pages) pool_.release(page);
  sequence.pages.clear();
  sequence.computed = sequence.pages_in_tree = 0;
  sequence.node = nullptr;
  sequence.started = false;
}

}  // namespace rival::engine
