// What the server keeps: one SQLite file (answers, conversations, the page's chats), and its one thread.
//
// 1. A change is told to a client only after its transaction is committed; the file is in WAL mode with
//    synchronous=FULL, so neither a killed process nor a lost power supply takes back what was told.
// 2. SQL is data: constant strings with '?', values bound, columns listed.
// 3. All statements run on the database's own thread (Database::post, Database::wait), in the order of the calls: no
//    other thread ever waits for the disk, and a job sees all that earlier jobs wrote.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "serve/job_thread.h"
#include "serve/schema.h"

struct sqlite3;
struct sqlite3_stmt;

namespace rival::serve {

class Connection;

// A statement with its values. Lives shorter than its connection; a cached one goes back to it at the end.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // True: there is a row to look at; false: done. Errors as of Connection.
  Result<bool> step();

  // Columns of the row, from 0; NULL reads as 0 and empty. A text is valid until the next step().
  int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;
  bool is_null(int column) const;

 private:
  friend class Connection;
  Statement(Connection& connection, sqlite3_stmt* statement, bool cached)
      : connection_(&connection), statement_(statement), cached_(cached) {}
  void bind(int parameter, int64_t value);
  void bind(int parameter, double value);
  void bind(int parameter, std::string_view value);
  void bind(int parameter, std::nullptr_t);
  void bind_value(int parameter, const auto& value);

  Connection* connection_;
  sqlite3_stmt* statement_;
  bool cached_;
};

// Used by one thread at a time. Errors: kIo (no space, no permission, busy for seconds), kCorrupt for a damaged file,
// kInvalidArgument for a broken constraint, kInternal for wrong SQL; all name the file.
class Connection {
 public:
  // Creates the file, readable by its owner only, if `create`. Errors: kNotFound, kCorrupt for what is no database of
  // Rival's.
  static Result<std::unique_ptr<Connection>> open(const std::filesystem::path& path, bool create);
  ~Connection();

  // Brings the schema up to the last step, all or nothing. Errors: kUnsupported for a file of a newer Rival.
  Status migrate(std::span<const Migration> steps);
  Result<int64_t> version();  // steps that the file has taken

  // Reads all pages and indexes. Error: kCorrupt with the first defect. `thorough`: indexes against their tables too.
  Status check(bool thorough);

  // One or more statements without values.
  Status execute(const std::string& sql);

  // One statement with a value for each '?': integers, double, text, nullptr, std::optional of these.
  template <typename... Values>
  Result<Statement> query(std::string_view sql, const Values&... values) {
    RIVAL_ASSIGN_OR_RETURN(Statement statement, prepare(sql));
    int parameter = 0;
    (statement.bind_value(++parameter, values), ...);
    return statement;
  }

  // The same, to its end; rows are passed over.
  template <typename... Values>
  Status run(std::string_view sql, const Values&... values) {
    RIVAL_ASSIGN_OR_RETURN(Statement statement, query(sql, values...));
    return finish(statement);
  }

  // Rows that the last INSERT, UPDATE or DELETE changed.
  int64_t changes() const;
  int64_t last_row_id() const;

  // All that `work` does is kept together, if it succeeds, or not at all. Not nested.
  Status transaction(const std::function<Status()>& work);

  const std::filesystem::path& path() const { return path_; }

 private:
  friend class Statement;
  friend Status back_up(const std::filesystem::path& from, const std::filesystem::path& to);
  explicit Connection(std::filesystem::path path) : path_(std::move(path)) {}
  Result<Statement> prepare(std::string_view sql);
  Status finish(Statement& statement);
  Status configure();
  Error error(int code) const;

  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
  std::unordered_map<std::string, sqlite3_stmt*> idle_;  // prepared and not in use, by SQL
};

class Database {
 public:
  // Opens or creates, checks and migrates the file, then starts its thread. Errors: those of Connection.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path, std::span<const Migration> steps = schema());
  // Ends when all jobs are done.
  ~Database();

  using Job = std::function<void(Connection&)>;
  void post(Job job);  // any thread; does not wait
  void wait(const Job& job);  // any thread but the database's; returns when the job is done

  // No other process had the file open when this one opened it: what it calls unfinished is nobody's.
  bool first() const { return lock_is_first_; }
  const std::filesystem::path& path() const { return connection_->path(); }

 private:
  Database() = default;
  Status take_lock();

  std::unique_ptr<Connection> connection_;  // the thread's alone
  int lock_ = -1;
  bool lock_is_first_ = false;
  JobThread thread_;
};

// Copies the database of a server, which may be running and writing, to a file of its own: one moment's content,
// checked, and in place only when whole. Errors: those of Connection; kInvalidArgument where `to` is another kind of
// file or `from` itself.
Status back_up(const std::filesystem::path& from, const std::filesystem::path& to);

void Statement::bind_value(int parameter, const auto& value) {
  using Value = std::decay_t<decltype(value)>;
  if constexpr (std::is_integral_v<Value> || std::is_enum_v<Value>) bind(parameter, static_cast<int64_t>(value));
  else if constexpr (requires { value.has_value(); }) value.has_value() ? bind_value(parameter, *value) : bind(parameter, nullptr);
  else bind(parameter, value);
}

}  // namespace rival::serve
