// A request on its way: the exchange with what is known of it, for the log, the metrics and the limits of its key.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/request.h"
#include "http/server.h"

namespace rival::serve {

// What an answer cost. Any thread.
class CallRecord {
 public:
  struct Numbers {
    std::string model;
    uint64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0;
    double first_token_s = 0;  // from the beginning of the request; 0 = none came
  };

  // Before the handler is called: told of all tokens, for the limit of a key.
  void on_tokens(std::function<void(uint64_t)> callback) { on_tokens_ = std::move(callback); }
  void set_model(std::string name);
  void first_token();
  void add(const engine::Usage& usage, bool first_answer);
  void add_prompt_tokens(uint64_t tokens);
  Numbers numbers() const;
  double elapsed_s() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

 private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::function<void(uint64_t)> on_tokens_;
  mutable std::mutex mutex_;
  Numbers numbers_;  // guarded by mutex_
};

constexpr int kClientLeft = 499;  // in place of a status, as web servers log it

// Passes an exchange on, adds headers to its answer, and tells when it is over, which is when nobody holds the call any
// more: only then is it known what an answer cost whose client has left. A call that nobody has answered gets a 500.
class Call : public http::Exchange, public std::enable_shared_from_this<Call> {
 public:
  struct End {
    int status = 0;
    double total_s = 0;  // to the last word of the answer
  };
  using OnEnd = std::function<void(Call& call, const End& end)>;

  static std::shared_ptr<Call> begin(std::shared_ptr<http::Exchange> inner, OnEnd on_end);
  ~Call() override;

  const http::ServerRequest& request() const override { return inner_->request(); }
  void drop_body() override { inner_->drop_body(); }
  void respond(int status, std::string_view content_type, std::string body, http::HeaderList headers) override;
  void begin_stream(int status, std::string_view content_type, http::HeaderList headers) override;
  void write(std::string piece) override { inner_->write(std::move(piece)); }
  void end() override;
  bool gone() const override { return inner_->gone(); }
  // May be called several times.
  void on_gone(std::function<void()> callback) override;

  // Before the answer: headers that it will have beside its own.
  void add_headers(http::HeaderList headers);
  void set_route(std::string route) { route_ = std::move(route); }
  void set_key_name(std::string name) { key_name_ = std::move(name); }

  const std::string& id() const { return id_; }
  const std::string& route() const { return route_; }
  const std::string& key_name() const { return key_name_; }
  CallRecord& record() { return record_; }

 private:
  Call(std::shared_ptr<http::Exchange> inner, OnEnd on_end);
  http::HeaderList with_own(http::HeaderList headers);
  void left();
  void over(int status);  // 0 = as it began

  const std::shared_ptr<http::Exchange> inner_;
  const OnEnd on_end_;
  const std::string id_;
  std::string route_ = "-", key_name_ = "-";  // set before the handler is called
  CallRecord record_;
  std::mutex mutex_;
  // guarded by mutex_
  http::HeaderList headers_;
  std::vector<std::function<void()>> on_gone_;
  End end_;            // status 0 = not answered yet
  bool over_ = false;
};

// The record of an exchange that came through the service; null for another.
std::shared_ptr<CallRecord> record_of(const std::shared_ptr<http::Exchange>& exchange);

// By which the log and the answer's headers know it.
std::string request_id_of(const std::shared_ptr<http::Exchange>& exchange);

// The line of the access log.
std::string access_line(Call& call, const Call::End& end);

}  // namespace rival::serve
