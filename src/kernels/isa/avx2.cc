// Every kernel compiled for avx2. All code is in an anonymous namespace and uses no shared std:: template: a CPU
// without these instructions must never run a copy that the linker took from here.
#include "kernels/table.h"

#include <immintrin.h>

namespace rival::kernels {
namespace {
#include "kernels/simd_avx2.inl"

#include "kernels/gemm.inl"

#include "kernels/elementwise.inl"

#include "kernels/attention.inl"

#include "kernels/table.inl"
}  // namespace

const KernelTable& avx2_table() {
  static constexpr KernelTable table = make_table("avx2");
  return table;
}

}  // namespace rival::kernels
