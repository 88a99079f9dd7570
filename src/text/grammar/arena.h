// Bump allocation with rewind, for the short-lived stacks of a mask walk.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace rival::text::grammar {

class Arena {
 public:
  struct Mark {
    size_t chunk = 0, used = 0;
  };

  // Uninitialised. REQUIRES: T trivially destructible.
  template <typename T>
  T* make(size_t count = 1) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
    return static_cast<T*>(take((count * sizeof(T) + 7) & ~size_t{7}));
  }
  template <typename T>
  T* copy(std::span<const T> from) {
    T* to = make<T>(from.size());
    if (!from.empty()) std::memcpy(to, from.data(), from.size_bytes());
    return to;
  }
  Mark mark() const { return {chunk_, used_}; }
  void rewind(Mark mark) { chunk_ = mark.chunk, used_ = mark.used; }
  size_t bytes() const { return chunk_ * kChunkBytes + used_; }

 private:
  static constexpr size_t kChunkBytes = 16 << 10;

  void* take(size_t bytes) {
    while (chunk_ < chunks_.size()) {
      if (used_ + bytes <= chunks_[chunk_].size) return take_here(bytes);
      ++chunk_;
      used_ = 0;
    }
    const size_t size = std::max(kChunkBytes, bytes);
    chunks_.push_back({std::make_unique<std::byte[]>(size), size});
    return take_here(bytes);
  }
  void* take_here(size_t bytes) {
    void* result = chunks_[chunk_].data.get() + used_;
    used_ += bytes;
    return result;
  }

  struct Chunk {
    std::unique_ptr<std::byte[]> data;
    size_t size;
  };
  std::vector<Chunk> chunks_;
  size_t chunk_ = 0, used_ = 0;
};

}  // namespace rival::text::grammar
