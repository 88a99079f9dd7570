// Blocks of 256: every group of weights has a small whole-number scale, and the block one or two f16 factors.
// Groups are fitted alone first; then factors and packed scales are settled together.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "tensor/half.h"
#include "tensor/quantize_blocks.h"
#include "tensor/quantize_fit.h"

namespace rival {
namespace {

using quantize_fit::affine_error;
using quantize_fit::AffineFit;
using quantize_fit::fit_affine;
using quantize_fit::fit_scale;
using quantize_fit::Iq4Grid;
using quantize_fit::kTiny;
using quantize_fit::round_even;
using quantize_fit::scale_error;
using quantize_fit::UniformGrid;

constexpr int kRounds = 2;  // of packing scales and solving for the factors; a third changes hardly a code

// A scale times the factor's reciprocal, as the nearest packed scale.
int pack(float scale, float factor, int lo, int hi) {
  if (std::abs(factor) < kTiny) return 0;
  return std::clamp(static_cast<int>(round_even(scale / factor)), lo, hi);
}

float as_f16(float value) { return f16_to_f32(quantize_fit::to_f16_scale(value)); }

// ---- d scale code (Q3_K, Q6_K, IQ4_XS) ------------------------------------------------------------------

template <int Groups>
struct ScaledBlock {
  float d = 0.0f;  // exactly an f16
  std::array<int, Groups> scales{};
  std::array<float, 256> codes{};  // grid values
};

// The packed scale near the fitted one that makes the least error with factor d.
template <int N, typename Grid>
int best_scale(const float* x, const float* w, const Grid& grid, float d, float fitted, int lo, int hi) {
  const int middle = pack(fitted, d, lo, hi);
  int best = middle;
  float best_error = scale_error<N>(x, w, grid, d * static_cast<float>(middle));
  for (const int scale : {middle - 1, middle + 1}) {
    if (scale < lo || scale > hi) continue;
    const float error = scale_error<N>(x, w, grid, d * static_cast<float>(scale));
    if (error < best_error) best = scale, best_error = error;
  }
  return best;
}

template <int Groups, typename Grid>
ScaledBlock<Groups> encode_scaled(const float* x, const float* w, const Grid& grid, int lo, int hi) {
  constexpr int N = 256 / Groups;
  std::array<float, Groups> fitted;
  for (int g = 0; g < Groups; ++g) fitted[g] = fit_scale<N>(x + g * N, w + g * N, grid);
  const float largest = *std::max_element(fitted.begin(), fitted.end(),
                                          [](float a, float b) { return std::abs(a) < std::abs(b); });
  ScaledBlock<Groups> block;
  block.d = as_f16(largest / static_cast<float>(lo));
  for (int round = 0; round < kRounds; ++round) {
    double sum_xq = 0.0, sum_qq = 0.0;
    for (int g = 0; g < Groups; ++g) {
      block.scales[g] = best_scale<N>(x + g * N, w + g * N, grid, block.d, fitted[g], lo, hi);
      const float scale = block.d * static_cast<float>(block.scales[g]);
      const float inverse = std::abs(scale) < kTiny ? 0.0f : 1.0f / scale;
      for (int i = g * N; i < (g + 1) * N; ++i) {
        block.codes[i] = grid.nearest(x[i] * inverse);
        const float q = block.codes[i] * static_cast<float>(block.scales[g]);
        sum_xq += double{w[i]} * x[i] * q;
        sum_qq += double{w[i]} * q * q;
      }
    }
    if (round + 1 < kRounds && sum_qq > 0.0) block.d = as_f16(static_cast<float>(sum_xq / sum_qq));
  }
  return block;
}

// ---- d scale code - dmin min (Q2_K, Q4_K, Q5_K) ---------------------------------------------------------

template <int Groups>
struct AffineBlock {
  float d = 0.0f, dmin = 0.0f;  // exactly f16
  std::array<int, Groups> scales{}, mins{};
  std::array<int, 256> codes{};

  AffineFit group(int g) const {
    return {d * static_cast<float>(scales[g]), -dmin * static_cast<float>(mins[g])};
  }
};

// The packed scale and min near the fitted ones that make the least error with the block's factors.
template <int Groups>
void choose_group(const float* x, const float* w, float code_max, int pack_max, AffineFit fitted,
                  AffineBlock<Groups>& block, int g) {
  constexpr int N = 256 / Groups;
  const int scale = pack(fitted.scale, block.d, 0, pack_max),
            min = pack(-fitted.min, block.dmin, 0, pack_max);
  float best_error = INFINITY;
  int best_scale = scale, best_min = min;
  for (int s = std::max(scale - 1, 0); s <= std::min(scale + 1, pack_max); ++s)
    for (int m = std::max(min - 1, 0); m <= std::min(min + 1, pack_max); ++m) {
      const AffineFit fit{block.d * static_cast<float>(s), -block.dmin * static_cast<float>(m)};
      const float error = affine_error<N>(x, w, code_max, fit);
      if (error < best_error) best_error = error, best_scale = s, best_min = m;
    }
  block.scales[g] = best_scale;
  block.mins[g] = best_min;
}

// The factors that suit the codes, scales and mins best.
template <int Groups>
void solve_factors(const float* x, const float* w, AffineBlock<Groups>& block) {
  double qq = 0.0, qm = 0.0, mm = 0.0, xq = 0.0, xm = 0.0;  // x ~ d q - dmin m
  for (int i = 0; i < 256; ++i) {
    const int g = i / (256 / Groups);
    const double q = block.scales[g] * block.codes[i], m = block.mins[g], weight = w[i];
    qq += weight * q * q;
    qm += weight * q * m;
    mm += weight * m * m;
    xq += weight * x[i] * q;
    xm += weight * x[i] * m;
  }
  const double determinant = qq * mm - qm * qm;
  if (determinant > 1e-9 * qq * mm) {
    const double d = (xq * mm - xm * qm) / determinant, dmin = (xq * qm - xm * qq) / determinant;
    if (d > 0.0 && dmin >= 0.0) {
      block.d = as_f16(static_cast<float>(d));
      block.dmin = as_f16(static_cast<float>(dmin));
    }
  } else if (mm == 0.0 && qq > 0.0 && xq > 0.0) {
    block.d = as_f16(static_cast<float>(xq / qq));
  }
}

template <int Groups>
void set_codes(const float* x, float code_max, AffineBlock<Groups>& block) {
  for (int i = 0; i < 256; ++i) {
    const AffineFit fit = block.group(i / (256 / Groups));
    const float inverse = fit.scale < kTiny ? 0.0f : 1.0f / fit.scale;
    block.codes[i] =
        static_cast<int>(round_even(std::min(std::max((x[i] - fit.min) * inverse, 0.0f), code_max)));
  }
}

template <int Groups>
AffineBlock<Groups> encode_affine(const float* x, const float* w, float code_max, int pack_max) {
  constexpr int N = 256 / Groups;
  std::array<AffineFit, Groups> fitted;
  float scale_max = 0.0f, min_max = 0.0f;
  for (int g = 0; g < Groups; ++g) {
    fitted[g] = fit_affine<N>(x + g * N, w + g * N, code_max, /*min_negative=*/true);
    scale_max = std::max(scale_max, fitted[g].scale);
    min_max = std::max(min_max, -fitted[g].min);
  }
  AffineBlock<Groups> block;
  block.d = as_f16(scale_max / static_cast<float>(pack_max));
  block.dmin = as_f16(min_max / static_cast<float>(pack_max));
  for (int round = 0; round < kRounds; ++round) {
    for (int g = 0; g < Groups; ++g)
      choose_group(x + g * N, w + g * N, code_max, pack_max, fitted[g], block, g);
    set_codes(x, code_max, block);
    if (round + 1 < kRounds) solve_factors(x, w, block);
  }
  return block;
}

// ---- packing --------------------------------------------------------------------------------------------

// Two bits a weight, as dequantize.cc reads them.
void pack_two_bits(int i, int code, uint8_t (&qs)[64]) {
  qs[i / 128 * 32 + i % 32] |= static_cast<uint8_t>((code & 3) << (i % 128 / 32 * 2));
}

// Nibbles in runs of 64: the low ones first.
void pack_nibble(int i, int code, uint8_t (&qs)[128]) {
  qs[i / 64 * 32 + i % 32] |= static_cast<uint8_t>((code & 15) << (i % 64 / 32 * 4));
}

// The inverse of unpack_scale_min.
void pack_scales_mins(const AffineBlock<8>& block, uint8_t (&out)[12]) {
  for (int j = 0; j < 4; ++j) {
    const int high_scale = block.scales[j + 4], high_min = block.mins[j + 4];
    out[j] = static_cast<uint8_t>(block.scales[j] | (high_scale >> 4) << 6);
    out[j + 4] = static_cast<uint8_t>(block.mins[j] | (high_min >> 4) << 6);
    out[j + 8] = static_cast<uint8_t>((high_scale & 15) | (high_min & 15) << 4);
  }
}

}  // namespace

void encode_block(const float* x, const float* w, BlockQ2_K& block) {
  const auto fit = encode_affine<16>(x, w, 3.0f, 15);
  block = {};
  block.d = f32_to_f16(fit.d);
  block.dmin = f32_to_f16(fit.dmin);
  for (int g = 0; g < 16; ++g) block.scales[g] = static_cast<uint8_t>(fit.scales[g] | fit.mins[g] << 4);
  for (int i = 0; i < 256; ++i) pack_two_bits(i, fit.codes[i], block.qs);
}

void encode_block(const float* x, const float* w, BlockQ3_K& block) {
  const auto fit = encode_scaled<16>(x, w, UniformGrid{-4.0f, 3.0f}, -32, 31);
  block = {};
  block.d = f32_to_f16(fit.d);
  for (int g = 0; g < 16; ++g) {
    const int scale = fit.scales[g] + 32;
    block.scales[g % 8] |= static_cast<uint8_t>((scale & 15) << (g / 8 * 4));
    block.scales[8 + g % 4] |= static_cast<uint8_t>((scale >> 4) << (g / 4 * 2));
  }
  for (int i = 0; i < 256; ++i) {
    const int code = static_cast<int>(fit.codes[i]) + 4;
    pack_two_bits(i, code, block.qs);
    block.hmask[i % 32] |= static_cast<uint8_t>((code >> 2) << (i / 32));
  }
}

void encode_block(const float* x, const float* w, BlockQ4_K& block) {
  const auto fit = encode_affine<8>(x, w, 15.0f, 63);
  block = {};
  block.d = f32_to_f16(fit.d);
  block.dmin = f32_to_f16(fit.dmin);
  pack_scales_mins(fit, block.scales);
  for (int i = 0; i < 256; ++i) pack_nibble(i, fit.codes[i], block.qs);
}

void encode_block(const float* x, const float* w, BlockQ5_K& block) {
  const auto fit = encode_affine<8>(x, w, 31.0f, 63);
  block = {};
  block.d = f32_to_f16(fit.d);
  block.dmin = f32_to_f16(fit.dmin);
  pack_scales_mins(fit, block.scales);
  for (int i = 0; i < 256; ++i) {
    pack_nibble(i, fit.codes[i], block.qs);
    block.qh[i % 32] |= static_cast<uint8_t>((fit.codes[i] >> 4) << (i / 32));
  }
}

void encode_block(const float* x, const float* w, BlockQ6_K& block) {
  const auto fit = encode_scaled<16>(x, w, UniformGrid{-32.0f, 31.0f}, -128, 127);
  block = {};
  block.d = f32_to_f16(fit.d);
  for (int g = 0; g < 16; ++g) block.scales[g] = static_cast<int8_t>(fit.scales[g]);
  for (int i = 0; i < 256; ++i) {
    const int code = static_cast<int>(fit.codes[i]) + 32, half = i / 128, l = i % 128;
    block.ql[half * 64 + l % 64] |= static_cast<uint8_t>((code & 15) << (l / 64 * 4));
    block.qh[half * 32 + l % 32] |= static_cast<uint8_t>((code >> 4) << (l / 32 * 2));
  }
}

void encode_block(const float* x, const float* w, BlockIQ4_XS& block) {
  const auto fit = encode_scaled<8>(x, w, Iq4Grid{}, -32, 31);
  block = {};
  block.d = f32_to_f16(fit.d);
  for (int g = 0; g < 8; ++g) {
    const int scale = fit.scales[g] + 32;
    block.scales_l[g / 2] |= static_cast<uint8_t>((scale & 15) << (g % 2 * 4));
    block.scales_h |= static_cast<uint16_t>((scale >> 4) << (g * 2));
  }
  for (int i = 0; i < 256; ++i) {
    const int code = Iq4Grid::index(fit.codes[i]);
    block.qs[i / 32 * 16 + i % 16] |= static_cast<uint8_t>(code << (i % 32 / 16 * 4));
  }
}

}  // namespace rival
