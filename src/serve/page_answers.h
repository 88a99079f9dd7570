// The answers that the page's chats wait for. An answer belongs to its chat, not to a tab: it goes on when all have
// left, and every piece of it is in the database before it is shown.
//
// Pieces come on the engine's thread and are collected; a thread of its own carries them to the database's thread some
// sixty times a second, where they are written in one transaction and then told as events.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "serve/chat.h"
#include "serve/chat_store.h"
#include "serve/page_events.h"

namespace rival::serve {

// Length in JavaScript's units.
size_t utf16_length(std::string_view utf8);

// {prompt_tokens, cached_tokens, completion_tokens} and {queue_ms, first_token_ms, total_ms, tokens_per_s}.
json::object page_usage(const engine::Usage& usage);
json::object page_timings(const engine::Finish& finish);
// What an answer's state is when it ends: "done", "length", ...
std::string page_state(const engine::Finish& finish, bool stopped);
json::array page_token_views(const text::Tokenizer& tokenizer, const std::vector<engine::SampledToken>& tokens);

class PageAnswers {
 public:
  // `finished` is called on the database's thread after an answer has ended and been told.
  using Finished = std::function<void(Connection& db, const std::string& owner, const PageMessage& message, const std::shared_ptr<ServedModel>& model)>;
  PageAnswers(Database& database, PageEvents& events, Finished finished);
  ~PageAnswers();  // engines have been stopped

  // Database's thread, inside a transaction; nothing has begun where an error is returned. A message without an id is
  // inserted, one with an id runs again. The caller commits, and calls drop() where it cannot.
  std::optional<ApiError> begin(Connection& db, const std::string& owner, PageMessage& message, const std::shared_ptr<ServedModel>& model, ChatRequest request);
  void drop(int64_t message);

  // Ends a chat's answers, or one.
  void stop(std::string_view chat, std::optional<int64_t> message);
  std::vector<int64_t> running(std::string_view chat) const;
  size_t running_of(std::string_view owner) const;

  // No more tabs: event streams end as soon as no answer is running.
  void end_streams();

 private:
  struct Running;
  void take(const std::shared_ptr<Running>& running, ChatPiece piece);
  void carry();
  void flush(Connection& db);
  Status write(Connection& db, Running& running);
  void tell(Connection& db, Running& running);

  Database& database_;
  PageEvents& events_;
  const Finished finished_;

  mutable std::mutex mutex_;  // guards what follows and the news of every Running
  std::condition_variable news_;
  std::map<int64_t, std::shared_ptr<Running>> running_;
  std::set<std::shared_ptr<Running>> fresh_;  // those with news
  bool flushing_ = false, ending_ = false, closing_ = false;
  std::thread carrier_;
};

}  // namespace rival::serve
