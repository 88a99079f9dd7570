#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"

namespace rival {
namespace {

TEST(Json, ReadsDoublesExactly) {
  auto value = parse_json("[0.9769761560529061, 8.5e-07, -4.894016251904844e-08, 3.25, 7]");
  ASSERT_TRUE(value.ok());
  const json::array& numbers = value->get_array();
  EXPECT_EQ(numbers[0].get_double(), 0.9769761560529061);
  EXPECT_EQ(numbers[1].get_double(), 8.5e-07);
  EXPECT_EQ(numbers[2].get_double(), -4.894016251904844e-08);
  EXPECT_EQ(numbers[3].get_double(), 3.25);
  EXPECT_TRUE(numbers[4].is_int64());
}

TEST(Json, KeepsKeyOrderAndBoundsDepth) {
  auto value = parse_json(R"({"z":1,"a":[true,null,1.5]} )");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(to_json_text(*value), R"({"z":1,"a":[true,null,1.5E0]})");
  EXPECT_FALSE(parse_json(std::string(limits::kJsonDepthMax + 2, '[')).ok());
  EXPECT_FALSE(parse_json("{} x").ok());
  EXPECT_FALSE(parse_json("").ok());
  EXPECT_FALSE(parse_json("[1,").ok());
}

TEST(File, AtomicWriteThenReadAndMap) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("rival_base_test_{}", ::getpid());
  ASSERT_TRUE(write_file_atomically(path, "hello").ok());
  EXPECT_EQ(*read_file(path, 100), "hello");
  EXPECT_EQ(read_file(path, 4).error().code, ErrorCode::kLimit);
  auto map = MappedFile::open(path);
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->bytes().size(), 5u);
  map->release(map->bytes());
  std::filesystem::remove(path);
  EXPECT_EQ(MappedFile::open(path).error().code, ErrorCode::kNotFound);
}

TEST(File, AtomicWriterLeavesNothingWithoutCommit) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("rival_base_test_{}", ::getpid());
  std::filesystem::create_directory(folder);
  const auto path = folder / "file";
  {
    auto file = AtomicFileWriter::create(path);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write("half").ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  {
    auto file = AtomicFileWriter::create(path);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write("wh").ok());
    ASSERT_TRUE(file->write("ole").ok());
    EXPECT_EQ(file->written(), 5u);
    ASSERT_TRUE(file->commit().ok());
  }
  EXPECT_EQ(*read_file(path, 100), "whole");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(AtomicFileWriter::create(folder / "none").error().code, ErrorCode::kNotFound);
}

TEST(Random, SameSeedSameNumbers) {
  Random a(7), b(7), c(8);
  const uint32_t first = a.next_u32();
  EXPECT_EQ(first, b.next_u32());
  EXPECT_NE(first, c.next_u32());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.next_below(10), 10u);
}

}  // namespace
}  // namespace rival
