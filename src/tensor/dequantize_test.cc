#include "tensor/dequantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/file.h"
#include "tensor/half.h"

namespace rival {
namespace {

// Every half: to float by the definition (sign, exponent, fraction), and back to itself.
TEST(Half, EveryF16ConvertsExactly) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const int exponent = half >> 10 & 31, fraction = half & 0x3ff;
    const double sign = half & 0x8000 ? -1 : 1;
    const float value = f16_to_f32(half);
    if (exponent == 31 && fraction != 0) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value)))) << bits;
      continue;
    }
    const double expected = exponent == 31  ? std::numeric_limits<double>::infinity()
                            : exponent == 0 ? std::ldexp(fraction, -24)
                                            : std::ldexp(1024 + fraction, exponent - 25);
    ASSERT_EQ(value, static_cast<float>(sign * expected)) << bits;
    ASSERT_EQ(f32_to_f16(value), half) << bits;
  }
}

// Between two neighbouring halves: the nearer one, and the even one at the middle.
TEST(Half, F16RoundsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const auto low = static_cast<uint16_t>(bits), high = static_cast<uint16_t>(bits + 1);
    const float middle = (f16_to_f32(low) + f16_to_f32(high)) / 2;
    ASSERT_EQ(f32_to_f16(middle), bits % 2 == 0 ? low : high) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 0.0f)), low) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafter(-middle, -1e9f)), high | 0x8000) << bits;
  }
  EXPECT_EQ(f32_to_f16(65519.99f), 0x7bff);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(f32_to_f16(-1e30f), 0xfc00);
}

TEST(Half, Bf16RoundsToNearestEven) {
  EXPECT_EQ(f32_to_bf16(1.0f), 0x3f80);
  EXPECT_EQ(f32_to_bf16(1.00390625f), 0x3f80);  // half a step above 1: even
  EXPECT_EQ(f32_to_bf16(1.01171875f), 0x3f82);  // half a step above the odd neighbour
  EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7f800001u)))));
  EXPECT_EQ(bf16_to_f32(0xbf80), -1.0f);
}

// golden/blocks.bin is written by tools/golden_blocks.py with llama.cpp's gguf-py as the decoder.
TEST(Dequantize, EqualsGgufPyOnEveryType) {
  const auto golden = read_file(RIVAL_SOURCE_DIR "/src/tensor/golden/blocks.bin", 1 << 20);
  ASSERT_TRUE(golden.ok()) << golden.error().message;
  size_t types = 0;
  for (size_t at = 0; at < golden->size(); ++types) {
    uint32_t header[3];
    std::memcpy(header, golden->data() + at, sizeof header);
    at += sizeof header;
    const DType type = *find_dtype(header[0]);
    const size_t bytes = header[1] * dtype_info(type).block_bytes, weights = header[2];
    ASSERT_EQ(row_bytes(type, weights), bytes);
    std::vector<float> expected(weights), actual(weights);
    std::memcpy(expected.data(), golden->data() + at + bytes, weights * sizeof(float));
    dequantize_row(type, reinterpret_cast<const std::byte*>(golden->data() + at), actual.data(), weights);
    at += bytes + weights * sizeof(float);
    for (size_t i = 0; i < weights; ++i)
      ASSERT_NEAR(actual[i], expected[i], 1e-6f * std::abs(expected[i]))
          << dtype_info(type).name << " weight " << i;
  }
  EXPECT_EQ(types, 13u);
}

TEST(Dequantize, PlainTypesConvertByValue) {
  const auto decode = [](DType type, const auto& values) {
    std::vector<float> out(std::size(values));
    dequantize_row(type, reinterpret_cast<const std::byte*>(std::data(values)), out.data(), out.size());
    return out;
  };
  using testing::ElementsAre;
  EXPECT_THAT(decode(DType::kF32, std::vector<float>{1.5f, -2}), ElementsAre(1.5f, -2));
  EXPECT_THAT(decode(DType::kF16, std::vector<uint16_t>{0x3c00, 0xc000}), ElementsAre(1, -2));
  EXPECT_THAT(decode(DType::kBF16, std::vector<uint16_t>{0x3f80, 0xc000}), ElementsAre(1, -2));
  EXPECT_THAT(decode(DType::kF64, std::vector<double>{0.1, -2}), ElementsAre(0.1f, -2));
  EXPECT_THAT(decode(DType::kI8, std::vector<int8_t>{-128, 7}), ElementsAre(-128, 7));
  EXPECT_THAT(decode(DType::kI16, std::vector<int16_t>{-3000, 7}), ElementsAre(-3000, 7));
  EXPECT_THAT(decode(DType::kI32, std::vector<int32_t>{-300000, 7}), ElementsAre(-300000, 7));
  EXPECT_THAT(decode(DType::kI64, std::vector<int64_t>{-300000, 7}), ElementsAre(-300000, 7));
}

TEST(Dequantize, Mxfp4ScaleExtremes) {
  std::byte block[17] = {};
  block[1] = std::byte{0x21};  // weight 0 is 0.5, weight 16 is 1
  float out[32];
  dequantize_row(DType::kMXFP4, block, out, 32);
  EXPECT_EQ(out[16], 0x1p-127f);
  block[0] = std::byte{254};
  dequantize_row(DType::kMXFP4, block, out, 32);
  EXPECT_EQ(out[0], 0x1p126f);
  block[0] = std::byte{255};
  dequantize_row(DType::kMXFP4, block, out, 32);
  EXPECT_TRUE(std::isnan(out[0]));
}

}  // namespace
}  // namespace rival
