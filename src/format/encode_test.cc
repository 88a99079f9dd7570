#include "format/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstring>
#include <limits>

#include "format/gguf.h"
#include "tensor/dequantize.h"

namespace rival::format {
namespace {

using testing::HasSubstr;

// Rows of small numbers; element i of row r is r + i / 1000.
TensorSource counting_source(Shape shape) {
  TensorSource source{.name = "w", .shape = shape, .type = DType::kF32, .bytes = {}, .decode_row = {}, .release = {}};
  source.decode_row = [shape](uint64_t row, float* out) {
    for (uint64_t i = 0; i < shape.row(); ++i) out[i] = static_cast<float>(row) + static_cast<float>(i) / 1000.0f;
  };
  return source;
}

Result<std::vector<std::byte>> encode(const TensorSource& source, DType type, const Importance* importance = nullptr) {
  ThreadTeam team(2);
  std::vector<std::byte> bytes;
  const auto append = [&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return Status();
  };
  RIVAL_RETURN_IF_ERROR(encode_tensor(source, type, importance, team, append));
  return bytes;
}

// More rows than one piece holds, on two threads: all in order.
TEST(Encode, RowsComeInOrder) {
  const Shape shape{{1024, 3000, 1, 1}};
  const auto bytes = encode(counting_source(shape), DType::kF32);
  ASSERT_TRUE(bytes.ok());
  ASSERT_EQ(bytes->size(), shape.elements() * 4);
  for (uint64_t row = 0; row < shape.rows(); ++row) {
    float values[2];
    std::memcpy(values, bytes->data() + row * 4096, sizeof values);
    ASSERT_EQ(values[0], static_cast<float>(row));
    ASSERT_EQ(values[1], static_cast<float>(row) + 0.001f);
  }
}

TEST(Encode, TheSameTypeIsCopied) {
  const auto blocks = encode(counting_source({{64, 4, 1, 1}}), DType::kQ4_0);
  const TensorView view{.name = "w", .type = DType::kQ4_0, .shape = {{64, 4, 1, 1}}, .bytes = *blocks};
  EXPECT_EQ(*encode(make_source("w", view, nullptr), DType::kQ4_0), *blocks);
}

TEST(Encode, EveryMatrixHasItsOwnImportance) {
  const Shape shape{{32, 1, 2, 1}};
  Importance importance{.columns = 32, .sums = std::vector<float>(64, 1.0f), .counts = {1.0f, 1.0f}};
  importance.sums[32 + 31] = 1e6f;
  const auto plain = *encode(counting_source(shape), DType::kQ4_0);
  const auto weighted = *encode(counting_source(shape), DType::kQ4_0, &importance);
  const auto last_error = [](std::span<const std::byte> bytes, uint64_t row) {
    float out[32];
    dequantize_row(DType::kQ4_0, bytes.data() + row * 18, out, 32);
    return std::abs(out[31] - (static_cast<float>(row) + 0.031f));
  };
  EXPECT_TRUE(std::equal(plain.begin(), plain.begin() + 18, weighted.begin()));
  EXPECT_LT(last_error(weighted, 1), last_error(plain, 1));
}

TEST(Encode, RefusesWhatCannotBeEncoded) {
  TensorSource source = counting_source({{32, 4, 1, 1}});
  source.decode_row = [](uint64_t row, float* out) {
    std::fill_n(out, 32, 1.0f);
    if (row == 2) out[5] = std::numeric_limits<float>::quiet_NaN();
  };
  EXPECT_THAT(encode(source, DType::kQ8_0).error().message, HasSubstr("tensor 'w' has a weight in row 2"));
  const Importance importance{.columns = 64, .sums = std::vector<float>(64, 1.0f), .counts = {1.0f}};
  EXPECT_EQ(encode(counting_source({{32, 1, 1, 1}}), DType::kQ4_0, &importance).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(Importance, ReadsBackAndIsChecked) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("rival_importance_{}.gguf", ::getpid());
  ImportanceMatrix matrix{.tensors = {}, .chunk_tokens = 512, .chunks = 3, .texts = {"wiki"}};
  matrix.tensors["a.weight"] = {.columns = 2, .sums = {2, 4, 0, 0}, .counts = {2, 0}};
  ASSERT_TRUE(write_importance(path, matrix).ok());
  const auto read = read_importance(path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->chunks, 3u);
  EXPECT_EQ(read->texts, matrix.texts);
  ASSERT_NE(read->find("a.weight"), nullptr);
  EXPECT_THAT(read->find("a.weight")->mean_squares(0), testing::ElementsAre(1, 2));
  EXPECT_THAT(read->find("a.weight")->mean_squares(1), testing::ElementsAre(1, 1));  // never counted
  EXPECT_EQ(read->find("b.weight"), nullptr);

  matrix.tensors["a.weight"].sums[1] = -1.0f;
  ASSERT_TRUE(write_importance(path, matrix).ok());
  EXPECT_THAT(read_importance(path).error().message, HasSubstr("tensor 'a.weight.in_sum2' holds -1"));
  MetadataBuilder model;
  model.set_string("general.type", "model");
  ThreadTeam team(1);
  ASSERT_TRUE(encode_gguf(path, model, {}, team).ok());
  EXPECT_EQ(read_importance(path).error().code, ErrorCode::kUnsupported);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace rival::format
