// y = W x (+ bias): packed weights times panels of activations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "ops/context.h"
#include "ops/panels.h"
#include "tensor/arena.h"
#include "tensor/tensor.h"

namespace rival::ops {

// A matrix in packed form (kernels/packed.h), inside an arena that outlives it. rows == 0: absent.
struct PackedMatrix {
  kernels::PackedType type = kernels::PackedType::kF32;
  uint32_t rows = 0;
  uint32_t cols = 0;
  uint64_t bytes_per_tile = 0;
  const uint8_t* data = nullptr;

  explicit operator bool() const { return rows > 0; }
  uint32_t tiles() const { return (rows + kernels::kTileRows - 1) / kernels::kTileRows; }
  uint64_t bytes() const { return tiles() * bytes_per_tile; }
  bool quantized() const { return kernels::is_quantized(type); }
  const uint8_t* tile(uint32_t index) const { return data + index * bytes_per_tile; }

  // Writes row `row` as floats: `cols` values.
  void row(uint32_t row, float* out) const;
};

// The shape and size that `view` will have when packed; data is still null. Errors: kUnsupported.
Result<PackedMatrix> plan_packing(const MatrixView& view);

// Packs the tiles [first, last) of `view` to `out`, a plan's memory.
void pack_tiles(const MatrixView& view, const PackedMatrix& plan, uint32_t first, uint32_t last, uint8_t* out);


// One tile times one panel: out[column * stride + row], all 32 rows of the tile.
void multiply_tile(const Context& context, const PackedMatrix& matrix, uint32_t tile, const Panels& in, uint32_t panel,
                   float* out, size_t stride);

// One of the matrices that are multiplied with the same input: out[token * stride + row] = W in + bias.
struct LinearOutput {
  const PackedMatrix* matrix = nullptr;
  const float* bias = nullptr;  // [rows] or null
  float* out = nullptr;
  size_t stride = 0;
};

// One tile of an output for the panels [first, last).
void linear_tile(const Context& context, const LinearOutput& to, uint32_t tile, const Panels& in, uint32_t first,
                 uint32_t last);

// All outputs; the tiles of all matrices are shared out among the threads as one list. Ends without a barrier, but a
// barrier must follow before the team's next op that shares out work.
void linear(const Context& context, const Panels& in, std::span<const LinearOutput> outputs);

// Shares out `tiles` x in.count() tile products in the order that keeps weights and activations in cache:
// body(tile, first panel, last panel) is called with runs of panels.
template <typename Body>
void for_each_tile(const Context& context, uint32_t tiles, const Panels& in, const Body& body) {
  // About eight pieces a thread: enough that a thread which was held up is helped out, few enough to stream.
  const uint32_t pieces_max = 8 * context.team.size();
  const uint32_t piece = (tiles + pieces_max - 1) / pieces_max;
  const uint32_t pieces = (tiles + piece - 1) / piece;
  constexpr uint32_t kPanelsAtOnce = 32;  // 32 x 6 tokens of 576 values fill a third of a 1 MiB L2
  for (uint32_t i = context.team.next(pieces); i < pieces; i = context.team.next(pieces)) {
    const uint32_t last = std::min(tiles, (i + 1) * piece);
    for (uint32_t panel = 0; panel < in.count(); panel += kPanelsAtOnce)
      for (uint32_t tile = i * piece; tile < last; ++tile) body(tile, panel, std::min(in.count(), panel + kPanelsAtOnce));
  }
}

}  // namespace rival::ops
