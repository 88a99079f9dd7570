// Every golden model written as GGUF says the same as its Hugging Face folder.
#include "model/model_contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "format/gguf.h"
#include "model/golden_model.h"
#include "model/source.h"

namespace rival::model {
namespace {

class ConvertedGolden : public testing::TestWithParam<std::string> {};

TEST_P(ConvertedGolden, GivesTheSameOutputsAsItsFolder) {
  const GoldenModel golden = make_golden(GetParam());
  const auto path = std::filesystem::path(testing::TempDir()) / ("converted_" + golden.name + ".gguf");
  const auto contents = read_contents(golden.folder);
  ASSERT_TRUE(contents.ok()) << contents.error().message;
  ThreadTeam team(2);
  const auto written = write_contents(*contents, path, team, {});
  ASSERT_TRUE(written.ok()) << written.error().message;

  auto from_folder = open_model(golden.folder);
  auto from_file = open_model(path);
  ASSERT_TRUE(from_folder.ok()) << from_folder.error().message;
  ASSERT_TRUE(from_file.ok()) << from_file.error().message;
  const auto expected = run_golden(*from_folder, golden, 64, 2), found = run_golden(*from_file, golden, 64, 2);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-5 * golden.max) << i;
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(All, ConvertedGolden, testing::ValuesIn(golden_names()),
                         [](const auto& info) { return info.param; });

TEST(WriteContents, QuantisesAndSaysSo) {
  const GoldenModel golden = make_golden("llama");
  const auto path = std::filesystem::path(testing::TempDir()) / "quantised.gguf";
  const auto contents = read_contents(golden.folder);
  ASSERT_TRUE(contents.ok()) << contents.error().message;
  ThreadTeam team(2);
  const auto report = write_contents(*contents, path, team, {.mixture = find_mixture("Q8_0"), .on_progress = {}});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_LT(report->bytes_after, report->bytes_before / 2);
  const auto file = format::GgufFile::open(path);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(*file->metadata().get_u32("general.file_type"), 7u);
  EXPECT_EQ(file->get_tensor("blk.0.attn_q.weight")->type, DType::kQ8_0);
  EXPECT_EQ(file->get_tensor("blk.0.attn_norm.weight")->type, DType::kF32);

  // Once more from the file onto itself, as F16.
  const auto again = read_contents(path);
  ASSERT_TRUE(again.ok());
  ASSERT_TRUE(write_contents(*again, path, team, {.mixture = find_mixture("F16"), .on_progress = {}}).ok());
  EXPECT_EQ(format::GgufFile::open(path)->get_tensor("blk.0.attn_q.weight")->type, DType::kF16);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace rival::model
