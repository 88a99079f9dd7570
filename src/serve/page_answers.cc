#include "serve/page_answers.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/limits.h"
#include "base/log.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

namespace rival::serve {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kFlushEvery = std::chrono::milliseconds(16);  // a frame of a screen
constexpr auto kBeatEvery = std::chrono::seconds(15);

double ms(double seconds) { return std::round(seconds * 1e5) / 100; }

}  // namespace

size_t utf16_length(std::string_view utf8) {
  size_t units = 0;
  for (unsigned char c : utf8) units += (c & 0xC0) != 0x80 ? (c >= 0xF0 ? 2 : 1) : 0;
  return units;
}

json::object page_usage(const engine::Usage& u) {
  return {{"prompt_tokens", u.prompt_tokens}, {"cached_tokens", u.cached_tokens}, {"completion_tokens", u.completion_tokens}};
}

json::object page_timings(const engine::Finish& finish) {
  const engine::Timings& t = finish.timings;
  const uint32_t steps = finish.usage.completion_tokens > 1 ? finish.usage.completion_tokens - 1 : 0;
  return {{"queue_ms", ms(t.queue_s)},
          {"first_token_ms", ms(t.first_token_s)},
          {"total_ms", ms(t.total_s)},
          {"tokens_per_s", t.decode_s > 0 ? std::round(steps / t.decode_s * 10) / 10 : 0}};
}

std::string page_state(const engine::Finish& finish, bool stopped) {
  switch (finish.reason) {
    case engine::FinishReason::kStop: return "done";
    case engine::FinishReason::kLength: return "length";
    case engine::FinishReason::kContext: return "context";
    case engine::FinishReason::kCancelled: return stopped ? "stopped" : "interrupted";
    case engine::FinishReason::kError: break;
  }
  return "error";
}

json::array page_token_views(const text::Tokenizer& tokenizer, const std::vector<engine::SampledToken>& tokens) {
  const auto view = [&](text::TokenId id, double logprob) {
    return json::object{{"text", text::replace_invalid_utf8(tokenizer.token_bytes(id))}, {"logprob", std::round(std::max(logprob, -9999.0) * 1e4) / 1e4}};
  };
  json::array out;
  for (const engine::SampledToken& token : tokens) {
    json::object row = view(token.id, token.logprob.value_or(-9999.0f));
    json::array top;
    for (const engine::TokenProbability& other : token.top) top.push_back(view(other.id, other.logprob));
    row["top"] = std::move(top);
    out.push_back(std::move(row));
  }
  return out;
}

struct PageAnswers::Running {
  std::string owner;
  std::shared_ptr<ServedModel> model;
  std::optional<engine::RequestId> request;

  // The database's thread.
  PageMessage message;
  size_t text_units = 0, reasoning_units = 0;
  json::array views;
  std::string told_text, told_reasoning;  // of this flush
  bool told_calls = false, ended = false;

  // News: the engine's thread puts in, the database's takes out.
  std::string text, reasoning;
  json::array calls;
  bool calls_changed = false;
  std::vector<engine::SampledToken> tokens;
  std::optional<engine::Finish> finish;
  bool stopped = false, dropped = false;
};

PageAnswers::PageAnswers(Database& database, PageEvents& events, Finished finished)
    : database_(database), events_(events), finished_(std::move(finished)), carrier_([this] { carry(); }) {}

PageAnswers::~PageAnswers() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  news_.notify_all();
  carrier_.join();
  database_.wait([this](Connection& db) { flush(db); });
  database_.wait([](Connection&) {});  // what the last answers have left to do
  events_.end_streams();
}

std::optional<ApiError> PageAnswers::begin(Connection& db, const std::string& owner, PageMessage& message, const std::shared_ptr<ServedModel>& model,
                                           ChatRequest request) {
  const auto running = std::make_shared<Running>();
  running->owner = owner;
  running->model = model;
  running->text_units = utf16_length(message.text);
  running->reasoning_units = utf16_length(message.reasoning);
  if (const auto* calls = message.more.if_contains("tool_calls"); calls && calls->is_array()) running->calls = calls->get_array();
  // What comes before the message has its id waits: it is taken on this thread.
  auto started = start_chat(model, std::move(request), [this, running](ChatPiece piece) { take(running, std::move(piece)); });
  if (auto* error = std::get_if<ApiError>(&started)) return std::move(*error);
  running->request = std::get<engine::RequestId>(started);
  message.state = "running";
  if (message.id) {
    auto views = page_tokens(db, message.id);
    if (views.ok() && *views) running->views = std::move(**views);
  }
  const Status stored = message.id ? reopen_page_message(db, message) : insert_page_message(db, message);
  running->message = message;
  const std::lock_guard guard(mutex_);
  running->dropped = !stored.ok();
  if (running->dropped) {
    model->engine().cancel(*running->request);
    return to_api_error(stored.error());
  }
  running_[message.id] = running;
  return std::nullopt;
}

void PageAnswers::drop(int64_t message) {
  const std::lock_guard guard(mutex_);
  const auto place = running_.find(message);
  if (place == running_.end()) return;
  place->second->dropped = true;
  place->second->model->engine().cancel(*place->second->request);
  running_.erase(place);
}

void PageAnswers::stop(std::string_view chat, std::optional<int64_t> message) {
  const std::lock_guard guard(mutex_);
  for (const auto& [id, running] : running_) {
    if (running->message.chat != chat || (message && *message != id)) continue;
    running->stopped = true;
    running->model->engine().cancel(*running->request);
  }
}

std::vector<int64_t> PageAnswers::running(std::string_view chat) const {
  const std::lock_guard guard(mutex_);
  std::vector<int64_t> ids;
  for (const auto& [id, running] : running_)
    if (running->message.chat == chat) ids.push_back(id);
  return ids;
}

size_t PageAnswers::running_of(std::string_view owner) const {
  const std::lock_guard guard(mutex_);
  return static_cast<size_t>(std::count_if(running_.begin(), running_.end(), [&](const auto& row) { return row.second->owner == owner; }));
}

void PageAnswers::end_streams() {
  const std::lock_guard guard(mutex_);
  closing_ = true;
  if (running_.empty()) events_.end_streams();
}

void PageAnswers::take(const std::shared_ptr<Running>& running, ChatPiece piece) {
  const std::lock_guard guard(mutex_);
  Running& r = *running;
  const auto call = [&]() -> json::object& { return r.calls.back().get_object(); };
  switch (piece.kind) {
    case ChatPiece::Kind::kReasoning: r.reasoning += piece.text; break;
    case ChatPiece::Kind::kText: r.text += piece.text; break;
    case ChatPiece::Kind::kCallBegin: r.calls.push_back(json::object{{"id", piece.id}, {"name", piece.name}, {"arguments", ""}}); break;
    case ChatPiece::Kind::kCallArguments:
      if (!r.calls.empty()) call()["arguments"].get_string() += piece.text;
      break;
    case ChatPiece::Kind::kCallEnd:
    case ChatPiece::Kind::kFinish: break;
  }
  r.calls_changed |= piece.kind == ChatPiece::Kind::kCallBegin || piece.kind == ChatPiece::Kind::kCallArguments;
  std::move(piece.tokens.begin(), piece.tokens.end(), std::back_inserter(r.tokens));
  if (piece.finish) r.finish = std::move(piece.finish);
  fresh_.insert(running);
  news_.notify_all();
}

void PageAnswers::carry() {
  std::unique_lock lock(mutex_);
  auto beat = Clock::now() + kBeatEvery;
  while (!ending_) {
    news_.wait_until(lock, beat, [&] { return ending_ || !fresh_.empty(); });
    if (Clock::now() >= beat) {
      beat = Clock::now() + kBeatEvery;
      events_.beat();
    }
    if (fresh_.empty()) continue;
    flushing_ = true;
    database_.post([this](Connection& db) { flush(db); });
    news_.wait(lock, [&] { return !flushing_; });
    news_.wait_for(lock, kFlushEvery, [&] { return ending_; });
  }
}

void PageAnswers::flush(Connection& db) {
  std::set<std::shared_ptr<Running>> fresh;
  {
    const std::lock_guard guard(mutex_);
    fresh.swap(fresh_);
    for (const auto& r : fresh) {
      r->told_text.clear(), r->told_reasoning.clear();
      r->told_text.swap(r->text), r->told_reasoning.swap(r->reasoning);
      r->told_calls = std::exchange(r->calls_changed, false);
      if (!r->calls.empty()) r->message.more["tool_calls"] = r->calls;
      if (r->views.size() < limits::kPageTokensKeptMax)
        for (auto& view : page_token_views(r->model->tokenizer(), r->tokens)) r->views.push_back(std::move(view));
      r->tokens.clear();
      r->ended = r->finish.has_value();
      if (r->ended) r->message.state = page_state(*r->finish, r->stopped);
    }
    std::erase_if(fresh, [](const auto& r) { return r->dropped; });
  }
  const Status written = db.transaction([&]() -> Status {
    for (const auto& r : fresh) RIVAL_RETURN_IF_ERROR(write(db, *r));
    return {};
  });
  for (const auto& r : fresh) {
    if (!written.ok()) {
      log(LogLevel::kError, "an answer of the page cannot be stored: {}", written.error().message);
      r->model->engine().cancel(*r->request);
      r->message.state = "error", r->message.more["error"] = written.error().message;
      r->ended = true;
    }
    tell(db, *r);
  }
  const std::lock_guard guard(mutex_);
  flushing_ = false;
  news_.notify_all();
  if (closing_ && running_.empty()) events_.end_streams();
}

Status PageAnswers::write(Connection& db, Running& r) {
  if (!r.told_text.empty() || !r.told_reasoning.empty()) RIVAL_RETURN_IF_ERROR(append_page_piece(db, r.message.id, r.told_text, r.told_reasoning));
  if (r.told_calls && !r.ended) RIVAL_RETURN_IF_ERROR(update_page_message_more(db, r.message));
  if (!r.ended) return {};
  const json::value* dropped = r.message.more.if_contains("usage") ? r.message.more["usage"].get_object().if_contains("dropped") : nullptr;
  json::object usage = page_usage(r.finish->usage);
  if (dropped) usage["dropped"] = *dropped;
  r.message.more["usage"] = std::move(usage);
  r.message.more["timings"] = page_timings(*r.finish);
  if (r.finish->reason == engine::FinishReason::kError) r.message.more["error"] = r.finish->error.message;
  RIVAL_RETURN_IF_ERROR(finish_page_message(db, r.message));
  return r.views.empty() ? Status() : keep_page_tokens(db, r.message.id, r.views);
}

void PageAnswers::tell(Connection& db, Running& r) {
  if (!r.told_text.empty() || !r.told_reasoning.empty() || r.told_calls) {
    json::object event = {{"type", "delta"}, {"chat", r.message.chat}, {"message", r.message.id}};
    if (!r.told_text.empty()) event["text"] = r.told_text, event["at"] = r.text_units;
    if (!r.told_reasoning.empty()) event["reasoning"] = r.told_reasoning, event["reasoning_at"] = r.reasoning_units;
    if (r.told_calls) event["tool_calls"] = r.message.more["tool_calls"];
    r.text_units += utf16_length(r.told_text);
    r.reasoning_units += utf16_length(r.told_reasoning);
    events_.publish(r.owner, event);
  }
  if (!r.ended) return;
  {
    const std::lock_guard guard(mutex_);
    running_.erase(r.message.id);
    r.dropped = true;  // what may still come of one that could not be stored
  }
  events_.publish(r.owner, {{"type", "message"}, {"message", to_json(r.message)}});
  finished_(db, r.owner, r.message, r.model);
}

}  // namespace rival::serve
