// What our writers write, our readers read back; the layout itself is checked byte by byte in gguf_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <numeric>

#include "base/file.h"
#include "format/gguf.h"
#include "format/gguf_writer.h"
#include "format/safetensors.h"
#include "format/safetensors_writer.h"

namespace rival::format {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Writer : public testing::Test {
 protected:
  Writer() { std::filesystem::create_directory(folder_); }
  ~Writer() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / fmt::format("rival_writer_test_{}", ::getpid());
};

std::vector<std::byte> counting_bytes(size_t count, int first) {
  std::vector<std::byte> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(first + static_cast<int>(i));
  return bytes;
}

bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

Shape shape_of(std::initializer_list<uint64_t> dims) {
  return *make_shape("test", DType::kI8, std::vector<uint64_t>(dims));
}

MetadataBuilder sample_metadata() {
  MetadataBuilder metadata;
  metadata.set_string("general.architecture", "llama");
  metadata.set_u32("llama.block_count", 1);
  metadata.set_u64("a.u64", uint64_t{1} << 40);
  metadata.set_i32("a.i32", -1);
  metadata.set_f32("a.f32", 0.5f);
  metadata.set_bool("a.bool", true);
  metadata.set_strings("a.strings", std::vector<std::string_view>{"x", "", "yz"});
  metadata.set_u32s("a.u32s", std::vector<uint32_t>{1, 2});
  metadata.set_i32s("a.i32s", std::vector<int32_t>{-1, 2});
  metadata.set_f32s("a.f32s", std::vector<float>{1.5f});
  metadata.set_bools("a.bools", std::array{true, false});
  metadata.set_u32("llama.block_count", 2);  // replaces
  return metadata;
}

void write_gguf(const std::filesystem::path& path, const MetadataBuilder& metadata,
                std::vector<TensorPlan> plan) {
  auto writer = GgufWriter::create(path, metadata, plan);
  ASSERT_TRUE(writer.ok()) << writer.error().message;
  for (size_t i = 0; i < plan.size(); ++i) {
    const auto bytes = counting_bytes(tensor_bytes(plan[i].type, plan[i].shape), static_cast<int>(i));
    ASSERT_TRUE(writer->append(std::span(bytes).first(3)).ok());
    ASSERT_TRUE(writer->append(std::span(bytes).subspan(3)).ok());
  }
  ASSERT_TRUE(writer->finish().ok());
}

TEST_F(Writer, GgufReadsBack) {
  const auto path = folder_ / "a.gguf";
  write_gguf(path, sample_metadata(),
             {{"vector", DType::kF32, shape_of({3})},
              {"matrix", DType::kQ4_0, shape_of({32, 2})},
              {"experts", DType::kF16, shape_of({2, 1, 3})}});
  const auto file = GgufFile::open(path);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const Metadata& metadata = file->metadata();
  EXPECT_EQ(metadata.entries().size(), 11u);
  EXPECT_EQ(*metadata.get_u32("llama.block_count"), 2u);
  EXPECT_EQ(*metadata.get_u64("a.u64"), uint64_t{1} << 40);
  EXPECT_EQ(*metadata.get_i64("a.i32"), -1);
  EXPECT_EQ(*metadata.get_f32("a.f32"), 0.5f);
  EXPECT_TRUE(*metadata.get_bool("a.bool"));
  EXPECT_THAT(*metadata.get_strings("a.strings"), ElementsAre("x", "", "yz"));
  EXPECT_THAT(*metadata.get_u32_per_layer("a.u32s", 2), ElementsAre(1, 2));
  EXPECT_THAT(*metadata.get_u32_per_layer("a.bools", 2), ElementsAre(1, 0));
  EXPECT_THAT(*metadata.get_i32s("a.i32s"), ElementsAre(-1, 2));
  EXPECT_THAT(*metadata.get_f32s("a.f32s"), ElementsAre(1.5f));
  ASSERT_EQ(file->tensors().size(), 3u);
  EXPECT_EQ(file->get_tensor("experts")->shape, shape_of({2, 1, 3}));
  EXPECT_TRUE(same_bytes(file->get_tensor("vector")->bytes, counting_bytes(12, 0)));
  EXPECT_TRUE(same_bytes(file->get_tensor("matrix")->bytes, counting_bytes(36, 1)));
  EXPECT_TRUE(same_bytes(file->get_tensor("experts")->bytes, counting_bytes(12, 2)));
  EXPECT_EQ(file->get_tensor("none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(file->file_of(*file->find_tensor("matrix")).path(), path);
  EXPECT_EQ(std::filesystem::file_size(path) % kGgufAlignment, 0u);
}

TEST_F(Writer, GgufMetadataCopiesAsItIs) {
  const auto a = folder_ / "a.gguf", b = folder_ / "b.gguf";
  write_gguf(a, sample_metadata(), {});
  const auto file = GgufFile::open(a);
  ASSERT_TRUE(file.ok());
  MetadataBuilder copy;
  copy.copy_all(file->metadata());
  write_gguf(b, copy, {});
  EXPECT_EQ(*read_file(a, 1 << 20), *read_file(b, 1 << 20));
}

TEST_F(Writer, GgufShardsOpenTogetherFromAnyOfThem) {
  for (uint32_t i = 0; i < 3; ++i) {
    MetadataBuilder metadata;
    if (i == 0) metadata.set_string("general.architecture", "llama");
    metadata.set_u32("split.no", i);
    metadata.set_u32("split.count", 3);
    metadata.set_i32("split.tensors.count", 2);
    std::vector<TensorPlan> plan;  // the first shard may hold metadata alone
    if (i > 0) plan.push_back({fmt::format("t{}", i), DType::kF32, shape_of({i})});
    write_gguf(folder_ / gguf_shard_name("m", i, 3), metadata, plan);
  }
  for (uint32_t i = 0; i < 3; ++i) {
    const auto file = GgufFile::open(folder_ / gguf_shard_name("m", i, 3));
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(*file->metadata().get_string("general.architecture"), "llama");
    EXPECT_EQ(file->tensors().size(), 2u);
    EXPECT_EQ(file->file_of(*file->find_tensor("t2")).path().filename(), "m-00003-of-00003.gguf");
  }
  std::filesystem::rename(folder_ / gguf_shard_name("m", 1, 3), folder_ / "other.gguf");
  EXPECT_EQ(GgufFile::open(folder_ / gguf_shard_name("m", 0, 3)).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(GgufFile::open(folder_ / "other.gguf").error().message,
              HasSubstr("does not end in -00002-of-00003.gguf"));
  std::filesystem::copy(folder_ / gguf_shard_name("m", 2, 3), folder_ / gguf_shard_name("m", 1, 3));
  EXPECT_THAT(GgufFile::open(folder_ / gguf_shard_name("m", 0, 3)).error().message,
              HasSubstr("is shard 3 of 3 by its metadata; expected shard 2 of 3"));
}

Status write_counting(const std::filesystem::path& folder, std::span<const SafetensorsPlan> plan,
                      const SafetensorsOptions& options = {}) {
  const auto produce = [&](size_t index, const TensorSink& sink) {
    uint64_t elements = 1;
    for (const uint64_t dim : plan[index].shape) elements *= dim;
    return sink(counting_bytes(row_bytes(plan[index].type, elements), static_cast<int>(index)));
  };
  return write_safetensors(folder, plan, produce, options);
}

const std::vector<SafetensorsPlan> kPlan = {
    {"a.weight", DType::kBF16, {2, 3}}, {"a.bias", DType::kF32, {2}}, {"scale", DType::kF32, {}}};

TEST_F(Writer, SafetensorsReadBack) {
  ASSERT_TRUE(write_counting(folder_, kPlan).ok());
  const auto file = SafetensorsFile::open(folder_);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_THAT(file->metadata(), ElementsAre(testing::Pair("format", "pt")));
  const auto weight = file->get_tensor("a.weight");
  ASSERT_TRUE(weight.ok());
  EXPECT_EQ(weight->type, DType::kBF16);
  EXPECT_EQ(weight->shape, shape_of({3, 2}));
  EXPECT_TRUE(same_bytes(weight->bytes, counting_bytes(12, 0)));
  EXPECT_TRUE(same_bytes(file->get_tensor("scale")->bytes, counting_bytes(4, 2)));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "model.safetensors.index.json"));
}

TEST_F(Writer, SafetensorsShardBySize) {
  ASSERT_TRUE(write_counting(folder_, kPlan, {.shard_bytes_max = 12, .metadata = {}}).ok());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "model-00002-of-00002.safetensors"));
  const auto file = SafetensorsFile::open(folder_);
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_EQ(file->tensors().size(), 3u);
  EXPECT_TRUE(same_bytes(file->get_tensor("a.bias")->bytes, counting_bytes(8, 1)));
  EXPECT_EQ(file->file_of(*file->find_tensor("scale")).path().filename(), "model-00002-of-00002.safetensors");
}

TEST_F(Writer, SafetensorsIndexCannotLeadElsewhere) {
  const auto index = folder_ / "model.safetensors.index.json";
  ASSERT_TRUE(write_counting(folder_, kPlan).ok());
  for (const std::string_view shard : {"../model.safetensors", "/etc/passwd", "", ".."}) {
    ASSERT_TRUE(
        write_file_atomically(index, fmt::format(R"({{"weight_map": {{"scale": "{}"}}}})", shard)).ok());
    EXPECT_THAT(SafetensorsFile::open(folder_).error().message, HasSubstr("not a plain file name")) << shard;
  }
  ASSERT_TRUE(write_file_atomically(index, R"({"weight_map": {"other": "model.safetensors"}})").ok());
  EXPECT_THAT(SafetensorsFile::open(folder_).error().message, HasSubstr("tensor 'other' is not in"));
  ASSERT_TRUE(write_file_atomically(index, R"({"weight_map": {"scale": "model.safetensors"}})").ok());
  EXPECT_TRUE(SafetensorsFile::open(folder_).ok());
}

TEST_F(Writer, FailedProducerLeavesNoFile) {
  const auto fail = [](size_t, const TensorSink&) {
    return Status(make_error(ErrorCode::kCancelled, "stop"));
  };
  EXPECT_EQ(write_safetensors(folder_, kPlan, fail).error().code, ErrorCode::kCancelled);
  const auto silent = [](size_t, const TensorSink&) { return Status(); };
  EXPECT_EQ(write_safetensors(folder_, kPlan, silent).error().code, ErrorCode::kInternal);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace rival::format
