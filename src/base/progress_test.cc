#include "base/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sha256.h"
#include "base/units.h"

namespace rival {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Units, BytesAndDurations) {
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(98'362'432), "98.4 MB");
  EXPECT_EQ(format_bytes(999'999'999), "1.0 GB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "18.4 EB");
  EXPECT_EQ(format_duration(8.4), "8 s");
  EXPECT_EQ(format_duration(125), "2 min 05 s");
  EXPECT_EQ(format_duration(11'520), "3 h 12 min");
  EXPECT_EQ(format_duration(-1), "0 s");
}

TEST(ProgressLine, ShowsShareRateAndTimeLeft) {
  const std::string line = progress_line("model", 50'000'000, 100'000'000, 10e6, 120);
  EXPECT_THAT(line, HasSubstr("50 %  50.0 MB of 100.0 MB  10.0 MB/s  5 s left"));
  EXPECT_THAT(line, HasSubstr("[############            ]"));
}

TEST(ProgressLine, FitsTheTerminal) {
  for (int columns = 0; columns < 120; ++columns)
    EXPECT_LE(progress_line("model", 50'000'000, 100'000'000, 10e6, columns).size(),
              static_cast<size_t>(columns));
  EXPECT_THAT(progress_line("model", 50'000'000, 100'000'000, 10e6, 60), Not(HasSubstr("[")));
}

TEST(ProgressLine, UnknownTotalAndMoreThanTotal) {
  EXPECT_EQ(progress_line("model", 1000, 0, 0, 80), "model  1.0 kB");
  EXPECT_THAT(progress_line("model", 300, 200, 0, 80), HasSubstr("100 %"));
}

TEST(Digest, KnownAnswers) {
  Digest sha256, sha1(Digest::Kind::kSha1);
  sha256.update("a");
  sha256.update("bc");
  EXPECT_EQ(sha256.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  sha1.update("abc");
  EXPECT_EQ(sha1.finish(), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Digest, OfAFile) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("rival_digest_test_{}", ::getpid());
  ASSERT_TRUE(write_file_atomically(path, "abc").ok());
  EXPECT_EQ(*sha256_of_file(path), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  std::filesystem::remove(path);
  EXPECT_EQ(sha256_of_file(path).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace rival
