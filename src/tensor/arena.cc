#include "tensor/arena.h"

#include <sys/mman.h>

#include <utility>

namespace rival {

Result<Arena> Arena::create(uint64_t bytes) {
  Arena arena;
  if (bytes == 0) return arena;
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return make_error(ErrorCode::kLimit, "cannot reserve {} MiB of memory", bytes >> 20);
  ::madvise(data, bytes, MADV_HUGEPAGE);
  arena.data_ = static_cast<std::byte*>(data);
  arena.size_ = bytes;
  return arena;
}

Arena::Arena(Arena&& other) noexcept { *this = std::move(other); }

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(used_, other.used_);
  return *this;
}

Arena::~Arena() {
  if (data_) ::munmap(data_, size_);
}

std::byte* Arena::take(uint64_t bytes) {
  RIVAL_CHECK(bytes <= size_ && used_ <= size_ - rounded(bytes), "arena of {} bytes is full", size_);
  std::byte* place = data_ + used_;
  used_ += rounded(bytes);
  return place;
}

}  // namespace rival
