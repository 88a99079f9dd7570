// The tensors of one model and the mapped files they lie in.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "tensor/tensor.h"

namespace rival::format {

// Holds the maps, shared with whoever keeps views after the table is gone; the views point into them.
// Movable. Thread-safe to read.
class TensorTable {
 public:
  TensorTable() = default;
  TensorTable(TensorTable&&) = default;
  TensorTable& operator=(TensorTable&&) = default;

  // Takes one file and its tensors. Errors: kCorrupt on a name that is already there.
  Status add_file(MappedFile file, std::vector<TensorView> tensors);

  std::span<const TensorView> tensors() const { return tensors_; }  // file after file, in the files' order
  const TensorView* find(std::string_view name) const;
  // Errors: kNotFound.
  Result<TensorView> get(std::string_view name) const;

  std::span<const std::shared_ptr<const MappedFile>> files() const { return files_; }
  // The file that `tensor`'s bytes lie in. REQUIRES a tensor of this table.
  const MappedFile& file_of(const TensorView& tensor) const;

 private:
  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::vector<TensorView> tensors_;
  std::unordered_map<std::string, size_t> index_;  // name -> place in tensors_
};

// A shape from `count` dimensions, fastest first, checked: none is zero, the product is below
// limits::kTensorElementsMax, and the row is whole blocks of `type`. Errors: kCorrupt, kLimit; they name the
// tensor.
Result<Shape> make_shape(std::string_view name, DType type, std::span<const uint64_t> dims);

// Bytes of a tensor. Cannot wrap for a shape from make_shape.
inline uint64_t tensor_bytes(DType type, const Shape& shape) {
  return shape.rows() * row_bytes(type, shape.row());
}

}  // namespace rival::format
