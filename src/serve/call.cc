#include "serve/call.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"
#include "serve/api_error.h"
#include "serve/fresh_id.h"

namespace rival::serve {
namespace {

// What a client calls its request goes into the log, so it is one plain word.
bool is_plain_id(std::string_view id) {
  return !id.empty() && id.size() <= limits::kRequestIdBytesMax &&
         std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
}

std::string request_id(const http::ServerRequest& request) {
  const std::string_view given = request.header("x-request-id");
  return is_plain_id(given) ? std::string(given) : fresh_id("req_");
}

// A path as sent may hold any byte; a line of the log is one line of printable characters.
std::string printable(std::string_view text) {
  std::string out;
  for (const unsigned char c : text.substr(0, limits::kLogTextBytesMax)) out += c > ' ' && c < 0x7f && c != '"' ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  return out.empty() ? "-" : out;
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms);
}

}  // namespace

void CallRecord::set_model(std::string name) {
  const std::lock_guard lock(mutex_);
  numbers_.model = std::move(name);
}

void CallRecord::first_token() {
  const std::lock_guard lock(mutex_);
  if (numbers_.first_token_s == 0) numbers_.first_token_s = elapsed_s();
}

void CallRecord::add(const engine::Usage& usage, bool first_answer) {
  {
    const std::lock_guard lock(mutex_);
    numbers_.completion_tokens += usage.completion_tokens;
    numbers_.prompt_tokens += first_answer ? usage.prompt_tokens : 0;
    numbers_.cached_tokens += first_answer ? usage.cached_tokens : 0;
  }
  if (on_tokens_) on_tokens_(usage.completion_tokens + (first_answer ? usage.prompt_tokens : 0));
}

void CallRecord::add_prompt_tokens(uint64_t tokens) {
  {
    const std::lock_guard lock(mutex_);
    numbers_.prompt_tokens += tokens;
  }
  if (on_tokens_) on_tokens_(tokens);
}

CallRecord::Numbers CallRecord::numbers() const {
  const std::lock_guard lock(mutex_);
  return numbers_;
}

Call::Call(std::shared_ptr<http::Exchange> inner, OnEnd on_end)
    : inner_(std::move(inner)), on_end_(std::move(on_end)), id_(request_id(inner_->request())), headers_{{"x-request-id", id_}} {
  if (is_anthropic(inner_->request())) headers_.emplace_back("request-id", id_);  // as that API's clients look for it
}

std::shared_ptr<Call> Call::begin(std::shared_ptr<http::Exchange> inner, OnEnd on_end) {
  const std::shared_ptr<Call> call(new Call(std::move(inner), std::move(on_end)));
  call->inner_->on_gone([weak = call->weak_from_this()] {
    if (const auto held = weak.lock()) held->left();
  });
  return call;
}

Call::~Call() {
  if (end_.status == 0) {
    inner_->respond(500, "text/plain", "the request was not answered", headers_);
    over(500);
  } else if (!over_) {
    end();
  }
  on_end_(*this, end_);
}

http::HeaderList Call::with_own(http::HeaderList headers) {
  const std::lock_guard lock(mutex_);
  headers.insert(headers.end(), headers_.begin(), headers_.end());
  return headers;
}

void Call::respond(int status, std::string_view content_type, std::string body, http::HeaderList headers) {
  inner_->respond(status, content_type, std::move(body), with_own(std::move(headers)));
  over(status);
}

void Call::begin_stream(int status, std::string_view content_type, http::HeaderList headers) {
  {
    const std::lock_guard lock(mutex_);
    end_.status = status;
  }
  inner_->begin_stream(status, content_type, with_own(std::move(headers)));
}

void Call::end() {
  inner_->end();
  over(0);
}

void Call::on_gone(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (over_ && !inner_->gone()) return;
    if (!inner_->gone()) {
      on_gone_.push_back(std::move(callback));
      return;
    }
  }
  callback();
}

void Call::add_headers(http::HeaderList headers) {
  const std::lock_guard lock(mutex_);
  headers_.insert(headers_.end(), std::make_move_iterator(headers.begin()), std::make_move_iterator(headers.end()));
}

void Call::left() {
  std::vector<std::function<void()>> callbacks;
  {
    const std::lock_guard lock(mutex_);
    callbacks.swap(on_gone_);
  }
  for (const auto& callback : callbacks) callback();
  over(kClientLeft);
}

void Call::over(int status) {
  std::vector<std::function<void()>> dropped;  // they may hold this call
  const std::lock_guard lock(mutex_);
  if (over_) return;
  over_ = true;
  if (status != 0) end_.status = status;
  end_.total_s = record_.elapsed_s();
  dropped.swap(on_gone_);
}

std::shared_ptr<CallRecord> record_of(const std::shared_ptr<http::Exchange>& exchange) {
  const auto call = std::dynamic_pointer_cast<Call>(exchange);
  return call ? std::shared_ptr<CallRecord>(call, &call->record()) : nullptr;
}

std::string request_id_of(const std::shared_ptr<http::Exchange>& exchange) {
  const auto call = std::dynamic_pointer_cast<Call>(exchange);
  return call ? call->id() : fresh_id("req_");
}

std::string access_line(Call& call, const Call::End& end) {
  const http::ServerRequest& request = call.request();
  const CallRecord::Numbers n = call.record().numbers();
  std::string line = fmt::format("{} {} {} {} {} {} key={}", utc_now(), call.id(), printable(request.peer), printable(request.method),
                                 printable(request.path), end.status, call.key_name());
  if (!n.model.empty())
    line += fmt::format(" model={} prompt={} cached={} completion={}", printable(n.model), n.prompt_tokens, n.cached_tokens, n.completion_tokens);
  if (n.first_token_s > 0) line += fmt::format(" ttft_ms={:.1f}", 1000 * n.first_token_s);
  return line + fmt::format(" total_ms={:.1f}", 1000 * end.total_s);
}

}  // namespace rival::serve
