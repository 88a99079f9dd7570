#include "tensor/quantize.h"

#include <array>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "tensor/half.h"
#include "tensor/quantize_blocks.h"
#include "tensor/quantize_fit.h"

namespace rival {
namespace {

using quantize_fit::fit_affine;
using quantize_fit::fit_scale;
using quantize_fit::Iq4Grid;
using quantize_fit::kTiny;
using quantize_fit::round_even;
using quantize_fit::to_f16_scale;
using quantize_fit::UniformGrid;

float inverse_of(float scale) { return std::abs(scale) < kTiny ? 0.0f : 1.0f / scale; }

int affine_code(float x, float min, float inverse, float code_max) {
  return static_cast<int>(round_even(std::min(std::max((x - min) * inverse, 0.0f), code_max)));
}

// Codes of 32 weights to nibbles: weight j low, weight j + 16 high; bit 4, where there is one, to qh.
void pack_nibbles(const std::array<int, 32>& codes, uint8_t (&qs)[16]) {
  for (size_t j = 0; j < 16; ++j) qs[j] = static_cast<uint8_t>((codes[j] & 15) | (codes[j + 16] & 15) << 4);
}
void pack_fifth_bits(const std::array<int, 32>& codes, uint8_t (&qh)[4]) {
  std::memset(qh, 0, sizeof qh);
  for (size_t j = 0; j < 32; ++j) qh[j / 8] |= static_cast<uint8_t>((codes[j] >> 4 & 1) << (j % 8));
}

// Q4_0 and Q5_0: code - zero times a scale.
std::array<int, 32> encode_symmetric(const float* x, const float* w, float zero, uint16_t& d) {
  const UniformGrid grid{-zero, zero - 1.0f};
  d = to_f16_scale(fit_scale<32>(x, w, grid));
  const float inverse = inverse_of(f16_to_f32(d));
  std::array<int, 32> codes;
  for (size_t j = 0; j < 32; ++j) codes[j] = static_cast<int>(grid.nearest(x[j] * inverse) + zero);
  return codes;
}

// Q4_1 and Q5_1: code times a scale plus a min.
std::array<int, 32> encode_affine(const float* x, const float* w, float code_max, uint16_t& d, uint16_t& m) {
  const auto fit = fit_affine<32>(x, w, code_max, /*min_negative=*/false);
  d = to_f16_scale(fit.scale);
  m = to_f16_scale(fit.min);
  const float inverse = inverse_of(f16_to_f32(d)), min = f16_to_f32(m);
  std::array<int, 32> codes;
  for (size_t j = 0; j < 32; ++j) codes[j] = affine_code(x[j], min, inverse, code_max);
  return codes;
}

// The E2M1 magnitudes, doubled: nearest, ties to the even code.
int e2m1_code(float doubled) {
  constexpr std::array<float, 7> kMiddles = {0.5f, 1.5f, 2.5f, 3.5f, 5.0f, 7.0f, 10.0f};
  int code = 0;
  for (size_t k = 0; k < kMiddles.size(); ++k)
    code += k % 2 == 0 ? doubled > kMiddles[k]
                       : doubled >= kMiddles[k];  // the middle above an even code stays there
  return code;
}

std::array<int, 32> mxfp4_codes(const float* x, int exponent) {
  const float scale = std::ldexp(1.0f, 128 - exponent);
  std::array<int, 32> codes;
  for (size_t j = 0; j < 32; ++j) codes[j] = e2m1_code(std::abs(x[j]) * scale) | (std::signbit(x[j]) ? 8 : 0);
  return codes;
}

float mxfp4_error(const float* x, const float* w, int exponent, const std::array<int, 32>& codes) {
  const float scale = std::ldexp(1.0f, exponent - 128);
  float error = 0.0f;
  for (size_t j = 0; j < 32; ++j) {
    const float difference = x[j] - scale * static_cast<float>(kMxfp4Values[static_cast<size_t>(codes[j])]);
    error += w[j] * difference * difference;
  }
  return error;
}

}  // namespace

void encode_block(const float* x, const float* w, BlockQ4_0& block) {
  pack_nibbles(encode_symmetric(x, w, 8.0f, block.d), block.qs);
}

void encode_block(const float* x, const float* w, BlockQ5_0& block) {
  const auto codes = encode_symmetric(x, w, 16.0f, block.d);
  pack_nibbles(codes, block.qs);
  pack_fifth_bits(codes, block.qh);
}

void encode_block(const float* x, const float* w, BlockQ4_1& block) {
  pack_nibbles(encode_affine(x, w, 15.0f, block.d, block.m), block.qs);
}

void encode_block(const float* x, const float* w, BlockQ5_1& block) {
  const auto codes = encode_affine(x, w, 31.0f, block.d, block.m);
  pack_nibbles(codes, block.qs);
  pack_fifth_bits(codes, block.qh);
}

void encode_block(const float* x, const float*, BlockQ8_0& block) {
  block.d = to_f16_scale(quantize_fit::max_magnitude<32>(x) / 127.0f);
  const float inverse = inverse_of(f16_to_f32(block.d));
  const UniformGrid grid{-127.0f, 127.0f};
  for (int j = 0; j < 32; ++j) block.qs[j] = static_cast<int8_t>(grid.nearest(x[j] * inverse));
}

void encode_block(const float* x, const float* w, BlockIQ4_NL& block) {
  block.d = to_f16_scale(fit_scale<32>(x, w, Iq4Grid{}));
  const float inverse = inverse_of(f16_to_f32(block.d));
  std::array<int, 32> codes;
  for (size_t j = 0; j < 32; ++j) codes[j] = Iq4Grid::index(x[j] * inverse);
  pack_nibbles(codes, block.qs);
}

void encode_block(const float* x, const float* w, BlockMXFP4& block) {
  const float max = quantize_fit::max_magnitude<32>(x);
  // OCP MX: the largest weight's exponent less that of the largest element, 2. One more keeps it from
  // saturating.
  const int first = max > 0.0f ? std::clamp(std::ilogb(max) - 2 + 127, 0, 254) : 0;
  const int second = std::min(first + 1, 254);
  const auto low = mxfp4_codes(x, first), high = mxfp4_codes(x, second);
  const bool better = mxfp4_error(x, w, second, high) < mxfp4_error(x, w, first, low);
  block.e = static_cast<uint8_t>(better ? second : first);
  pack_nibbles(better ? high : low, block.qs);
}

// ---- rows -----------------------------------------------------------------------------------------------

namespace {

template <typename Block, int N>
void encode_row(const float* x, std::byte* out, uint64_t elements, const float* importance) {
  std::array<float, N> ones;
  ones.fill(1.0f);
  for (uint64_t i = 0; i < elements; i += N) {
    Block block;
    encode_block(x + i, importance ? importance + i : ones.data(), block);
    std::memcpy(out + i / N * sizeof(Block), &block, sizeof(Block));
  }
}

template <typename T, typename Convert>
void convert_row(const float* x, std::byte* out, uint64_t elements, const Convert& convert) {
  for (uint64_t i = 0; i < elements; ++i) {
    const T value = convert(x[i]);
    std::memcpy(out + i * sizeof(T), &value, sizeof(T));
  }
}

}  // namespace

bool can_quantize(DType type) {
  switch (type) {
    case DType::kI8:
    case DType::kI16:
    case DType::kI32:
    case DType::kI64: return false;
    default: return true;
  }
}

void quantize_row(DType type, const float* weights, std::byte* out, uint64_t elements,
                  const float* importance) {
  RIVAL_CHECK(can_quantize(type) && elements % dtype_info(type).block_elements == 0, "{} elements of {}",
              elements, dtype_info(type).name);
  switch (type) {
    case DType::kF32: std::memcpy(out, weights, elements * sizeof(float)); return;
    case DType::kF16: return convert_row<uint16_t>(weights, out, elements, f32_to_f16);
    case DType::kBF16: return convert_row<uint16_t>(weights, out, elements, f32_to_bf16);
    case DType::kF64: return convert_row<double>(weights, out, elements, [](float x) { return double{x}; });
    case DType::kQ4_0: return encode_row<BlockQ4_0, 32>(weights, out, elements, importance);
    case DType::kQ4_1: return encode_row<BlockQ4_1, 32>(weights, out, elements, importance);
    case DType::kQ5_0: return encode_row<BlockQ5_0, 32>(weights, out, elements, importance);
    case DType::kQ5_1: return encode_row<BlockQ5_1, 32>(weights, out, elements, importance);
    case DType::kQ8_0: return encode_row<BlockQ8_0, 32>(weights, out, elements, importance);
    case DType::kIQ4_NL: return encode_row<BlockIQ4_NL, 32>(weights, out, elements, importance);
    case DType::kMXFP4: return encode_row<BlockMXFP4, 32>(weights, out, elements, importance);
    case DType::kQ2_K: return encode_row<BlockQ2_K, 256>(weights, out, elements, importance);
    case DType::kQ3_K: return encode_row<BlockQ3_K, 256>(weights, out, elements, importance);
    case DType::kQ4_K: return encode_row<BlockQ4_K, 256>(weights, out, elements, importance);
    case DType::kQ5_K: return encode_row<BlockQ5_K, 256>(weights, out, elements, importance);
    case DType::kQ6_K: return encode_row<BlockQ6_K, 256>(weights, out, elements, importance);
    case DType::kIQ4_XS: return encode_row<BlockIQ4_XS, 256>(weights, out, elements, importance);
    case DType::kI8:
    case DType::kI16:
    case DType::kI32:
    case DType::kI64: return;
  }
}

}  // namespace rival
