#include "serve/response_run.h"

#include "serve/response_context.h"
#include "serve/response_store.h"

namespace rival::serve {

std::string event_frame(std::string_view event) {
  // The builder writes the type first.
  constexpr std::string_view kBefore = "{\"type\":\"";
  const std::string_view type = event.substr(kBefore.size(), event.find('"', kBefore.size()) - kBefore.size());
  return fmt::format("event: {}\ndata: {}\n\n", type, event);
}

ResponseRun::ResponseRun(Service& service, std::shared_ptr<ServedModel> model, std::string owner, ResponseRequest request)
    : service_(service),
      model_(std::move(model)),
      owner_(std::move(owner)),
      id_(request.response.at("id").as_string()),
      request_(std::move(request)),
      builder_(request_.response, request_.chat.generation.sampler.want_logprobs ? &model_->tokenizer() : nullptr,
               request_.stream || request_.background ? ResponseBuilder::Emit([this](const json::object& event) {
                 events_.push_back(to_json_text(event));
               })
                                                      : nullptr) {}

void ResponseRun::start(Connection* db, const std::shared_ptr<http::Exchange>& exchange) {
  if (const auto error = prepare_response(db, *model_, owner_, request_)) return respond_error(exchange, *error);
  const json::object queued = snapshot();
  {
    const std::lock_guard guard(mutex_);
    builder_.begin();
    told_ = events_.size();
  }
  request_.chat.record = record_of(exchange);
  auto started = start_chat(model_, std::move(request_.chat), [self = shared_from_this()](ChatPiece piece) { self->take(std::move(piece)); });
  if (const auto* error = std::get_if<ApiError>(&started)) return respond_error(exchange, *error);
  {
    const std::lock_guard guard(mutex_);
    answer_ = std::get<engine::RequestId>(started);
  }
  if (request_.background) {
    if (const Status kept = keep_response(*db, {owner_, snapshot(), ""}, request_.input); !kept.ok()) {
      discard();
      return respond_error(exchange, store_error(kept.error()));
    }
    service_.response_runs().add(shared_from_this());
  } else {
    exchange->on_gone([self = shared_from_this()] { self->stop_answer(); });
  }
  if (request_.stream) return attach(exchange, -1);
  if (request_.background) return respond_json(exchange, queued);
  std::unique_lock lock(mutex_);
  waiters_.push_back({exchange, true});
  if (ended_) lock.unlock(), conclude();
}

void ResponseRun::take(ChatPiece piece) {
  const std::lock_guard guard(mutex_);
  if (piece.kind == ChatPiece::Kind::kFinish) return finish(*piece.finish, piece.reasoning_tokens);
  builder_.take(std::move(piece));
  told_ = events_.size();
  pump();
}

// The last event waits until the response is kept.
void ResponseRun::finish(const engine::Finish& finish, uint32_t reasoning_tokens) {
  if (finish.reason == engine::FinishReason::kError) error_ = to_api_error(finish.error);
  if (finish.reason == engine::FinishReason::kCancelled) error_ = to_api_error(make_error(ErrorCode::kCancelled, "the server ends"));
  builder_.finish(finish, reasoning_tokens, cancelled_);
  told_ = events_.size();
  pump();
  builder_.conclude();
  const bool kept = request_.store && (request_.background || !error_);
  if (kept) return service_.database().post([self = shared_from_this()](Connection& db) { self->keep(db); });
  // Not here: on the engine's thread the lock is held.
  service_.database().post([self = shared_from_this()](Connection&) { self->conclude(); });
}

void ResponseRun::keep(Connection& db) {
  KeptResponse kept{owner_, {}, {}};
  bool wanted = false;
  {
    const std::lock_guard guard(mutex_);
    wanted = !discarded_;
    kept.response = builder_.response();
    if (request_.background) kept.events = fmt::format("{}", fmt::join(events_, "\n"));
  }
  const Status done = wanted ? keep_response(db, kept, request_.input) : Status();
  if (!done.ok()) {
    const std::lock_guard guard(mutex_);
    error_ = store_error(done.error());
    if (!events_.empty()) events_.pop_back();
    builder_.fail("server_error", done.error().message);
    builder_.conclude();
  }
  conclude();
}

void ResponseRun::conclude() {
  std::vector<Waiter> waiters;
  json::object response;
  {
    const std::lock_guard guard(mutex_);
    ended_ = true;
    told_ = events_.size();
    pump();
    for (const Stream& stream : streams_) stream.exchange->end();
    streams_.clear();
    waiters.swap(waiters_);
    if (!waiters.empty()) response = builder_.response();
  }
  for (const Waiter& waiter : waiters) {
    if (waiter.wants_status && error_) respond_error(waiter.exchange, *error_);
    else respond_json(waiter.exchange, response);
  }
  if (request_.background) service_.response_runs().remove(id_);
}

void ResponseRun::pump() {
  for (Stream& stream : streams_)
    for (; stream.next < told_; ++stream.next) stream.exchange->write(event_frame(events_[stream.next]));
}

void ResponseRun::attach(const std::shared_ptr<http::Exchange>& exchange, int64_t after) {
  const std::lock_guard guard(mutex_);
  exchange->begin_stream(200, "text/event-stream", {{"Cache-Control", "no-cache"}});
  streams_.push_back({exchange, static_cast<size_t>(after + 1)});
  pump();
  if (!ended_) return;
  exchange->end();
  streams_.clear();
}

void ResponseRun::stop_answer() {
  std::optional<engine::RequestId> answer;
  {
    const std::lock_guard guard(mutex_);
    answer = answer_;
  }
  if (answer) model_->engine().cancel(*answer);
}

void ResponseRun::cancel(const std::shared_ptr<http::Exchange>& exchange) {
  bool ended = false;
  {
    const std::lock_guard guard(mutex_);
    cancelled_ = true;
    waiters_.push_back({exchange, false});
    ended = ended_;
  }
  if (ended) return conclude();
  stop_answer();
}

void ResponseRun::discard() {
  {
    const std::lock_guard guard(mutex_);
    discarded_ = cancelled_ = true;
  }
  stop_answer();
}

json::object ResponseRun::snapshot() const {
  const std::lock_guard guard(mutex_);
  return builder_.response();
}

void ResponseRuns::add(const std::shared_ptr<ResponseRun>& run) {
  const std::lock_guard guard(mutex_);
  runs_[run->id()] = run;
}

void ResponseRuns::remove(const std::string& id) {
  const std::lock_guard guard(mutex_);
  runs_.erase(id);
}

std::shared_ptr<ResponseRun> ResponseRuns::find(const std::string& owner, const std::string& id) const {
  const std::lock_guard guard(mutex_);
  const auto place = runs_.find(id);
  return place != runs_.end() && place->second->owner() == owner ? place->second : nullptr;
}

}  // namespace rival::serve
