#include "engine/engine.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "base/check.h"
#include "engine/embedding_queue.h"
#include "engine/prompt_lookup.h"
#include "engine/request_check.h"
#include "engine/scheduler.h"

namespace rival::engine {
namespace {

EngineOptions bounded(EngineOptions options, const ForwardModel& model) {
  const uint64_t positions = uint64_t{model.page_count()} * model::kPagePositions;
  uint64_t context = options.context > 0 ? options.context : model.context_length();
  options.context = static_cast<uint32_t>(std::min(context, positions));
  options.step_tokens_max = std::max(1u, options.step_tokens_max);
  options.sequences_max = std::clamp(options.sequences_max, 1u, options.step_tokens_max);
  if (!options.clock) options.clock = [] { return Clock::now(); };
  std::sort(options.end_of_generation.begin(), options.end_of_generation.end());
  return options;
}

// An answer, or all of a request.
using Cancelled = std::pair<RequestId, std::optional<uint32_t>>;

}  // namespace

struct Engine::Impl {
  Impl(ForwardModel& model, EngineOptions given)
      : model(model), options(bounded(std::move(given), model)), scheduler(model, options), embeddings(model) {}

  bool step();
  bool take_news();
  void run();
  void forward(StepPlan& plan, Clock::time_point begin);
  void fail(StepPlan& plan, const Error& error);
  void sample(StepPlan& plan);
  void tell();
  void retire();
  void end_all();
  void publish(double step_s);

  ForwardModel& model;         // constant; used by the stepping thread only
  const EngineOptions options;

  // ---- the stepping thread's ----
  Scheduler scheduler;
  EmbeddingQueue embeddings;
  std::vector<float> logits;
  EngineStats counted;

  // ---- guarded by mutex ----
  mutable std::mutex mutex;
  std::condition_variable news;  // something below is for the stepping thread
  std::vector<std::unique_ptr<Sequence>> submitted;
  std::vector<Cancelled> cancelled;
  std::vector<EmbeddingJob> embedding_jobs;
  uint32_t queue_length = 0;     // answers that have not begun; submitted ones included
  RequestId next_id = 1;
  bool stopping = false;
  std::mt19937_64 seeds{std::random_device{}()};
  EngineStats published;

  std::thread thread;  // of start(); only the owner of the engine touches it
};

Engine::Engine(ForwardModel& model, EngineOptions options) : impl_(std::make_unique<Impl>(model, std::move(options))) {}

Engine::~Engine() { stop(); }

uint32_t Engine::context_limit() const { return impl_->options.context; }

const EngineOptions& Engine::options() const { return impl_->options; }

EngineStats Engine::stats() const {
  std::lock_guard lock(impl_->mutex);
  EngineStats stats = impl_->published;
  stats.waiting = impl_->queue_length;
  return stats;
}

Result<RequestId> Engine::submit(Request request) {
  Impl& impl = *impl_;
  const Clock::time_point now = impl.options.clock();
  RIVAL_RETURN_IF_ERROR(check_request(request, impl.options, impl.model.vocabulary_size()));
  const uint32_t answers = request.n;
  PreparedRequest prepared = prepare_request(std::move(request), impl.options);
  auto state = prepared.state;
  state->submitted = now;
  std::lock_guard lock(impl.mutex);
  if (impl.stopping) return make_error(ErrorCode::kCancelled, "the engine has stopped");
  if (impl.queue_length + answers > impl.options.waiting_max)
    return make_error(ErrorCode::kLimit, "{} answers wait already; at most {} may", impl.queue_length,
                      impl.options.waiting_max);
  state->id = impl.next_id++;
  const uint64_t seed = state->request.sampler.seed ? *state->request.sampler.seed : impl.seeds();
  impl.queue_length += answers;
  impl.submitted.push_back(make_sequences(std::move(prepared), seed, impl.options));
  impl.news.notify_one();
  return state->id;
}

void Engine::cancel(RequestId id, std::optional<uint32_t> index) {
  std::lock_guard lock(impl_->mutex);
  impl_->cancelled.push_back({id, index});
  impl_->news.notify_one();
}

void Engine::embed(std::vector<std::vector<TokenId>> inputs, std::function<void(Result<Embeddings>)> done) {
  {
    std::lock_guard lock(impl_->mutex);
    if (!impl_->stopping) {
      impl_->embedding_jobs.push_back({std::move(inputs), std::move(done), {}});
      impl_->news.notify_one();
      return;
    }
  }
  done(make_error(ErrorCode::kCancelled, "the engine has stopped"));
}

void Engine::start() {
  RIVAL_CHECK(!impl_->thread.joinable(), "started twice");
  impl_->thread = std::thread([this] { impl_->run(); });
}

void Engine::stop() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->news.notify_one();
  }
  if (impl_->thread.joinable()) impl_->thread.join();
  impl_->end_all();
}

bool Engine::step() { return impl_->step(); }

void Engine::Impl::run() {
  while (true) {
    {
      std::unique_lock lock(mutex);
      if (scheduler.idle() && embeddings.empty())
        news.wait(lock, [&] { return stopping || !submitted.empty() || !cancelled.empty() || !embedding_jobs.empty(); });
      if (stopping) return;
    }
    step();
  }
}

bool Engine::Impl::step() {
  const bool news_taken = take_news();
  retire();
  const bool embedded = embeddings.step(options.step_tokens_max);
  const Clock::time_point begin = options.clock();
  StepPlan plan = scheduler.plan(begin);
  if (!plan.parts.empty()) {
    forward(plan, begin);
    ++counted.steps;
  }
  const bool worked = !plan.parts.empty();
  tell();
  retire();
  publish(worked ? seconds_between(begin, options.clock()) : 0.0);
  return news_taken || embedded || worked;
}

// Takes over what other threads left. False if there was nothing.
bool Engine::Impl::take_news() {
  std::vector<std::unique_ptr<Sequence>> added;
  std::vector<Cancelled> ended;
  std::vector<EmbeddingJob> jobs;
  {
    std::lock_guard lock(mutex);
    added.swap(submitted);
    ended.swap(cancelled);
    jobs.swap(embedding_jobs);
  }
  for (auto& sequence : added) {
    ++counted.requests;
    scheduler.add(std::move(sequence));
  }
  for (auto& job : jobs) embeddings.add(std::move(job));
  std::sort(ended.begin(), ended.end());
  if (!ended.empty())
    scheduler.for_each([&](Sequence& sequence) {
      const RequestId id = sequence.state().id;
      if (std::binary_search(ended.begin(), ended.end(), Cancelled{id, {}}) || std::binary_search(ended.begin(), ended.end(), Cancelled{id, sequence.index()}))
        sequence.end(FinishReason::kCancelled);
    });
  if (!ended.empty()) tell();
  return !added.empty() || !ended.empty() || !jobs.empty();
}

void Engine::Impl::forward(StepPlan& plan, Clock::time_point begin) {
  std::vector<model::SequenceSlice> slices;
  for (const StepPart& part : plan.parts)
    slices.push_back({.tokens = part.tokens(), .position = part.sequence->computed, .pages = part.sequence->pages,
                      .logits_count = part.rows()});
  if (Status status = model.forward(slices, logits); !status.ok()) return fail(plan, status.error());
  scheduler.cost().observe(plan.answer_rows, plan.prompt_tokens, seconds_between(begin, options.clock()));
  sample(plan);
}

void Engine::Impl::fail(StepPlan& plan, const Error& error) {
  for (StepPart& part : plan.parts) part.sequence->end(FinishReason::kError, error);
}

// Every answering part takes its tokens from its rows; so does every answer that follows it, from the same row.
void Engine::Impl::sample(StepPlan& plan) {
  struct Task {
    Sequence* sequence;
    std::span<float> rows;
    std::vector<float> own_rows;  // of a follower
    const StepPart* part;         // null for a follower
    uint32_t right = 0;           // drafted tokens that were right
  };
  const Clock::time_point now = options.clock();
  const size_t width = model.vocabulary_size();
  std::vector<Task> tasks;
  size_t row = 0;
  for (const StepPart& part : plan.parts) {
    Sequence& sequence = *part.sequence;
    std::span<float> rows(logits.data() + row * width, part.rows() * width);
    row += part.rows();
    if (sequence.scores_prompt()) {
      sequence.score_prompt(rows, part.count);
      if (part.answers) rows = rows.last(width);
    }
    if (part.with_draft.empty()) scheduler.commit(part, part.count);
    if (!part.answers) continue;
    sequence.mark_prefilled(now);
    for (auto& follower : std::exchange(sequence.followers, {})) {
      follower->mark_started(now);
      follower->mark_prefilled(now);
      if (Sequence* forked = scheduler.fork(sequence, std::move(follower)))
        tasks.push_back({forked, {}, {rows.begin(), rows.end()}, nullptr});
    }
    tasks.push_back({&sequence, rows, {}, &part});
  }
  model.for_each(tasks.size(), [&](size_t i) {
    Task& task = tasks[i];
    if (task.sequence->request().max_tokens == 0u) return task.sequence->end(FinishReason::kLength);
    if (!task.part) task.rows = task.own_rows;
    task.right = task.sequence->advance_over(task.rows, task.part ? task.part->draft() : std::span<const TokenId>());
  });
  for (const Task& task : tasks) {
    if (!task.part) continue;
    const auto drafted = static_cast<uint32_t>(task.part->draft().size());
    if (drafted > 0) scheduler.commit(*task.part, 1 + task.right);
    task.sequence->draft_trust = updated_trust(task.sequence->draft_trust, drafted, task.right);
  }
}

// Passes the news of every sequence on.
void Engine::Impl::tell() {
  const Clock::time_point now = options.clock();
  std::vector<std::pair<const Request*, Output>> outputs;
  scheduler.for_each([&](Sequence& sequence) {
    if (auto output = sequence.take_output(now)) outputs.emplace_back(&sequence.request(), std::move(*output));
  });
  for (auto& [request, output] : outputs)
    if (request->on_output) request->on_output(std::move(output));
}

// Lets go of finished sequences.
void Engine::Impl::retire() {
  for (const auto& sequence : scheduler.take_finished()) {
    const Usage& usage = sequence->usage;
    const FinishReason reason = sequence->reason();
    ++counted.finished;
    if (reason == FinishReason::kCancelled) ++counted.cancelled;
    if (reason == FinishReason::kError) ++counted.failed;
    counted.prompt_tokens += usage.prompt_tokens;
    counted.cached_tokens += usage.cached_tokens;
    counted.completion_tokens += usage.completion_tokens;
    counted.drafted_tokens += usage.drafted_tokens;
    counted.accepted_tokens += usage.accepted_tokens;
  }
}

void Engine::Impl::publish(double step_s) {
  uint32_t waiting = 0;
  scheduler.for_each([&](Sequence& sequence) { waiting += sequence.started ? 0 : 1; });
  counted.step_s += step_s;
  counted.running = scheduler.running();
  counted.pages = scheduler.pool().page_count();
  counted.pages_cached = scheduler.pool().cached_count();
  counted.pages_used = counted.pages - counted.pages_cached - scheduler.pool().free_count();
  counted.bytes_per_page = model.bytes_per_page();
  counted.preemptions = scheduler.preemptions();
  std::lock_guard lock(mutex);
  for (const auto& sequence : submitted) waiting += sequence->request().n;
  queue_length = waiting;
  published = counted;
}

void Engine::Impl::end_all() {
  take_news();
  scheduler.for_each([](Sequence& sequence) { sequence.end(FinishReason::kCancelled); });
  tell();
  retire();
  embeddings.fail_all(make_error(ErrorCode::kCancelled, "the engine has stopped"));
  publish(0.0);
}

}  // namespace rival::engine
