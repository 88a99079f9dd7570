#include "ops/feed_forward.h"

#include <algorithm>

namespace rival::ops {

using kernels::kTileRows;

void gated_tile(const Context& context, const GatedWeights& w, const Panels& in, uint32_t tile, uint32_t first,
                uint32_t last, Panels& hidden) {
  const uint32_t row = tile * kTileRows;
  const uint32_t rows = std::min<uint32_t>(kTileRows, w.up.rows - row);
  alignas(64) float up[kernels::kPanelColumns * kTileRows], gate[kernels::kPanelColumns * kTileRows];
  for (uint32_t panel = first; panel < last; ++panel) {
    multiply_tile(context, w.up, tile, in, panel, up, kTileRows);
    if (w.gate) multiply_tile(context, w.gate, tile, in, panel, gate, kTileRows);
    for (uint32_t c = 0; c < in.width(panel); ++c) {
      float *u = up + c * kTileRows, *g = gate + c * kTileRows;
      if (w.up_bias) context.kernels.add(u, w.up_bias + row, rows);
      if (w.gate_bias) context.kernels.add(g, w.gate_bias + row, rows);
      context.kernels.gate(w.kind, w.gate ? g : u, w.gate ? u : nullptr, rows, u);
      hidden.set_part(context.kernels, panel, c, row, rows, u);
    }
  }
}

void gated(const Context& context, const GatedWeights& weights, const Panels& in, Panels& hidden) {
  for_each_tile(context, weights.up.tiles(), in, [&](uint32_t tile, uint32_t first, uint32_t last) {
    gated_tile(context, weights, in, tile, first, last, hidden);
  });
}

}  // namespace rival::ops
