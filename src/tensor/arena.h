// One block of anonymous memory from which tensors are cut, in huge pages where the system grants them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace rival {

class Arena {
 public:
  Arena() = default;
  // Reserves address space; memory becomes resident, zeroed, as it is first touched. Errors: kLimit.
  static Result<Arena> create(uint64_t bytes);
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();

  // The next `bytes`, aligned to 64. REQUIRES that the sum of sizes, each rounded up to 64, fits.
  std::byte* take(uint64_t bytes);

  static uint64_t rounded(uint64_t bytes) { return (bytes + 63) / 64 * 64; }
  std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  uint64_t size_ = 0;
  uint64_t used_ = 0;
};

}  // namespace rival
