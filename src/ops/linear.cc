#include "ops/linear.h"

#include <algorithm>
#include <cstring>

namespace rival::ops {

using kernels::kTileRows;

void multiply_tile(const Context& context, const PackedMatrix& matrix, uint32_t tile, const Panels& in, uint32_t panel,
                   kernels::TileOutput& out) {
  const uint32_t width = in.width(panel);
  if (matrix.quantized()) {
    context.kernels.quantized_tile[static_cast<int>(matrix.type)][width - 1](
        matrix.tile(tile), in.quantized(panel), matrix.cols / kernels::kBlock, out);
  } else {
    context.kernels.plain_tile[static_cast<int>(matrix.type) - kernels::kQuantizedTypes][width - 1](
        matrix.tile(tile), in.plain(panel), matrix.cols, out);
  }
}

namespace {

void store_tile(const LinearOutput& to, uint32_t tile, uint32_t first_token, uint32_t width, kernels::TileOutput& out) {
  const uint32_t row = tile * kTileRows;
  const uint32_t rows = std::min<uint32_t>(kTileRows, to.matrix->rows - row);
  for (uint32_t c = 0; c < width; ++c) {
    float* place = to.out + (first_token + c) * to.stride + row;
    if (to.bias) {
      for (uint32_t r = 0; r < rows; ++r) place[r] = out[c][r] + to.bias[row + r];
    } else {
      std::memcpy(place, out[c], rows * sizeof(float));
    }
  }
}

}  // namespace

void linear_tile(const Context& context, const LinearOutput& to, uint32_t tile, const Panels& in, uint32_t first,
                 uint32_t last) {
  alignas(64) kernels::TileOutput result;
  for (uint32_t panel = first; panel < last; ++panel) {
    multiply_tile(context, *to.matrix, tile, in, panel, result);
    store_tile(to, tile, in.first_token(panel), in.width(panel), result);
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
