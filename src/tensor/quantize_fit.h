// Least-squares fits of one group of weights to a grid of codes: the searches that every quantiser is made of.
//
// All work on N weights x with importance w (both >= 16-element arrays of N) and keep
//     sum w (x - (scale code + min))^2
// small. For a given rounding of the weights to codes the best scale (and min) is a least-squares solution;
// so a fit tries a ladder of scales, rounds with each, solves, and keeps the best.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "tensor/blocks.h"
#include "tensor/half.h"

namespace rival::quantize_fit {

// Sums run over a few lanes so that they do not wait for each other and may become vectors.
constexpr int kLanes = 8;

// Nearest whole number, ties to even, for |x| < 2^22: the sum has no bits left for a fraction.
inline float round_even(float x) { return (x + 12582912.0f) - 12582912.0f; }

// Whole numbers lo..hi.
struct UniformGrid {
  float lo, hi;
  // Where the ladder puts the weight of largest magnitude, in codes.
  float first() const { return hi - 1.0f; }
  float last() const { return 0.8f - lo; }
  float step() const { return 0.2f; }
  float nearest(float x) const { return round_even(std::min(std::max(x, lo), hi)); }
};

// The uneven values of IQ4_NL and IQ4_XS. The middle between two of them is a multiple of one half, so the
// nearest is the same for all of a cell of width one half: one look into a table of cells from -128 to 128.
constexpr std::array<uint8_t, 512> make_iq4_cells() {
  std::array<uint8_t, 512> cells{};
  for (int cell = 0; cell < 512; ++cell) {
    const int four_x = 2 * (cell - 256) + 1;  // four times the cell's centre
    for (size_t k = 0; k < 15; ++k)
      cells[static_cast<size_t>(cell)] += four_x > 2 * (kIq4Values[k] + kIq4Values[k + 1]);
  }
  return cells;
}
constexpr std::array<uint8_t, 512> kIq4Cells = make_iq4_cells();

struct Iq4Grid {
  static float first() { return 104.0f; }
  static float last() { return 136.0f; }
  static float step() { return 4.0f; }
  static int index(float x) {
    return kIq4Cells[static_cast<size_t>((std::min(std::max(x, -127.5f), 127.5f) + 128.0f) * 2.0f)];
  }
  static float nearest(float x) { return static_cast<float>(kIq4Values[static_cast<size_t>(index(x))]); }
};

template <int N>
float sum_lanes(const std::array<float, N>& terms) {
  std::array<float, kLanes> lanes{};
  for (int i = 0; i < N; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += terms[i + lane];
  float sum = 0.0f;
  for (const float lane : lanes) sum += lane;
  return sum;
}

template <int N>
float max_magnitude(const float* x) {
  float max = 0.0f;
  for (int i = 0; i < N; ++i) max = std::max(max, std::abs(x[i]));
  return max;
}

// Below this the reciprocals of scales overflow; such weights are zero in every type.
constexpr float kTiny = 1e-30f;

// A scale as an f16; what is beyond its range becomes its largest value.
inline uint16_t to_f16_scale(float scale) {
  return f32_to_f16(std::min(std::max(scale, -65504.0f), 65504.0f));
}

// ---- code times scale -----------------------------------------------------------------------------------

struct ScaleFit {
  float scale = 0.0f;
  float gain = 0.0f;  // by how much it lowers sum w x^2
};

// The best scale for the codes that rounding x times `inverse` gives.
template <int N, typename Grid>
ScaleFit solve_scale(const float* x, const float* w, const Grid& grid, float inverse) {
  std::array<float, N> xq, qq;
  for (int i = 0; i < N; ++i) {
    const float q = grid.nearest(x[i] * inverse);
    xq[i] = w[i] * x[i] * q;
    qq[i] = w[i] * q * q;
  }
  const float sum_xq = sum_lanes<N>(xq), sum_qq = sum_lanes<N>(qq);
  if (!(sum_qq > 0.0f)) return {};
  return {sum_xq / sum_qq, sum_xq * sum_xq / sum_qq};
}

// x ~ scale code, scale of either sign.
template <int N, typename Grid>
float fit_scale(const float* x, const float* w, const Grid& grid) {
  const float max = max_magnitude<N>(x);
  if (max < kTiny) return 0.0f;
  ScaleFit best;
  const auto consider = [&](float inverse) {
    const ScaleFit fit = solve_scale<N>(x, w, grid, inverse);
    if (!(fit.gain > best.gain)) return false;
    best = fit;
    return true;
  };
  for (float place = grid.first(); place < grid.last(); place += grid.step()) {
    consider(place / max);
    consider(-place / max);
  }
  for (int i = 0; i < 4 && best.scale != 0.0f && consider(1.0f / best.scale); ++i) {
  }
  return best.scale;
}

// sum w (x - scale code)^2 with codes rounded for this scale.
template <int N, typename Grid>
float scale_error(const float* x, const float* w, const Grid& grid, float scale) {
  const float inverse = std::abs(scale) < kTiny ? 0.0f : 1.0f / scale;
  std::array<float, N> terms;
  for (int i = 0; i < N; ++i) {
    const float difference = x[i] - scale * grid.nearest(x[i] * inverse);
    terms[i] = w[i] * difference * difference;
  }
  return sum_lanes<N>(terms);
}

// ---- code times scale plus min --------------------------------------------------------------------------

struct AffineFit {
  float scale = 0.0f;
  float min = 0.0f;
};

// sum w (x - (scale code + min))^2 with codes 0..code_max rounded for this scale and min.
template <int N>
float affine_error(const float* x, const float* w, float code_max, AffineFit fit) {
  const float inverse = fit.scale < kTiny ? 0.0f : 1.0f / fit.scale;
  std::array<float, N> terms;
  for (int i = 0; i < N; ++i) {
    const float q = round_even(std::min(std::max((x[i] - fit.min) * inverse, 0.0f), code_max));
    const float difference = x[i] - (fit.scale * q + fit.min);
    terms[i] = w[i] * difference * difference;
  }
  return sum_lanes<N>(terms);
}

// The best scale and min for the codes that `guess` gives. With `min_negative` a min above 0 is not allowed.
template <int N>
AffineFit solve_affine(const float* x, const float* w, float code_max, AffineFit guess, bool min_negative) {
  std::array<float, N> wq, wqq, wxq, wx, ww;
  const float inverse = 1.0f / guess.scale;
  for (int i = 0; i < N; ++i) {
    const float q = round_even(std::min(std::max((x[i] - guess.min) * inverse, 0.0f), code_max));
    ww[i] = w[i];
    wx[i] = w[i] * x[i];
    wq[i] = w[i] * q;
    wqq[i] = wq[i] * q;
    wxq[i] = wq[i] * x[i];
  }
  const float sum_w = sum_lanes<N>(ww), sum_x = sum_lanes<N>(wx), sum_q = sum_lanes<N>(wq);
  const float sum_qq = sum_lanes<N>(wqq), sum_xq = sum_lanes<N>(wxq);
  const float determinant = sum_w * sum_qq - sum_q * sum_q;
  if (!(determinant > 0.0f)) return guess;
  AffineFit fit{(sum_w * sum_xq - sum_q * sum_x) / determinant,
                (sum_qq * sum_x - sum_q * sum_xq) / determinant};
  if (min_negative && fit.min > 0.0f) fit = {sum_xq / sum_qq, 0.0f};
  return fit.scale > kTiny ? fit : guess;
}

// x ~ scale code + min, scale >= 0.
template <int N>
AffineFit fit_affine(const float* x, const float* w, float code_max, bool min_negative) {
  float low = x[0], high = x[0];
  for (int i = 1; i < N; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  if (min_negative) low = std::min(low, 0.0f);
  if (high - low < kTiny) return {0.0f, low};
  AffineFit best{(high - low) / code_max, low};
  float best_error = affine_error<N>(x, w, code_max, best);
  const auto consider = [&](AffineFit guess) {
    const AffineFit fit = solve_affine<N>(x, w, code_max, guess, min_negative);
    const float error = affine_error<N>(x, w, code_max, fit);
    if (!(error < best_error)) return false;
    best = fit;
    best_error = error;
    return true;
  };
  for (float place = code_max - 0.8f; place < code_max + 0.9f; place += 0.2f)
    consider({(high - low) / place, low});
  for (int i = 0; i < 4 && consider(best); ++i) {
  }
  return best;
}

}  // namespace rival::quantize_fit
