// Float to any type that Rival writes, with the smallest error we can find in reasonable time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace rival {

// Squares of larger weights would leave the range of float. Weights of models stay below 1,000.
constexpr float kQuantizeMagnitudeMax = 1e15f;

// True for F32, F16, BF16, F64 and every block type of blocks.h.
bool can_quantize(DType type);

// Encodes one row of `elements` weights to `out` (row_bytes(type, elements) bytes, any alignment).
// `importance`, where not null, holds one non-negative number a column: the mean square of the activations
// that meet it. The error that is made small is sum importance (w - w')^2, else the plain sum of squares.
//
// Scales are searched, not taken from the largest weight; K types also refine their packed 6-bit scales
// together. The result is at least as close as llama.cpp's own quantisers (quantize_test.cc). MXFP4 follows
// OCP MX 1.0, the shared exponent being the better of the two that fit the largest weight. REQUIRES
// can_quantize(type), elements a multiple of the block, magnitudes up to kQuantizeMagnitudeMax. Thread-safe.
void quantize_row(DType type, const float* weights, std::byte* out, uint64_t elements,
                  const float* importance = nullptr);

}  // namespace rival
