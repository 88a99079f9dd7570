#include "ops/linear.h"

#include <algorithm>
#include <cstring>

namespace rival::ops {

using kernels::kTileRows;

void multiply_tile(const Context& context, const PackedMatrix& matrix, uint32_t tile, const Panels& in, uint32_t panel,
                   float* out, size_t stride) {
  const uint32_t width = in.width(panel);
  if (matrix.quantized()) {
    context.kernels.quantized_tile[static_cast<int>(matrix.type)][width - 1](
        matrix.tile(tile), in.quantized(panel), matrix.cols / kernels::kBlock, out, stride);
  } else {
    context.kernels.plain_tile[static_cast<int>(matrix.type) - kernels::kQuantizedTypes][width - 1](
        matrix.tile(tile), in.plain(panel), matrix.cols, out, stride);
  }
}

void linear_tile(const Context& context, const LinearOutput& to, uint32_t tile, const Panels& in, uint32_t first,
                 uint32_t last) {
  const uint32_t row = tile * kTileRows;
  const uint32_t rows = std::min<uint32_t>(kTileRows, to.matrix->rows - row);
  alignas(64) float padded[kernels::kPanelColumns * kTileRows];
  for (uint32_t panel = first; panel < last; ++panel) {
    float* place = to.out + in.first_token(panel) * to.stride + row;
    const uint32_t width = in.width(panel);
    if (rows == kTileRows) {
      multiply_tile(context, *to.matrix, tile, in, panel, place, to.stride);
    } else {
      multiply_tile(context, *to.matrix, tile, in, panel, padded, kTileRows);
      for (uint32_t c = 0; c < width; ++c) std::memcpy(place + c * to.stride, padded + c * kTileRows, rows * sizeof(float));
    }
    if (!to.bias) continue;
    for (uint32_t c = 0; c < width; ++c) context.kernels.add(place + c * to.stride, to.bias + row, rows);
  }
}

void linear(const Context& context, const Panels& in, std::span<const LinearOutput> outputs) {
  uint32_t tiles = 0;
  for (const LinearOutput& output : outputs) tiles += output.matrix->tiles();
  for_each_tile(context, tiles, in, [&](uint32_t tile, uint32_t first, uint32_t last) {
    const LinearOutput* output = outputs.data();
    for (; tile >= output->matrix->tiles(); ++output) tile -= output->matrix->tiles();
    linear_tile(context, *output, tile, in, first, last);
  });
}

}  // namespace rival::ops
