#include "format/tensor_table.h"

#include <algorithm>

#include "base/limits.h"
#include "format/byte_reader.h"

namespace rival::format {

Status TensorTable::add_file(MappedFile file, std::vector<TensorView> tensors) {
  tensors_.reserve(tensors_.size() + tensors.size());
  for (TensorView& tensor : tensors) {
    if (!index_.emplace(tensor.name, tensors_.size()).second)
      return make_error(ErrorCode::kCorrupt, "tensor {} occurs twice", quote_name(tensor.name));
    tensors_.push_back(std::move(tensor));
  }
  files_.push_back(std::make_shared<const MappedFile>(std::move(file)));
  return {};
}

const TensorView* TensorTable::find(std::string_view name) const {
  const auto place = index_.find(std::string(name));
  return place == index_.end() ? nullptr : &tensors_[place->second];
}

Result<TensorView> TensorTable::get(std::string_view name) const {
  if (const TensorView* tensor = find(name)) return *tensor;
  return make_error(ErrorCode::kNotFound, "tensor {} is missing", quote_name(name));
}

const MappedFile& TensorTable::file_of(const TensorView& tensor) const {
  const auto holds = [&](const auto& file) {
    const auto bytes = file->bytes();
    return tensor.bytes.data() >= bytes.data() && tensor.bytes.data() <= bytes.data() + bytes.size();
  };
  const auto file = std::find_if(files_.begin(), files_.end(), holds);
  RIVAL_CHECK(file != files_.end(), "tensor {} is not of this table", tensor.name);
  return **file;
}

Result<Shape> make_shape(std::string_view name, DType type, std::span<const uint64_t> dims) {
  if (dims.size() > limits::kTensorDimsMax)
    return make_error(ErrorCode::kLimit, "tensor {} has {} dimensions; at most {} are read", quote_name(name),
                      dims.size(), limits::kTensorDimsMax);
  Shape shape;
  uint64_t elements = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0)
      return make_error(ErrorCode::kCorrupt, "tensor {}: dimension {} is 0", quote_name(name), i);
    if (dims[i] > limits::kTensorElementsMax / elements)
      return make_error(ErrorCode::kLimit, "tensor {}: dimension {} is {}, which makes more than {} elements",
                        quote_name(name), i, dims[i], limits::kTensorElementsMax);
    elements *= dims[i];
    shape.dims[i] = dims[i];
  }
  const DTypeInfo& info = dtype_info(type);
  if (shape.row() % info.block_elements != 0)
    return make_error(ErrorCode::kCorrupt, "tensor {}: dimension 0 is {}; {} needs a multiple of {}",
                      quote_name(name), shape.row(), info.name, info.block_elements);
  return shape;
}

}  // namespace rival::format
