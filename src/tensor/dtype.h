// Element and block types of tensors on disk and in memory. Ids are those of GGUF (ggml_type), so that files
// need no translation. Block layouts: src/tensor/blocks.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rival {

enum class DType : uint8_t {
  kF32 = 0, kF16 = 1, kQ4_0 = 2, kQ4_1 = 3, kQ5_0 = 6, kQ5_1 = 7, kQ8_0 = 8,
  kQ2_K = 10, kQ3_K = 11, kQ4_K = 12, kQ5_K = 13, kQ6_K = 14, kIQ4_NL = 20, kIQ4_XS = 23,
  kI8 = 24, kI16 = 25, kI32 = 26, kI64 = 27, kF64 = 28, kBF16 = 30, kMXFP4 = 39,
};

struct DTypeInfo {
  DType type;
  std::string_view name;    // as tools print it: "Q4_K"
  uint32_t block_elements;  // elements in one block; 1 for plain types
  uint32_t block_bytes;
};

// Every type that Rival reads. `find` is for foreign ids; `dtype_info` for a DType that exists.
const DTypeInfo& dtype_info(DType type);
std::optional<DType> find_dtype(uint32_t id);
std::optional<DType> find_dtype(std::string_view name);  // case-insensitive

// Bytes of one row of `elements` values. REQUIRES elements % block_elements == 0.
uint64_t row_bytes(DType type, uint64_t elements);

}  // namespace rival
