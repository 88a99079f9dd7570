// Packed matrices of every block type: their rows equal the plain decoder's, their products equal double arithmetic
// on every instruction set, and a column's product does not depend on the columns beside it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "kernels/dispatch.h"
#include "ops/linear.h"
#include "tensor/dequantize.h"
#include "tensor/half.h"

namespace rival::ops {
namespace {

constexpr DType kTypes[] = {DType::kQ4_0, DType::kQ4_1, DType::kQ5_0,   DType::kQ5_1,   DType::kQ8_0,  DType::kQ2_K,
                            DType::kQ3_K, DType::kQ4_K, DType::kQ5_K,   DType::kQ6_K,   DType::kIQ4_NL, DType::kIQ4_XS,
                            DType::kMXFP4, DType::kF32, DType::kF16,    DType::kBF16};
constexpr uint32_t kRows = 70, kCols = 512;

// Random bits, with the fields that are floating-point numbers kept finite and small.
std::vector<std::byte> random_matrix(DType type) {
  Random random(static_cast<uint64_t>(type) + 1);
  std::vector<std::byte> bytes(kRows * row_bytes(type, kCols));
  for (auto& b : bytes) b = static_cast<std::byte>(random.next_u32());
  const auto number = [&] { return static_cast<float>(random.next_double() * 0.1 - 0.05); };
  const DTypeInfo& info = dtype_info(type);
  for (size_t at = 0; at < bytes.size(); at += info.block_bytes) {
    const auto half_at = [&](size_t offset) {
      const uint16_t h = f32_to_f16(number());
      std::memcpy(&bytes[at + offset], &h, 2);
    };
    switch (type) {
      case DType::kF32: {
        const float x = number();
        std::memcpy(&bytes[at], &x, 4);
        break;
      }
      case DType::kBF16: {
        const uint16_t h = f32_to_bf16(number());
        std::memcpy(&bytes[at], &h, 2);
        break;
      }
      case DType::kMXFP4: bytes[at] = static_cast<std::byte>(at == 0 ? 0 : 118 + random.next_below(8)); break;
      case DType::kQ4_1: case DType::kQ5_1: case DType::kQ4_K: case DType::kQ5_K: half_at(0); half_at(2); break;
      case DType::kQ2_K: half_at(80); half_at(82); break;
      case DType::kQ3_K: half_at(108); break;
      case DType::kQ6_K: half_at(208); break;
      default: half_at(0);
    }
  }
  return bytes;
}

struct Packed {
  explicit Packed(DType type) : bytes(random_matrix(type)) {
    const MatrixView view{bytes.data(), type, kRows, kCols, kCols, 1};
    matrix = plan_packing(view).value();
    memory.resize(matrix.bytes());
    pack_tiles(view, matrix, 0, matrix.tiles(), memory.data());
    matrix.data = memory.data();
  }
  std::vector<std::byte> bytes;
  std::vector<uint8_t> memory;
  PackedMatrix matrix;
};

TEST(PackedMatrix, RowsEqualThePlainDecoder) {
  for (DType type : kTypes) {
    const Packed p(type);
    std::vector<float> row(kCols), expected(kCols);
    for (uint32_t r = 0; r < kRows; ++r) {
      p.matrix.row(r, row.data());
      dequantize_row(type, p.bytes.data() + r * row_bytes(type, kCols), expected.data(), kCols);
      for (uint32_t i = 0; i < kCols; ++i)
        ASSERT_NEAR(row[i], expected[i], 1e-6 * std::abs(expected[i]) + 1e-8) << dtype_info(type).name << " " << r << " " << i;
    }
  }
}

TEST(PackedMatrix, IntegersCannotBeMultiplied) {
  EXPECT_EQ(plan_packing({nullptr, DType::kI32, 4, 4, 4, 1}).error().code, ErrorCode::kUnsupported);
}

TEST(PackedMatrix, StridedViewsArePackedTransposed) {
  const uint32_t rows = 5, cols = 7;
  std::vector<float> data(rows * cols);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i);
  const MatrixView view{reinterpret_cast<const std::byte*>(data.data()), DType::kF32, rows, cols, 1, rows};
  PackedMatrix m = plan_packing(view).value();
  std::vector<uint8_t> memory(m.bytes());
  pack_tiles(view, m, 0, m.tiles(), memory.data());
  m.data = memory.data();
  std::vector<float> row(cols);
  for (uint32_t r = 0; r < rows; ++r) {
    m.row(r, row.data());
    for (uint32_t c = 0; c < cols; ++c) EXPECT_EQ(row[c], data[c * rows + r]);
  }
}

// Products of `tokens` tokens, out[token][row].
std::vector<float> products(const kernels::KernelTable& k, const PackedMatrix& m, const std::vector<float>& x, uint32_t first,
                            uint32_t tokens, Panels& panels) {
  std::vector<float> out(size_t{tokens} * kRows);
  panels.resize(tokens, kCols, m.quantized(), !m.quantized());
  for (uint32_t t = 0; t < tokens; ++t) panels.set(k, t, &x[size_t{first + t} * kCols]);
  ThreadTeam team(2);
  team.run([&](uint32_t thread) {
    const LinearOutput to{&m, nullptr, out.data(), kRows};
    linear({k, team, thread}, panels, {&to, 1});
  });
  return out;
}

class Linear : public testing::TestWithParam<const kernels::KernelTable*> {};
INSTANTIATE_TEST_SUITE_P(Isa, Linear, testing::ValuesIn(kernels::available_tables().begin(), kernels::available_tables().end()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST_P(Linear, EqualsDoubleArithmeticAndIgnoresNeighbours) {
  const kernels::KernelTable& k = *GetParam();
  const uint32_t tokens = 13;
  Random random(5);
  std::vector<float> x(size_t{tokens} * kCols);
  for (float& v : x) v = static_cast<float>(random.next_double() * 2 - 1);
  for (DType type : kTypes) {
    const Packed p(type);
    Panels panels;
    const auto all = products(k, p.matrix, x, 0, tokens, panels);
    std::vector<float> row(kCols);
    for (uint32_t r = 0; r < kRows; ++r) {
      p.matrix.row(r, row.data());
      for (uint32_t panel = 0; panel < panels.count(); ++panel)
        for (uint32_t c = 0; c < panels.width(panel); ++c) {
          const uint32_t t = panels.first_token(panel) + c;
          double sum = 0, size = 0;
          for (uint32_t i = 0; i < kCols; ++i) {
            double a = x[t * kCols + i];
            if (p.matrix.quantized()) {
              const kernels::ActivationBlock& b = panels.quantized(panel)[i / 32];
              a = double{b.d[c]} * b.q[c][i % 32];
            }
            sum += a * row[i];
            size += std::abs(a * row[i]);
          }
          ASSERT_NEAR(all[size_t{t} * kRows + r], sum, 4e-6 * size + 1e-7) << dtype_info(type).name << " row " << r << " token " << t;
        }
    }
    Panels few;
    for (uint32_t count : {1u, 2u, 5u}) {
      const auto part = products(k, p.matrix, x, 3, count, few);
      EXPECT_EQ(0, std::memcmp(part.data(), &all[3 * kRows], part.size() * sizeof(float))) << dtype_info(type).name << " " << count;
    }
  }
}

}  // namespace
}  // namespace rival::ops
