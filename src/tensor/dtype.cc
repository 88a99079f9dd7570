#include "tensor/dtype.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/check.h"

namespace rival {
namespace {

constexpr std::array kTypes = {
    DTypeInfo{DType::kF32, "F32", 1, 4},        DTypeInfo{DType::kF16, "F16", 1, 2},
    DTypeInfo{DType::kBF16, "BF16", 1, 2},      DTypeInfo{DType::kQ4_0, "Q4_0", 32, 18},
    DTypeInfo{DType::kQ4_1, "Q4_1", 32, 20},    DTypeInfo{DType::kQ5_0, "Q5_0", 32, 22},
    DTypeInfo{DType::kQ5_1, "Q5_1", 32, 24},    DTypeInfo{DType::kQ8_0, "Q8_0", 32, 34},
    DTypeInfo{DType::kQ2_K, "Q2_K", 256, 84},   DTypeInfo{DType::kQ3_K, "Q3_K", 256, 110},
    DTypeInfo{DType::kQ4_K, "Q4_K", 256, 144},  DTypeInfo{DType::kQ5_K, "Q5_K", 256, 176},
    DTypeInfo{DType::kQ6_K, "Q6_K", 256, 210},  DTypeInfo{DType::kIQ4_NL, "IQ4_NL", 32, 18},
    DTypeInfo{DType::kIQ4_XS, "IQ4_XS", 256, 136}, DTypeInfo{DType::kMXFP4, "MXFP4", 32, 17},
    DTypeInfo{DType::kI8, "I8", 1, 1},          DTypeInfo{DType::kI16, "I16", 1, 2},
    DTypeInfo{DType::kI32, "I32", 1, 4},        DTypeInfo{DType::kI64, "I64", 1, 8},
    DTypeInfo{DType::kF64, "F64", 1, 8},
};

}  // namespace

const DTypeInfo& dtype_info(DType type) {
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(), [&](const DTypeInfo& t) { return t.type == type; });
  RIVAL_CHECK(row != kTypes.end(), "dtype {}", static_cast<int>(type));
  return *row;
}

std::optional<DType> find_dtype(uint32_t id) {
  for (const DTypeInfo& row : kTypes)
    if (static_cast<uint32_t>(row.type) == id) return row.type;
  return std::nullopt;
}

std::optional<DType> find_dtype(std::string_view name) {
  const auto same = [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; };
  for (const DTypeInfo& row : kTypes)
    if (std::equal(name.begin(), name.end(), row.name.begin(), row.name.end(), same)) return row.type;
  return std::nullopt;
}

uint64_t row_bytes(DType type, uint64_t elements) {
  const DTypeInfo& info = dtype_info(type);
  RIVAL_CHECK(elements % info.block_elements == 0, "{} elements of {}", elements, info.name);
  return elements / info.block_elements * info.block_bytes;
}

}  // namespace rival
