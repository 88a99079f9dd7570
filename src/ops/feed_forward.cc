#include "ops/feed_forward.h"

#include <algorithm>

namespace rival::ops {
namespace {

using kernels::kTileRows;

void add_bias(kernels::TileOutput& x, const float* bias, uint32_t rows, uint32_t width) {
  for (uint32_t c = 0; c < width; ++c)
    for (uint32_t r = 0; r < rows; ++r) x[c][r] += bias[r];
}

}  // namespace

void gated_tile(const Context& context, const GatedWeights& w, const Panels& in, uint32_t tile, uint32_t first,
                uint32_t last, Panels& hidden) {
  const uint32_t row = tile * kTileRows;
  const uint32_t rows = std::min<uint32_t>(kTileRows, w.up.rows - row);
  alignas(64) kernels::TileOutput up, gate;
  for (uint32_t panel = first; panel < last; ++panel) {
    const uint32_t width = in.width(panel);
    multiply_tile(context, w.up, tile, in, panel, up);
    if (w.up_bias) add_bias(up, w.up_bias + row, rows, width);
    if (w.gate) {
      multiply_tile(context, w.gate, tile, in, panel, gate);
      if (w.gate_bias) add_bias(gate, w.gate_bias + row, rows, width);
    }
    for (uint32_t c = 0; c < width; ++c) {
      context.kernels.gate(w.kind, w.gate ? gate[c] : up[c], w.gate ? up[c] : nullptr, rows, up[c]);
      hidden.set_part(context.kernels, panel, c, row, rows, up[c]);
    }
  }
}

void gated(const Context& context, const GatedWeights& weights, const Panels& in, Panels& hidden) {
  for_each_tile(context, weights.up.tiles(), in, [&](uint32_t tile, uint32_t first, uint32_t last) {
    gated_tile(context, weights, in, tile, first, last, hidden);
  });
}

}  // namespace rival::ops
