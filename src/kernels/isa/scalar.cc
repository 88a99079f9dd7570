// Every kernel compiled for scalar. All code is in an anonymous namespace and uses no shared std:: template: a CPU
// without these instructions must never run a copy that the linker took from here.
#include "kernels/table.h"

namespace rival::kernels {
namespace {
#include "kernels/simd_scalar.inl"

#include "kernels/gemm.inl"

#include "kernels/elementwise.inl"

#include "kernels/attention.inl"

#include "kernels/table.inl"
}  // namespace

const KernelTable& scalar_table() {
  static constexpr KernelTable table = make_table("scalar");
  return table;
}

}  // namespace rival::kernels
