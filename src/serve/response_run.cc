#include "serve/response_run.h"

#include <algorithm>
#include <ctime>

#include "base/limits.h"
#include "base/log.h"
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
  json::object queued, begun;
  size_t first_events = 0;
  {
    const std::lock_guard guard(mutex_);
    queued = builder_.response();
    builder_.begin();
    begun = builder_.response();
    first_events = events_.size();
    if (!request_.background) tell(first_events);
  }
  request_.chat.record = record_of(exchange);
  auto started = start_chat(model_, std::move(request_.chat), [self = shared_from_this()](ChatPiece piece) { self->take(std::move(piece)); });
  if (const auto* error = std::get_if<ApiError>(&started)) return respond_error(exchange, named_for_input(*error));
  {
    const std::lock_guard guard(mutex_);
    answer_ = std::get<engine::RequestId>(started);
  }
  if (request_.background) {
    if (const Status kept = keep_first(*db, begun, first_events); !kept.ok()) {
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

Status ResponseRun::keep_first(Connection& db, const json::object& begun, size_t events) {
  std::vector<std::string> first;
  {
    const std::lock_guard guard(mutex_);
    first.assign(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(events));
  }
  RIVAL_RETURN_IF_ERROR(keep_response(db, {owner_, begun}, request_.input, {0, first}));
  tell_kept(events);
  return {};
}

void ResponseRun::take(ChatPiece piece) {
  const std::lock_guard guard(mutex_);
  if (piece.kind == ChatPiece::Kind::kFinish) return finish(*piece.finish, piece.reasoning_tokens);
  builder_.take(std::move(piece));
  if (!request_.background) tell(events_.size());
}

bool ResponseRun::has_news() const {
  const std::lock_guard guard(mutex_);
  return !finished_ && !discarded_ && told_ < events_.size();
}

std::vector<std::string> ResponseRun::news() const { return {events_.begin() + static_cast<std::ptrdiff_t>(told_), events_.end()}; }

Result<size_t> ResponseRun::keep_news(Connection& db) {
  std::vector<std::string> texts;
  size_t first = 0;
  {
    const std::lock_guard guard(mutex_);
    first = told_;
    if (!finished_ && !discarded_) texts = news();
  }
  RIVAL_RETURN_IF_ERROR(add_events(db, id_, {first, texts}));
  return first + texts.size();
}

void ResponseRun::tell_kept(size_t events) {
  const std::lock_guard guard(mutex_);
  for (size_t i = told_; i < events; ++i)
    if (const auto event = parse_json(events_[i]); event.ok()) take_event(shown_, event->get_object());
  tell(events);
}

void ResponseRun::tell(size_t events) {
  told_ = std::max(told_, events);
  pump();
}

// The last event waits until the response is kept.
void ResponseRun::finish(const engine::Finish& finish, uint32_t reasoning_tokens) {
  if (finish.reason == engine::FinishReason::kError) error_ = to_api_error(finish.error);
  if (finish.reason == engine::FinishReason::kCancelled) error_ = to_api_error(make_error(ErrorCode::kCancelled, "the server ends"));
  builder_.finish(finish, reasoning_tokens, cancelled_);
  if (!request_.background) tell(events_.size());
  builder_.conclude();
  finished_ = true;
  const bool kept = request_.store && (request_.background || !error_);
  if (kept) return service_.database().post([self = shared_from_this()](Connection& db) { self->keep(db); });
  // Not here: on the engine's thread the lock is held.
  service_.database().post([self = shared_from_this()](Connection&) { self->conclude(); });
}

void ResponseRun::keep(Connection& db) {
  KeptResponse kept{owner_, {}};
  std::vector<std::string> last;
  size_t first = 0;
  bool wanted = false;
  {
    const std::lock_guard guard(mutex_);
    wanted = !discarded_;
    kept.response = builder_.response();
    first = told_;
    if (request_.background) last = news();
  }
  const Status done = wanted ? keep_response(db, kept, request_.input, {first, last}) : Status();
  if (!done.ok()) {
    const std::lock_guard guard(mutex_);
    error_ = store_error(done.error());
    kept_ = false;
    if (!events_.empty()) events_.pop_back();
    builder_.fail("server_error", done.error().message);
    builder_.conclude();
  }
  conclude();
}

void ResponseRun::conclude() {
  std::vector<Waiter> waiters;
  json::object response;
  bool kept = true;
  {
    const std::lock_guard guard(mutex_);
    ended_ = true;
    kept = kept_;
    shown_ = builder_.response();
    tell(events_.size());
    for (const Stream& stream : streams_) stream.exchange->end();
    streams_.clear();
    waiters.swap(waiters_);
    if (!waiters.empty()) response = builder_.response();
  }
  for (const Waiter& waiter : waiters) {
    if (waiter.wants_status && error_) respond_error(waiter.exchange, *error_);
    else respond_json(waiter.exchange, response);
  }
  // What could not be kept is told from memory as long as the server lives.
  if (request_.background && kept) service_.response_runs().remove(id_);
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
  bool ended = false;
  {
    const std::lock_guard guard(mutex_);
    discarded_ = cancelled_ = true;
    ended = ended_;
  }
  if (ended) return service_.response_runs().remove(id_);
  stop_answer();
}

json::object ResponseRun::snapshot() const {
  const std::lock_guard guard(mutex_);
  return shown_;
}

ResponseRuns::ResponseRuns(Database* database)
    : database_(database), thread_([this] { keep_news(), remove_expired(); }, std::chrono::milliseconds(limits::kResponseNewsMs)) {}

void ResponseRuns::stop() { thread_.stop(); }

void ResponseRuns::set_keep(double seconds) {
  const std::lock_guard guard(mutex_);
  keep_s_ = seconds;
  next_removal_ = {};
}

// All news of all runs in one transaction: one flush of the disk, however many there are.
void ResponseRuns::keep_news() {
  std::vector<std::pair<std::shared_ptr<ResponseRun>, size_t>> runs;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [id, run] : runs_)
      if (run->has_news()) runs.emplace_back(run, 0);
  }
  if (runs.empty()) return;
  database_->wait([&](Connection& db) {
    const Status kept = db.transaction([&]() -> Status {
      for (auto& [run, events] : runs) {
        RIVAL_ASSIGN_OR_RETURN(events, run->keep_news(db));
      }
      return {};
    });
    if (!kept.ok()) return log(LogLevel::kError, "{}", kept.error().message);
    for (const auto& [run, events] : runs) run->tell_kept(events);
  });
}

void ResponseRuns::remove_expired() {
  double keep_s = 0;
  {
    const std::lock_guard guard(mutex_);
    if (!database_ || keep_s_ <= 0 || Clock::now() < next_removal_) return;
    keep_s = keep_s_;
  }
  size_t removed = 0;
  database_->wait([&](Connection& db) {
    const auto count = serve::remove_expired(db, std::time(nullptr) - static_cast<int64_t>(keep_s));
    if (count.ok()) removed = *count;
    else log(LogLevel::kError, "{}", count.error().message);
  });
  if (removed >= limits::kExpiredAtOnceMax) return;  // the next ones soon
  const std::lock_guard guard(mutex_);
  next_removal_ = Clock::now() + std::chrono::seconds(limits::kExpireEveryS);
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
