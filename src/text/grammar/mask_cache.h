// Finished masks by the hash of the place that they belong to, within a budget of bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "text/grammar/token_partition.h"

namespace rival::text::grammar {

// Most masks are a few tokens, or those of a string's inside, which many masks share, with a few more; they are kept so.
class MaskCache {
 public:
  // False where no mask is kept under the key.
  bool get(uint64_t key, std::span<uint64_t> bits);
  // `base`: a mask that others share, all of whose tokens are in this one; may be null.
  void put(uint64_t key, std::span<const uint64_t> bits, std::shared_ptr<const Bits> base);

 private:
  struct Mask {
    std::shared_ptr<const Bits> base;  // may be null: no token
    std::vector<TokenId> more;         // beside those of the base
  };
  using Masks = std::unordered_map<uint64_t, Mask>;
  void keep(uint64_t key, Mask mask, size_t bytes);

  Masks young_, old_;      // what was not asked for while young_ filled up goes
  size_t young_bytes_ = 0;
};

}  // namespace rival::text::grammar
