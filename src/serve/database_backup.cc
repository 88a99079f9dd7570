#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/file.h"
#include "serve/database.h"

namespace rival::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHeader = "SQLite format 3";

// A backup may take the place of an earlier one, but of nothing else.
Status check_target(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::exists(to, error)) return {};
  if (fs::equivalent(from, to, error)) return make_error(ErrorCode::kInvalidArgument, "{} is the database itself", to.string());
  RIVAL_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(to));
  const auto bytes = file.bytes();
  if (bytes.size() >= kHeader.size() && std::equal(kHeader.begin(), kHeader.end(), reinterpret_cast<const char*>(bytes.data()))) return {};
  return make_error(ErrorCode::kInvalidArgument, "{} exists and is no backup; name another file", to.string());
}

Status flush(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return done ? Status() : make_error(ErrorCode::kIo, "cannot write {} to the disk", path.string());
}

// All pages as of one moment: in WAL mode a long read neither waits for a writer nor holds one up.
int copy_pages(sqlite3* from, sqlite3* to) {
  sqlite3_backup* backup = sqlite3_backup_init(to, "main", from, "main");
  if (!backup) return sqlite3_errcode(to);
  sqlite3_backup_step(backup, -1);
  return sqlite3_backup_finish(backup);
}

// A file and what SQLite lays beside it.
void remove_all_of(const fs::path& path) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) fs::remove(path.string() + suffix, ignored);
}

}  // namespace

Status back_up(const fs::path& from, const fs::path& to) {
  RIVAL_RETURN_IF_ERROR(check_target(from, to));
  RIVAL_ASSIGN_OR_RETURN(const auto source, Connection::open(from, false));
  const fs::path partial = to.string() + ".partial";
  remove_all_of(partial);
  const Status done = [&]() -> Status {
    RIVAL_ASSIGN_OR_RETURN(const auto copy, Connection::open(partial, true));
    // The copy is one file: nothing of it stays in a log beside it.
    RIVAL_RETURN_IF_ERROR(copy->execute("PRAGMA journal_mode=DELETE"));
    if (const int code = copy_pages(source->handle_, copy->handle_); code != SQLITE_OK) return copy->error(code);
    RIVAL_RETURN_IF_ERROR(copy->execute("PRAGMA journal_mode=DELETE"));
    return copy->check(true);
  }();
  if (done.ok()) {
    RIVAL_RETURN_IF_ERROR(flush(partial));
    std::error_code error;
    fs::rename(partial, to, error);
    if (!error) return flush(to.has_parent_path() ? to.parent_path() : fs::path("."));
    remove_all_of(partial);
    return make_error(ErrorCode::kIo, "cannot rename {} to {}: {}", partial.string(), to.string(), error.message());
  }
  remove_all_of(partial);
  return done;
}

}  // namespace rival::serve
