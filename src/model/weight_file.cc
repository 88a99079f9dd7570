#include "model/weight_file.h"

#include <set>

#include "tensor/dequantize.h"

namespace rival::model {
namespace {

// Element by element, for matrices that do not lie row by row.
void decode_strided(const StoredTensor& stored, const std::byte* first, float* out) {
  const uint64_t element = dtype_info(stored.type).block_bytes;
  for (uint64_t i = 0; i < stored.cols; ++i)
    dequantize_row(stored.type, first + i * stored.col_stride * element, out + i, 1);
}

}  // namespace

void decode_row(const StoredTensor& stored, uint64_t row, float* out) {
  const DTypeInfo& info = dtype_info(stored.type);
  const uint64_t row_begin = row % stored.rows * stored.row_stride / info.block_elements * info.block_bytes;
  const std::byte* first = stored.matrices[row / stored.rows] + row_begin;
  if (stored.col_stride == 1)
    dequantize_row(stored.type, first, out, stored.cols);
  else
    decode_strided(stored, first, out);
  if (stored.offset != 0.0f)
    for (uint64_t i = 0; i < stored.cols; ++i) out[i] += stored.offset;
}

uint64_t hf_row(uint64_t row, uint32_t head_dim, uint32_t rope_dim) {
  const uint64_t head = row / head_dim, i = row % head_dim;
  if (i >= rope_dim) return row;
  return head * head_dim + i / 2 + (i % 2) * (rope_dim / 2);
}

Roles roles_of(const Architecture& architecture) {
  Roles roles;
  std::set<std::string_view> seen;
  for (const auto names : {architecture.hf_names, common_hf_names()})
    for (const HfName& name : names)
      if (seen.insert(name.role).second)
        (name.name.find("{n}") == name.name.npos ? roles.model : roles.layer).push_back(name.role);
  return roles;
}

}  // namespace rival::model
