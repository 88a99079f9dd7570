// A response being answered: who hears of it, and what is kept of it. And the set of those that go on without a client.
//
// What goes on in the background is told only after it was kept, so that a client that comes back, to this server or to the
// one after it, never finds less than it has seen.
#pragma once

#include <chrono>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "http/server.h"
#include "serve/job_thread.h"
#include "serve/response_builder.h"
#include "serve/response_request.h"
#include "serve/service.h"

namespace rival::serve {

class ResponseRun : public std::enable_shared_from_this<ResponseRun> {
 public:
  ResponseRun(Service& service, std::shared_ptr<ServedModel> model, std::string owner, ResponseRequest request);

  // Begins to answer, and answers `exchange` with errors, the stream, or the object: when it is finished, or at once for
  // one in the background. On the database's thread, with its connection, if history or background needs it.
  void start(Connection* db, const std::shared_ptr<http::Exchange>& exchange);

  // Any thread. Events after number `after` go to the stream; those to come, too.
  void attach(const std::shared_ptr<http::Exchange>& exchange, int64_t after);
  void cancel(const std::shared_ptr<http::Exchange>& exchange);  // answered with the object once it is cancelled
  void discard();                                               // cancels, and nothing of it is kept
  json::object snapshot() const;  // of one in the background: what was told of it
  // On the database's thread, in a transaction: keeps the events that are new. How many there are then, for tell_kept()
  // once the transaction is committed.
  Result<size_t> keep_news(Connection& db);
  void tell_kept(size_t events);
  bool has_news() const;
  const std::string& owner() const { return owner_; }
  const std::string& id() const { return id_; }

 private:
  struct Stream {
    std::shared_ptr<http::Exchange> exchange;
    size_t next;  // of events_
  };
  struct Waiter {
    std::shared_ptr<http::Exchange> exchange;
    bool wants_status;  // a failure is told as an HTTP error
  };

  // These hold mutex_.
  void tell(size_t events);
  std::vector<std::string> news() const;

  Status keep_first(Connection& db, const json::object& begun, size_t events);
  void take(ChatPiece piece);
  void finish(const engine::Finish& finish, uint32_t reasoning_tokens);
  void keep(Connection& db);
  void conclude();
  void stop_answer();
  void pump();

  Service& service_;
  const std::shared_ptr<ServedModel> model_;
  const std::string owner_, id_;
  ResponseRequest request_;  // its chat is given away by start()

  mutable std::mutex mutex_;  // guards what follows
  ResponseBuilder builder_;
  std::vector<std::string> events_;  // JSON texts, by their numbers
  size_t told_ = 0;                  // of events_, those that may be sent; in the background those that are kept
  json::object shown_;               // in the background: what those tell
  std::vector<Stream> streams_;
  std::vector<Waiter> waiters_;
  std::optional<engine::RequestId> answer_;
  std::optional<ApiError> error_;
  bool cancelled_ = false;
  bool discarded_ = false;
  bool finished_ = false;  // the last events are kept with the whole response
  bool ended_ = false;
  bool kept_ = true;       // no error in keeping the end
};

// Those in the background, and how long what is kept stays. Any thread.
class ResponseRuns {
 public:
  // `database` outlives stop(); null: nothing is kept.
  explicit ResponseRuns(Database* database);
  void stop();
  // Responses older than this are removed from time to time; 0 = never.
  void set_keep(double seconds);

  void add(const std::shared_ptr<ResponseRun>& run);
  void remove(const std::string& id);
  // Null where there is none of this owner's.
  std::shared_ptr<ResponseRun> find(const std::string& owner, const std::string& id) const;

 private:
  using Clock = std::chrono::steady_clock;
  void keep_news();
  void remove_expired();

  Database* const database_;
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::map<std::string, std::shared_ptr<ResponseRun>> runs_;
  double keep_s_ = 0;
  Clock::time_point next_removal_ = {};

  JobThread thread_;  // last: it uses all of the above
};

// "event: TYPE\ndata: ...\n\n" of an event's JSON text.
std::string event_frame(std::string_view event);

}  // namespace rival::serve
