#include "tensor/dequantize.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "tensor/blocks.h"
#include "tensor/half.h"

namespace rival {
namespace {

// Low nibbles are the first half of a group, high nibbles the second.
int nibble(const uint8_t* qs, int j, int half) { return j < half ? qs[j] & 15 : qs[j - half] >> 4; }

int fifth_bit(const uint8_t (&qh)[4], int j) { return (qh[j / 8] >> (j % 8) & 1) << 4; }

// ---- blocks of 32 ---------------------------------------------------------------------------------------

void decode(const BlockQ4_0& block, float* out) {
  const float d = f16_to_f32(block.d);
  for (int j = 0; j < 32; ++j) out[j] = static_cast<float>(nibble(block.qs, j, 16) - 8) * d;
}

void decode(const BlockQ4_1& block, float* out) {
  const float d = f16_to_f32(block.d), m = f16_to_f32(block.m);
  for (int j = 0; j < 32; ++j) out[j] = static_cast<float>(nibble(block.qs, j, 16)) * d + m;
}

void decode(const BlockQ5_0& block, float* out) {
  const float d = f16_to_f32(block.d);
  for (int j = 0; j < 32; ++j)
    out[j] = static_cast<float>((nibble(block.qs, j, 16) | fifth_bit(block.qh, j)) - 16) * d;
}

void decode(const BlockQ5_1& block, float* out) {
  const float d = f16_to_f32(block.d), m = f16_to_f32(block.m);
  for (int j = 0; j < 32; ++j)
    out[j] = static_cast<float>(nibble(block.qs, j, 16) | fifth_bit(block.qh, j)) * d + m;
}

void decode(const BlockQ8_0& block, float* out) {
  const float d = f16_to_f32(block.d);
  for (int j = 0; j < 32; ++j) out[j] = static_cast<float>(block.qs[j]) * d;
}

void decode(const BlockIQ4_NL& block, float* out) {
  const float d = f16_to_f32(block.d);
  for (int j = 0; j < 32; ++j) out[j] = static_cast<float>(kIq4Values[nibble(block.qs, j, 16)]) * d;
}

void decode(const BlockMXFP4& block, float* out) {
  // Half of 2^(e - 127), because the table holds the values doubled.
  const float d = block.e == 255 ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0f, block.e - 128);
  for (int j = 0; j < 32; ++j) out[j] = static_cast<float>(kMxfp4Values[nibble(block.qs, j, 16)]) * d;
}

// ---- blocks of 256 --------------------------------------------------------------------------------------

// Two bits a weight: 32 bytes hold 128 weights, weight l + 32 k at bits 2k of byte l (l < 32, k < 4).
int two_bits(const uint8_t (&qs)[64], int i) { return qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3; }

void decode(const BlockQ2_K& block, float* out) {
  const float d = f16_to_f32(block.d), dmin = f16_to_f32(block.dmin);
  for (int i = 0; i < 256; ++i) {
    const uint8_t scale = block.scales[i / 16];
    const float dl = d * static_cast<float>(scale & 15), ml = dmin * static_cast<float>(scale >> 4);
    out[i] = dl * static_cast<float>(two_bits(block.qs, i)) - ml;
  }
}

void decode(const BlockQ3_K& block, float* out) {
  const float d = f16_to_f32(block.d);
  for (int i = 0; i < 256; ++i) {
    const float dl = d * static_cast<float>(unpack_q3_scale(block.scales, i / 16));
    const int third = block.hmask[i % 32] >> (i / 32) & 1;
    out[i] = dl * static_cast<float>((two_bits(block.qs, i) | third << 2) - 4);
  }
}

void decode(const BlockQ4_K& block, float* out) {
  const float d = f16_to_f32(block.d), dmin = f16_to_f32(block.dmin);
  for (int i = 0; i < 256; ++i) {
    const ScaleMin s = unpack_scale_min(block.scales, i / 32);
    const int q = nibble(block.qs + i / 64 * 32, i % 64, 32);
    out[i] = d * static_cast<float>(s.scale) * static_cast<float>(q) - dmin * static_cast<float>(s.min);
  }
}

void decode(const BlockQ5_K& block, float* out) {
  const float d = f16_to_f32(block.d), dmin = f16_to_f32(block.dmin);
  for (int i = 0; i < 256; ++i) {
    const ScaleMin s = unpack_scale_min(block.scales, i / 32);
    const int fifth = block.qh[i % 32] >> (i / 32) & 1;
    const int q = nibble(block.qs + i / 64 * 32, i % 64, 32) | fifth << 4;
    out[i] = d * static_cast<float>(s.scale) * static_cast<float>(q) - dmin * static_cast<float>(s.min);
  }
}

void decode(const BlockQ6_K& block, float* out) {
  const float d = f16_to_f32(block.d);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, l = i % 128;
    const int low = nibble(block.ql + half * 64, l, 64);
    const int high = block.qh[half * 32 + l % 32] >> (l / 32 * 2) & 3;
    out[i] = d * static_cast<float>(block.scales[i / 16]) * static_cast<float>((low | high << 4) - 32);
  }
}

void decode(const BlockIQ4_XS& block, float* out) {
  const float d = f16_to_f32(block.d);
  for (int i = 0; i < 256; ++i) {
    const float dl = d * static_cast<float>(unpack_iq4_scale(block, i / 32));
    out[i] = dl * static_cast<float>(kIq4Values[nibble(block.qs + i / 32 * 16, i % 32, 16)]);
  }
}

// ---- rows -----------------------------------------------------------------------------------------------

template <typename Block>
void decode_row(const std::byte* blocks, float* out, uint64_t elements, uint64_t block_elements) {
  for (uint64_t i = 0; i < elements; i += block_elements) {
    Block block;
    std::memcpy(&block, blocks + i / block_elements * sizeof(Block), sizeof(Block));
    decode(block, out + i);
  }
}

template <typename T, typename Convert>
void convert_row(const std::byte* values, float* out, uint64_t elements, const Convert& convert) {
  for (uint64_t i = 0; i < elements; ++i) {
    T value;
    std::memcpy(&value, values + i * sizeof(T), sizeof(T));
    out[i] = convert(value);
  }
}

template <typename T>
float to_float(T value) {
  return static_cast<float>(value);
}

}  // namespace

void dequantize_row(DType type, const std::byte* blocks, float* out, uint64_t elements) {
  const uint64_t n = dtype_info(type).block_elements;
  RIVAL_CHECK(elements % n == 0, "{} elements of {}", elements, dtype_info(type).name);
  switch (type) {
    case DType::kF32: std::memcpy(out, blocks, elements * sizeof(float)); return;
    case DType::kF16: return convert_row<uint16_t>(blocks, out, elements, f16_to_f32);
    case DType::kBF16: return convert_row<uint16_t>(blocks, out, elements, bf16_to_f32);
    case DType::kF64: return convert_row<double>(blocks, out, elements, to_float<double>);
    case DType::kI8: return convert_row<int8_t>(blocks, out, elements, to_float<int8_t>);
    case DType::kI16: return convert_row<int16_t>(blocks, out, elements, to_float<int16_t>);
    case DType::kI32: return convert_row<int32_t>(blocks, out, elements, to_float<int32_t>);
    case DType::kI64: return convert_row<int64_t>(blocks, out, elements, to_float<int64_t>);
    case DType::kQ4_0: return decode_row<BlockQ4_0>(blocks, out, elements, n);
    case DType::kQ4_1: return decode_row<BlockQ4_1>(blocks, out, elements, n);
    case DType::kQ5_0: return decode_row<BlockQ5_0>(blocks, out, elements, n);
    case DType::kQ5_1: return decode_row<BlockQ5_1>(blocks, out, elements, n);
    case DType::kQ8_0: return decode_row<BlockQ8_0>(blocks, out, elements, n);
    case DType::kIQ4_NL: return decode_row<BlockIQ4_NL>(blocks, out, elements, n);
    case DType::kMXFP4: return decode_row<BlockMXFP4>(blocks, out, elements, n);
    case DType::kQ2_K: return decode_row<BlockQ2_K>(blocks, out, elements, n);
    case DType::kQ3_K: return decode_row<BlockQ3_K>(blocks, out, elements, n);
    case DType::kQ4_K: return decode_row<BlockQ4_K>(blocks, out, elements, n);
    case DType::kQ5_K: return decode_row<BlockQ5_K>(blocks, out, elements, n);
    case DType::kQ6_K: return decode_row<BlockQ6_K>(blocks, out, elements, n);
    case DType::kIQ4_XS: return decode_row<BlockIQ4_XS>(blocks, out, elements, n);
  }
}

}  // namespace rival
