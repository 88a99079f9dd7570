#include "serve/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>

#include "base/limits.h"
#include "base/log.h"

namespace rival::serve {
namespace {

// In the file's header, so that the database of another program is not taken for ours: "Rivl".
constexpr int64_t kApplicationId = 0x5269766c;

ErrorCode code_of(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
      return ErrorCode::kInvalidArgument;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
      return ErrorCode::kInternal;
    default:
      return ErrorCode::kIo;
  }
}

std::string system_reason() { return std::strerror(errno); }

}  // namespace

// ---- Statement ----

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_), statement_(std::exchange(other.statement_, nullptr)), cached_(other.cached_) {}

Statement::~Statement() {
  if (!statement_) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  // A second use of the same SQL at the same time finds the place taken.
  if (!cached_ || !connection_->idle_.try_emplace(sqlite3_sql(statement_), statement_).second) sqlite3_finalize(statement_);
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return connection_->error(code);
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::string_view Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes ? std::string_view(bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))) : std::string_view();
}

void Statement::bind(int parameter, int64_t value) { RIVAL_CHECK(sqlite3_bind_int64(statement_, parameter, value) == SQLITE_OK); }
void Statement::bind(int parameter, double value) { RIVAL_CHECK(sqlite3_bind_double(statement_, parameter, value) == SQLITE_OK); }
void Statement::bind(int parameter, std::nullptr_t) { RIVAL_CHECK(sqlite3_bind_null(statement_, parameter) == SQLITE_OK); }

void Statement::bind(int parameter, std::string_view value) {
  RIVAL_CHECK(sqlite3_bind_text64(statement_, parameter, value.data() ? value.data() : "", value.size(), SQLITE_TRANSIENT,
                                  SQLITE_UTF8) == SQLITE_OK);
}

// ---- Connection ----

Error Connection::error(int code) const {
  const ErrorCode kind = code_of(code);
  const std::string_view advice = kind == ErrorCode::kCorrupt ? "; put a backup (rival backup) in its place, or move it away" : "";
  return make_error(kind, "the database {}: {}{}", path_.string(), handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code), advice);
}

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& path, bool create) {
  std::unique_ptr<Connection> connection(new Connection(path));
  std::error_code ignored;
  if (create && path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  // SQLite would create it readable by all.
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
  if (fd < 0)
    return make_error(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "cannot open the database {}: {}", path.string(), system_reason());
  ::close(fd);
  const int code = sqlite3_open_v2(path.c_str(), &connection->handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) return connection->error(code);
  RIVAL_RETURN_IF_ERROR(connection->configure());
  return connection;
}

Status Connection::configure() {
  sqlite3_busy_timeout(handle_, limits::kDatabaseBusyMs);
  sqlite3_extended_result_codes(handle_, 1);
  // A hostile file cannot make the schema run functions of its choice.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  int64_t application = 0, objects = 0;
  {
    RIVAL_ASSIGN_OR_RETURN(Statement row, query("SELECT (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)"));
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (found) application = row.integer(0), objects = row.integer(1);
  }
  if (application != kApplicationId && (application != 0 || objects > 0))
    return make_error(ErrorCode::kCorrupt, "{} is the database of another program; name another file", path_.string());
  RIVAL_RETURN_IF_ERROR(execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"));
  if (application != kApplicationId) RIVAL_RETURN_IF_ERROR(execute(fmt::format("PRAGMA application_id={}", kApplicationId)));
  return {};
}

Connection::~Connection() {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  if (handle_) RIVAL_CHECK(sqlite3_close(handle_) == SQLITE_OK, "a statement outlives its connection");
}

Result<int64_t> Connection::version() {
  RIVAL_ASSIGN_OR_RETURN(Statement row, query("SELECT user_version FROM pragma_user_version"));
  RIVAL_RETURN_IF_ERROR(row.step());
  return row.integer(0);
}

Status Connection::migrate(std::span<const Migration> steps) {
  return transaction([&]() -> Status {
    RIVAL_ASSIGN_OR_RETURN(const int64_t taken, version());
    const auto known = static_cast<int64_t>(steps.size());
    if (taken < 0 || taken > known)
      return make_error(ErrorCode::kUnsupported, "the database {} has version {}, written by a newer Rival; this one knows versions up to {}",
                        path_.string(), taken, known);
    for (const Migration& step : steps.subspan(static_cast<size_t>(taken))) {
      const Status done = execute(step.sql);
      if (!done.ok()) return with_context(done.error(), fmt::format("step '{}' of the schema", step.name));
    }
    return taken == known ? Status() : execute(fmt::format("PRAGMA user_version={}", known));
  });
}

Status Connection::check(bool thorough) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, query(thorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)"));
  RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
  if (found && row.text(0) == "ok") return {};
  return make_error(ErrorCode::kCorrupt, "the database {} is damaged: {}; put a backup (rival backup) in its place, or move it away",
                    path_.string(), found ? row.text(0) : "no answer");
}

Status Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : error(code);
}

Result<Statement> Connection::prepare(std::string_view sql) {
  if (const auto place = idle_.find(std::string(sql)); place != idle_.end()) {
    sqlite3_stmt* statement = place->second;
    idle_.erase(place);
    return Statement(*this, statement, true);
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return error(code);
  RIVAL_CHECK(statement, "no statement in '{}'", sql);
  return Statement(*this, statement, true);
}

Status Connection::finish(Statement& statement) {
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return {};
  }
}

int64_t Connection::changes() const { return sqlite3_changes64(handle_); }
int64_t Connection::last_row_id() const { return sqlite3_last_insert_rowid(handle_); }

Status Connection::transaction(const std::function<Status()>& work) {
  RIVAL_CHECK(sqlite3_get_autocommit(handle_), "transactions do not nest");
  RIVAL_RETURN_IF_ERROR(run("BEGIN IMMEDIATE"));
  Status done = work();
  if (done.ok()) done = run("COMMIT");
  // SQLite has rolled back by itself after some errors (no space).
  if (!done.ok() && !sqlite3_get_autocommit(handle_)) {
    if (const Status back = run("ROLLBACK"); !back.ok()) log(LogLevel::kError, "{}", back.error().message);
  }
  return done;
}

// ---- Database ----

// Holding the lock file tells other servers of the same database that this one lives. The lock is not on the database
// itself: closing any descriptor of that file would drop SQLite's own locks.
Status Database::take_lock() {
  const std::string name = connection_->path().string() + "-lock";
  lock_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return make_error(ErrorCode::kIo, "cannot create {}: {}", name, system_reason());
  lock_is_first_ = ::flock(lock_, LOCK_EX | LOCK_NB) == 0;
  if (::flock(lock_, LOCK_SH) != 0) return make_error(ErrorCode::kIo, "cannot lock {}: {}", name, system_reason());
  return {};
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path, std::span<const Migration> steps) {
  std::unique_ptr<Database> database(new Database);
  RIVAL_ASSIGN_OR_RETURN(database->connection_, Connection::open(path, true));
  RIVAL_RETURN_IF_ERROR(database->take_lock());
  std::error_code ignored;
  if (std::filesystem::file_size(path, ignored) <= limits::kDatabaseCheckBytesMax) RIVAL_RETURN_IF_ERROR(database->connection_->check(false));
  RIVAL_RETURN_IF_ERROR(database->connection_->migrate(steps));
  return database;
}

Database::~Database() {
  thread_.finish();
  if (lock_ >= 0) ::close(lock_);
}

void Database::post(Job job) {
  thread_.post([this, job = std::move(job)] { job(*connection_); });
}

void Database::wait(const Job& job) {
  std::promise<void> done;
  post([&](Connection& connection) {
    job(connection);
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace rival::serve
