#include "tensor/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "tensor/dequantize.h"
#include "tensor/half.h"

namespace rival {
namespace {

constexpr DType kBlockTypes[] = {DType::kQ4_0,   DType::kQ4_1,   DType::kQ5_0, DType::kQ5_1, DType::kQ8_0,
                                 DType::kQ2_K,   DType::kQ3_K,   DType::kQ4_K, DType::kQ5_K, DType::kQ6_K,
                                 DType::kIQ4_NL, DType::kIQ4_XS, DType::kMXFP4};

std::vector<float> round_trip(DType type, const std::vector<float>& weights,
                              const float* importance = nullptr) {
  std::vector<std::byte> blocks(row_bytes(type, weights.size()));
  quantize_row(type, weights.data(), blocks.data(), weights.size(), importance);
  std::vector<float> decoded(weights.size());
  dequantize_row(type, blocks.data(), decoded.data(), decoded.size());
  return decoded;
}

std::vector<float> random_weights(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<float> weights(count);
  for (float& weight : weights)
    weight = static_cast<float>(random.next_double() + random.next_double() - 1.0);
  return weights;
}

struct Reference {
  DType type;
  double plain, weighted;  // llama.cpp's sums of squared errors
};

struct Golden {
  uint32_t rows = 0, columns = 0;
  std::vector<float> weights, importance;
  std::vector<Reference> references;
};

// golden/quantize.bin, written by tools/golden_quantize.py.
Golden read_golden() {
  const std::string bytes = *read_file(RIVAL_SOURCE_DIR "/src/tensor/golden/quantize.bin", 1 << 20);
  size_t at = 0;
  const auto next = [&]<typename T>(T& value) {
    std::memcpy(&value, bytes.data() + at, sizeof value);
    at += sizeof value;
  };
  Golden golden;
  next(golden.rows);
  next(golden.columns);
  golden.weights.resize(golden.rows * golden.columns);
  for (float& weight : golden.weights) {
    uint16_t half;
    next(half);
    weight = f16_to_f32(half);
  }
  golden.importance.resize(golden.columns);
  for (float& value : golden.importance) next(value);
  while (at < bytes.size()) {
    uint32_t id;
    Reference reference{};
    next(id);
    next(reference.plain);
    next(reference.weighted);
    reference.type = *find_dtype(id);
    golden.references.push_back(reference);
  }
  return golden;
}

double squared_error(const Golden& golden, DType type, bool weighted) {
  double sum = 0.0;
  for (uint32_t row = 0; row < golden.rows; ++row) {
    const auto begin = golden.weights.begin() + row * golden.columns;
    const std::vector<float> weights(begin, begin + golden.columns);
    const auto decoded = round_trip(type, weights, weighted ? golden.importance.data() : nullptr);
    for (uint32_t i = 0; i < golden.columns; ++i)
      sum += std::pow(double{decoded[i]} - weights[i], 2) * (weighted ? golden.importance[i] : 1.0);
  }
  return sum;
}

TEST(Quantize, ErrorIsNotAboveLlamaCpp) {
  const Golden golden = read_golden();
  ASSERT_EQ(golden.references.size(), std::size(kBlockTypes));
  for (const Reference& reference : golden.references) {
    const std::string name(dtype_info(reference.type).name);
    const double plain = squared_error(golden, reference.type, false) / reference.plain;
    const double weighted = squared_error(golden, reference.type, true) / reference.weighted;
    EXPECT_LE(plain, 1.0) << name;
    EXPECT_LE(weighted, 1.0) << name;
    RecordProperty(name, fmt::format("plain {:.3f} weighted {:.3f}", plain, weighted));
  }
}

// Weights that lie on a type's grid are found again, nearly so where a search has to find packed scales too.
TEST(Quantize, DecodedWeightsSurviveASecondRound) {
  for (const DType type : kBlockTypes) {
    const auto once = round_trip(type, random_weights(1024, 3));
    const auto twice = round_trip(type, once);
    double change = 0.0, size = 0.0;
    for (size_t i = 0; i < once.size(); ++i) {
      change += std::pow(twice[i] - once[i], 2);
      size += std::pow(once[i], 2);
    }
    EXPECT_LT(std::sqrt(change / size), type == DType::kQ2_K ? 3e-2 : 5e-3) << dtype_info(type).name;
  }
}

TEST(Quantize, PlainTypesRound) {
  const std::vector<float> weights = {1.0f, -0.1f, 3.14159f, 1e-7f};
  EXPECT_EQ(round_trip(DType::kF32, weights), weights);
  EXPECT_EQ(round_trip(DType::kF64, weights), weights);
  for (size_t i = 0; i < weights.size(); ++i) {
    EXPECT_EQ(round_trip(DType::kF16, weights)[i], f16_to_f32(f32_to_f16(weights[i])));
    EXPECT_EQ(round_trip(DType::kBF16, weights)[i], bf16_to_f32(f32_to_bf16(weights[i])));
  }
}

TEST(Quantize, ZerosTinyAndConstantRows) {
  for (const DType type : kBlockTypes) {
    for (const float value : round_trip(type, std::vector<float>(256, 0.0f))) ASSERT_EQ(value, 0.0f);
    for (const float value : round_trip(type, std::vector<float>(256, 1e-38f)))
      ASSERT_LT(std::abs(value), 1e-6f);
    for (const float value : round_trip(type, std::vector<float>(256, -1e-41f)))
      ASSERT_LT(std::abs(value), 1e-6f);
    for (const float constant : {0.75f, -0.75f})
      for (const float value : round_trip(type, std::vector<float>(256, constant)))
        ASSERT_NEAR(value, constant, 0.02f) << dtype_info(type).name;
  }
}

// A weight far outside the range of f16 scales stays finite.
TEST(Quantize, HugeWeightsStayFinite) {
  for (const DType type : kBlockTypes) {
    std::vector<float> weights = random_weights(256, 4);
    weights[17] = kQuantizeMagnitudeMax;
    weights[200] = -kQuantizeMagnitudeMax;
    for (const float value : round_trip(type, weights))
      ASSERT_TRUE(std::isfinite(value)) << dtype_info(type).name;
  }
}

TEST(Quantize, ZeroImportanceIsAllowed) {
  const std::vector<float> importance(256, 0.0f);
  for (const DType type : kBlockTypes)
    for (const float value : round_trip(type, random_weights(256, 5), importance.data()))
      ASSERT_LE(std::abs(value), 4.0f) << dtype_info(type).name;
}

// The one column that matters is kept well, at the cost of the others.
TEST(Quantize, ImportanceDirectsTheError) {
  const auto weights = random_weights(256, 6);
  for (const DType type : {DType::kQ4_0, DType::kQ2_K, DType::kQ3_K, DType::kQ4_K, DType::kIQ4_XS}) {
    std::vector<float> importance(256, 1e-4f);
    for (size_t i = 0; i < 256; i += 32) importance[i] = 1.0f;
    const auto plain = round_trip(type, weights), directed = round_trip(type, weights, importance.data());
    double plain_error = 0.0, directed_error = 0.0;
    for (size_t i = 0; i < 256; i += 32) {
      plain_error += std::pow(plain[i] - weights[i], 2);
      directed_error += std::pow(directed[i] - weights[i], 2);
    }
    EXPECT_LT(directed_error, plain_error / 4) << dtype_info(type).name;
  }
}

TEST(Quantize, Mxfp4RoundsTiesToEvenCodes) {
  std::vector<float> weights(32, 0.0f);
  weights[0] = 6.0f;  // scale 1: the codes are 0 .5 1 1.5 2 3 4 6
  const float ties[] = {0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, 5.0f};
  const float even[] = {0.0f, 1.0f, 1.0f, 2.0f, 2.0f, 4.0f, 4.0f};
  for (size_t i = 0; i < 7; ++i) weights[i + 1] = ties[i];
  const auto decoded = round_trip(DType::kMXFP4, weights);
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(decoded[i + 1], even[i]) << ties[i];
  EXPECT_EQ(decoded[0], 6.0f);
}

}  // namespace
}  // namespace rival
