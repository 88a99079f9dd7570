// Every golden model as folder -> GGUF -> folder is the model that it was.
#include "model/hf_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "format/gguf.h"
#include "format/safetensors.h"
#include "model/golden_model.h"
#include "model/hf_config.h"
#include "model/source.h"
#include "tensor/dequantize.h"

namespace rival::model {
namespace {

const std::filesystem::path kTemp = testing::TempDir();

// The golden's folder as a GGUF file and that as a folder again.
std::filesystem::path there_and_back(const GoldenModel& golden, const HfFolderOptions& options = {}) {
  ThreadTeam team(2);
  const auto file = kTemp / ("back_" + golden.name + ".gguf"), folder = kTemp / ("back_" + golden.name);
  std::filesystem::remove_all(folder);
  const auto contents = read_contents(golden.folder);
  EXPECT_TRUE(contents.ok()) << contents.error().message;
  EXPECT_TRUE(write_contents(*contents, file, team, {}).ok());
  const auto written = write_hf_folder(file, folder, team, options);
  EXPECT_TRUE(written.ok()) << written.error().message;
  std::filesystem::remove(file);
  return folder;
}

std::vector<float> values_of(const TensorView& tensor) {
  std::vector<float> values(tensor.shape.elements());
  dequantize_row(tensor.type, tensor.bytes.data(), values.data(), values.size());
  return values;
}

class RoundTrip : public testing::TestWithParam<std::string> {};

TEST_P(RoundTrip, TensorsAndConfigurationAreTheSame) {
  const GoldenModel golden = make_golden(GetParam());
  const auto folder = there_and_back(golden);
  auto before = open_model(golden.folder), after = open_model(folder);
  ASSERT_TRUE(before.ok() && after.ok()) << (after.ok() ? "" : after.error().message);
  EXPECT_EQ(after->config, before->config);
  const auto expected = run_golden(*before, golden, 64, 2), found = run_golden(*after, golden, 64, 2);
  ASSERT_EQ(found.size(), expected.size());
  const bool blocks = golden.name == "gpt_oss_mxfp4";  // comes back as plain numbers, which meet plain activations
  for (size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], (blocks ? 2e-3 : 1e-5) * golden.max) << i;
  if (blocks) return;
  const auto old_file = format::SafetensorsFile::open(golden.folder), new_file = format::SafetensorsFile::open(folder);
  for (const TensorView& tensor : old_file->tensors()) {
    if (tensor.name.starts_with("pooler.")) continue;  // no part of the embedding
    const TensorView* other = new_file->find_tensor(tensor.name);
    ASSERT_NE(other, nullptr) << tensor.name;
    ASSERT_EQ(other->shape, tensor.shape) << tensor.name;
    const auto a = values_of(tensor), b = values_of(*other);
    for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 2e-7) << tensor.name << " " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RoundTrip, testing::ValuesIn(golden_names()), [](const auto& info) { return info.param; });

TEST(HfFolder, ShardsAndRoundsAsAsked) {
  const auto folder = there_and_back(make_golden("llama"), {.type = DType::kBF16, .shard_bytes_max = 60'000, .on_progress = {}});
  EXPECT_TRUE(std::filesystem::exists(folder / "model.safetensors.index.json"));
  const auto opened = open_model(folder);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened->weights_type, "BF16");
}

// The golden model of Phi-3 with RoPE scaled by `rope`, trained on 16 positions of 64.
GoldenModel scaled_phi3(std::string_view rope) {
  GoldenModel golden = make_golden("phi3");
  json::object config = *read_hf_object(golden.folder / "config.json");
  config.erase("rope_parameters");
  config["rope_scaling"] = parse_json(rope).value();
  config["max_position_embeddings"] = 64;
  config["original_max_position_embeddings"] = 16;
  EXPECT_TRUE(write_file_atomically(golden.folder / "config.json", to_json_text(config)).ok());
  return golden;
}

// Divisors of 2 all over are linear scaling by 2; of 1 they change nothing.
TEST(HfFolder, LongContextsTakeTheSecondListOfDivisors) {
  constexpr std::string_view kOnes = "[1,1,1,1,1,1,1,1]", kTwos = "[2,2,2,2,2,2,2,2]";
  const std::string lists = fmt::format(R"({{"rope_type": "longrope", "short_factor": {}, "long_factor": {}, "attention_factor": 1.0}})",
                                        kOnes, kTwos);
  auto linear = open_model(scaled_phi3(R"({"rope_type": "linear", "factor": 2.0})").folder);
  GoldenModel golden = scaled_phi3(lists);
  ASSERT_EQ(golden.ids.size(), 40u);
  for (const auto& folder : {golden.folder, there_and_back(golden)}) {
    auto source = open_model(folder);
    ASSERT_TRUE(linear.ok() && source.ok()) << (source.ok() ? "" : source.error().message);
    EXPECT_EQ(source->config.context_length, 16u);
    EXPECT_EQ(source->config.context_length_long, 64u);
    linear->config.context_length = 64;
    EXPECT_EQ(run_golden(*source, golden, 512, 1), run_golden(*linear, golden, 512, 1));
    EXPECT_EQ(source->config.context_length, 64u);
  }
}

TEST(HfFolder, RefusesBlockTypes) {
  ThreadTeam team(1);
  const GoldenModel golden = make_golden("llama");
  const auto file = kTemp / "refuse.gguf";
  ASSERT_TRUE(write_contents(*read_contents(golden.folder), file, team, {}).ok());
  const auto refused = write_hf_folder(file, kTemp / "refuse", team, {.type = DType::kQ4_0, .on_progress = {}});
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(kTemp / "refuse" / "config.json"));
}

}  // namespace
}  // namespace rival::model
