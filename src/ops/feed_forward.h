// The first half of a feed-forward block: act(Wg x + bg) * (Wu x + bu), or act(Wu x + bu) without a gate.
#pragma once

#include "ops/context.h"
#include "ops/linear.h"

namespace rival::ops {

struct GatedWeights {
  PackedMatrix gate, up;           // [F, D]; gate may be absent
  const float* gate_bias = nullptr;
  const float* up_bias = nullptr;
  kernels::GateKind kind = kernels::GateKind::kSilu;
};

// Computes the tile `tile` (32 hidden units) for the panels [first, last) of `in`, straight into the panels `hidden`
// that the down projection reads: a tile of 32 rows is just one block of its activations.
void gated_tile(const Context& context, const GatedWeights& weights, const Panels& in, uint32_t tile, uint32_t first,
                uint32_t last, Panels& hidden);

// All tiles, shared out among the threads. A barrier must follow.
void gated(const Context& context, const GatedWeights& weights, const Panels& in, Panels& hidden);

}  // namespace rival::ops
