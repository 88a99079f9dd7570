// The layout of KvStore's memory: page after page; inside a page layer after layer; inside a layer head after head
// (ops/attention.h, KvLayer).
#pragma once

#include <vector>

#include "model/decoder.h"
#include "ops/attention.h"
#include "tensor/arena.h"

namespace rival::model {

inline kernels::PageType page_type(KvType type) {
  static_assert(static_cast<int>(KvType::kQ8) == static_cast<int>(kernels::PageType::kQ8));
  static_assert(static_cast<int>(KvType::kF32) == static_cast<int>(kernels::PageType::kF32));
  return static_cast<kernels::PageType>(type);
}

struct KvStore::Storage {
  KvType type;
  uint32_t pages;
  uint64_t page_bytes;
  std::vector<uint64_t> layer_offset;  // inside a page
  uint32_t dk, dv;
  Arena arena;

  ops::KvLayer layer(uint32_t index) const {
    return {reinterpret_cast<uint8_t*>(arena.data()) + layer_offset[index], page_bytes, dk, dv, page_type(type)};
  }
};

}  // namespace rival::model
