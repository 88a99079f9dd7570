// A view of a tensor that lies somewhere else (a mapped file, an arena). Owns nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tensor/dtype.h"

namespace rival {

// Dimensions, fastest first as in GGUF: dims[0] is the length of a row, dims[1] the number of rows of a matrix,
// dims[2] the number of matrices (experts). Unused dimensions are 1.
struct Shape {
  std::array<uint64_t, 4> dims = {1, 1, 1, 1};

  uint64_t row() const { return dims[0]; }
  uint64_t rows() const { return dims[1] * dims[2] * dims[3]; }
  uint64_t elements() const { return row() * rows(); }
  bool operator==(const Shape&) const = default;
};

struct TensorView {
  std::string name;
  DType type = DType::kF32;
  Shape shape;
  std::span<const std::byte> bytes;  // rows() * row_bytes(type, row()) bytes, rows one after the other
};

// A matrix inside a tensor: out[rows] = matrix[rows, cols] . in[cols]. Plain types may lie transposed or
// interleaved (row_stride, col_stride in elements); block types have col_stride 1 and whole rows.
struct MatrixView {
  const std::byte* data = nullptr;
  DType type = DType::kF32;
  uint64_t rows = 0;
  uint64_t cols = 0;
  uint64_t row_stride = 0;
  uint64_t col_stride = 1;

  // The matrix `index` of a tensor whose dims[0] is cols, dims[1] rows and dims[2] the number of matrices.
  static MatrixView of(const TensorView& tensor, uint64_t index = 0) {
    const uint64_t rows = tensor.shape.dims[1], cols = tensor.shape.dims[0];
    return {tensor.bytes.data() + index * rows * row_bytes(tensor.type, cols), tensor.type, rows, cols, cols, 1};
  }
};

}  // namespace rival
