// Finished masks by the hash of the place that they belong to, within a budget of bytes.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "text/grammar/token_partition.h"

namespace rival::text::grammar {

class MaskCache {
 public:
  explicit MaskCache(size_t words) : masks_max_(limits::kGrammarMaskCacheBytesMax / (8 * words) + 1) {}

  const Bits* find(uint64_t key) const {
    auto it = masks_.find(key);
    return it == masks_.end() ? nullptr : &it->second;
  }
  // Starts over when full: what is in use comes back soon. The bits are zero.
  Bits* add(uint64_t key, size_t words) {
    if (masks_.size() >= masks_max_) masks_.clear();
    Bits& bits = masks_[key];
    bits.assign(words, 0);
    return &bits;
  }

 private:
  size_t masks_max_;
  std::unordered_map<uint64_t, Bits> masks_;
};

}  // namespace rival::text::grammar
