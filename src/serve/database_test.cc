#include "serve/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/file.h"
#include "serve/response_log.h"

namespace rival::serve {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr Migration kSteps[] = {
    {"notes", "CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT, weight REAL) STRICT"},
    {"tags", "CREATE TABLE tags(note INTEGER NOT NULL REFERENCES notes(id) ON DELETE CASCADE, tag TEXT NOT NULL) STRICT;"
             "INSERT INTO tags(note, tag) SELECT id, 'old' FROM notes"},
};

class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("rival_database_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    path_ = folder_ / "serve.db";
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<Connection> open() {
    auto connection = Connection::open(path_, true);
    EXPECT_TRUE(connection.ok()) << connection.error().message;
    return std::move(connection).value();
  }

  static int64_t number(Connection& connection, std::string_view sql) {
    auto row = connection.query(sql);
    EXPECT_TRUE(row.ok()) << row.error().message;
    EXPECT_TRUE(row->step().ok());
    return row->integer(0);
  }

  fs::path folder_, path_;
};

TEST_F(DatabaseTest, KeepsWhatWasBound) {
  const auto db = open();
  ASSERT_TRUE(db->migrate(kSteps).ok());
  const std::string text("a'b\0c \xC3\xA4", 9);
  ASSERT_TRUE(db->run("INSERT INTO notes(id, text, weight) VALUES(?, ?, ?)", int64_t{1} << 60, text, 0.1).ok());
  ASSERT_TRUE(db->run("INSERT INTO notes(text, weight) VALUES(?, ?)", std::optional<std::string>(), nullptr).ok());
  EXPECT_EQ(db->changes(), 1);
  auto row = db->query("SELECT id, text, weight FROM notes ORDER BY id");
  ASSERT_TRUE(row.ok());
  ASSERT_TRUE(*row->step());
  EXPECT_EQ(row->integer(0), int64_t{1} << 60);
  EXPECT_EQ(row->text(1), text);
  EXPECT_EQ(row->real(2), 0.1);
  ASSERT_TRUE(*row->step());
  EXPECT_TRUE(row->is_null(1));
  EXPECT_TRUE(row->is_null(2));
  EXPECT_FALSE(*row->step());
}

TEST_F(DatabaseTest, AFailedTransactionLeavesNothing) {
  const auto db = open();
  ASSERT_TRUE(db->migrate(kSteps).ok());
  const Status status = db->transaction([&]() -> Status {
    RIVAL_RETURN_IF_ERROR(db->run("INSERT INTO notes(text) VALUES('x')"));
    return db->run("INSERT INTO tags(note, tag) VALUES(99, 'of no note')");
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(number(*db, "SELECT count(*) FROM notes"), 0);
  ASSERT_TRUE(db->transaction([&] { return db->run("INSERT INTO notes(text) VALUES('y')"); }).ok());
  EXPECT_EQ(number(*db, "SELECT count(*) FROM notes"), 1);
}

TEST_F(DatabaseTest, OneStatementMayBeInUseTwice) {
  const auto db = open();
  ASSERT_TRUE(db->migrate(kSteps).ok());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(db->run("INSERT INTO notes(text) VALUES('x')").ok());
  auto outer = db->query("SELECT id FROM notes WHERE id > ?", 0);
  ASSERT_TRUE(*outer->step());
  EXPECT_EQ(number(*db, "SELECT id FROM notes WHERE id > 1"), 2);
  auto inner = db->query("SELECT id FROM notes WHERE id > ?", 1);
  ASSERT_TRUE(*inner->step());
  EXPECT_EQ(outer->integer(0), 1);
  EXPECT_EQ(inner->integer(0), 2);
}

TEST_F(DatabaseTest, EveryEarlierVersionIsBroughtForward) {
  for (size_t version = 0; version <= std::size(kSteps); ++version) {
    fs::remove(path_);
    {
      const auto db = open();
      ASSERT_TRUE(db->migrate(std::span(kSteps).first(version)).ok());
      if (version > 0) {
        ASSERT_TRUE(db->run("INSERT INTO notes(text) VALUES('kept')").ok());
      }
    }
    const auto db = open();
    ASSERT_TRUE(db->migrate(kSteps).ok());
    EXPECT_EQ(*db->version(), 2);
    EXPECT_EQ(number(*db, "SELECT count(*) FROM notes"), version > 0 ? 1 : 0);
    EXPECT_EQ(number(*db, "SELECT count(*) FROM tags"), version == 1 ? 1 : 0);
  }
}

TEST_F(DatabaseTest, ABrokenStepChangesNothing) {
  const auto db = open();
  const Migration broken[] = {kSteps[0], {"broken", "CREATE TABLE fine(x); CREATE TABLE notes(x)"}};
  const Status status = db->migrate(broken);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("step 'broken'"));
  EXPECT_EQ(*db->version(), 0);
  EXPECT_EQ(number(*db, "SELECT count(*) FROM sqlite_schema"), 0);
}

TEST_F(DatabaseTest, ANewerVersionIsRefused) {
  ASSERT_TRUE(open()->migrate(kSteps).ok());
  const auto older = Database::open(path_, std::span(kSteps).first(1));
  ASSERT_FALSE(older.ok());
  EXPECT_EQ(older.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(older.error().message, HasSubstr("newer Rival"));
}

TEST_F(DatabaseTest, RivalsOwnSchemaOpensFromEveryVersion) {
  for (size_t version = 0; version <= schema().size(); ++version) {
    fs::remove(path_);
    ASSERT_TRUE(open()->migrate(schema().first(version)).ok()) << version;
    const auto database = Database::open(path_);
    ASSERT_TRUE(database.ok()) << database.error().message;
    (*database)->wait([&](Connection& db) {
      EXPECT_EQ(*db.version(), static_cast<int64_t>(schema().size()));
      EXPECT_TRUE(db.check(true).ok());
    });
  }
}

// Events were one text of the response; each has a row of its own since.
TEST_F(DatabaseTest, EventsOfAnEarlierVersionAreKept) {
  {
    const auto db = open();
    ASSERT_TRUE(db->migrate(schema().first(3)).ok());
    constexpr std::string_view kOld = "INSERT INTO responses(id, owner, created, status, body, events) VALUES(?, 'me', 1, 'completed', '{}', ?)";
    ASSERT_TRUE(db->run(kOld, "told", "{\"type\":\"a\",\"text\":\"x,\\n[\"}\n{\"type\":\"b\"}").ok());
    ASSERT_TRUE(db->run(kOld, "silent", "").ok());
    ASSERT_TRUE(db->run(kOld, "damaged", "{").ok());
  }
  const auto db = open();
  const Status done = db->migrate(schema());
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_THAT(*events_after(*db, "told", -1), testing::ElementsAre("{\"type\":\"a\",\"text\":\"x,\\n[\"}", "{\"type\":\"b\"}"));
  EXPECT_THAT(*events_after(*db, "told", 0), testing::ElementsAre("{\"type\":\"b\"}"));
  EXPECT_EQ(number(*db, "SELECT count(*) FROM response_events"), 2);
  EXPECT_EQ(number(*db, "SELECT count(*) FROM responses"), 3);
}

TEST_F(DatabaseTest, OtherFilesAreRefusedAndLeftAsTheyAre) {
  std::ofstream(path_) << "no database at all, but long enough to be read as one header of a hundred bytes, and some more text";
  auto database = Database::open(path_);
  ASSERT_FALSE(database.ok());
  EXPECT_EQ(database.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(database.error().message, HasSubstr("serve.db"));
  EXPECT_EQ(read_file(path_, 1000)->substr(0, 11), "no database");

  fs::remove(path_);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  sqlite3_exec(other, "CREATE TABLE bookmarks(x)", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  database = Database::open(path_);
  ASSERT_FALSE(database.ok());
  EXPECT_THAT(database.error().message, HasSubstr("another program"));
}

TEST_F(DatabaseTest, DamageIsFoundWhenOpening) {
  {
    const auto db = open();
    ASSERT_TRUE(db->migrate(kSteps).ok());
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(db->run("INSERT INTO notes(text) VALUES(?)", std::string(100, 'x')).ok());
  }
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 * 4);
  file << std::string(4096 * 2, '\x5a');
  file.close();
  const auto database = Database::open(path_, kSteps);
  ASSERT_FALSE(database.ok());
  EXPECT_EQ(database.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(database.error().message, HasSubstr("backup"));
}

TEST_F(DatabaseTest, OnlyTheOwnerMayReadIt) {
  ASSERT_TRUE(open()->migrate(kSteps).ok());
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(DatabaseTest, JobsRunInOrderFromManyThreads) {
  {
    const auto database = Database::open(path_, kSteps);
    ASSERT_TRUE(database.ok());
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 25; ++i)
          (*database)->post([t, i](Connection& db) { EXPECT_TRUE(db.run("INSERT INTO notes(text, weight) VALUES(?, ?)", std::to_string(t), i + 0.0).ok()); });
        int64_t mine = 0;
        (*database)->wait([&](Connection& db) {
          auto row = db.query("SELECT count(*) FROM notes WHERE text = ?", std::to_string(t));
          mine = *row->step() ? row->integer(0) : -1;
        });
        EXPECT_EQ(mine, 25);
      });
    for (std::thread& thread : threads) thread.join();
    (*database)->post([](Connection& db) { EXPECT_TRUE(db.run("INSERT INTO notes(text) VALUES('the last')").ok()); });
  }
  EXPECT_EQ(number(*open(), "SELECT count(*) FROM notes"), 101);
}

TEST_F(DatabaseTest, TheFirstProcessKnowsThatItIs) {
  auto first = Database::open(path_, kSteps);
  auto second = Database::open(path_, kSteps);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE((*first)->first());
  EXPECT_FALSE((*second)->first());
  first = make_error(ErrorCode::kIo, "closed");
  second = make_error(ErrorCode::kIo, "closed");
  EXPECT_TRUE((*Database::open(path_, kSteps))->first());
}

TEST_F(DatabaseTest, AKilledProcessTakesNothingBack) {
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto database = Database::open(path_, kSteps);
    (*database)->wait([](Connection& db) { (void)db.run("INSERT INTO notes(text) VALUES('told')"); });
    (void)!::write(told[1], "1", 1);
    ::pause();
  }
  char byte;
  ASSERT_EQ(::read(told[0], &byte, 1), 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(told[0]);
  ::close(told[1]);
  const auto database = Database::open(path_, kSteps);
  ASSERT_TRUE(database.ok()) << database.error().message;
  EXPECT_TRUE((*database)->first());
  (*database)->wait([](Connection& db) { EXPECT_EQ(number(db, "SELECT count(*) FROM notes"), 1); });
}

TEST_F(DatabaseTest, ABackupIsOneMomentOfALiveDatabase) {
  const auto database = Database::open(path_, kSteps);
  ASSERT_TRUE(database.ok());
  const auto add = [](Connection& db) {
    EXPECT_TRUE(db.transaction([&]() -> Status {
      RIVAL_RETURN_IF_ERROR(db.run("INSERT INTO notes(text) VALUES(?)", std::string(2000, 'x')));
      return db.run("INSERT INTO tags(note, tag) VALUES(?, 'new')", db.last_row_id());
    }).ok());
  };
  for (int i = 0; i < 100; ++i) (*database)->post(add);
  (*database)->wait(add);
  for (int i = 0; i < 100; ++i) (*database)->post(add);
  const fs::path copy = folder_ / "copy.db";
  for (int round = 0; round < 2; ++round) {  // the second takes the place of the first
    const Status done = back_up(path_, copy);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  EXPECT_FALSE(fs::exists(copy.string() + "-wal"));
  EXPECT_FALSE(fs::exists(copy.string() + ".partial"));
  const auto restored = Connection::open(copy, false);
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_GE(number(**restored, "SELECT count(*) FROM notes"), 101);
  EXPECT_EQ(number(**restored, "SELECT count(*) FROM notes"), number(**restored, "SELECT count(*) FROM tags"));
}

TEST_F(DatabaseTest, ABackupOverwritesNothingElse) {
  ASSERT_TRUE(open()->migrate(kSteps).ok());
  const fs::path letter = folder_ / "letter.txt";
  std::ofstream(letter) << "dear reader, this is no backup";
  EXPECT_THAT(back_up(path_, letter).error().message, HasSubstr("no backup"));
  EXPECT_THAT(back_up(path_, path_).error().message, HasSubstr("itself"));
  EXPECT_EQ(back_up(folder_ / "absent.db", folder_ / "copy.db").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(folder_ / "copy.db"));
  EXPECT_EQ(*read_file(letter, 1000), "dear reader, this is no backup");
}

}  // namespace
}  // namespace rival::serve
