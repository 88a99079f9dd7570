#include "text/grammar/mask_cache.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/limits.h"

namespace rival::text::grammar {

namespace {

constexpr size_t kEntryBytes = 96;  // of the table, about

size_t own_bytes(const std::vector<TokenId>& more) { return kEntryBytes + more.size() * sizeof(TokenId); }

}  // namespace

bool MaskCache::get(uint64_t key, std::span<uint64_t> bits) {
  auto found = young_.find(key);
  if (found == young_.end()) {
    const auto aged = old_.find(key);
    if (aged == old_.end()) return false;
    Mask mask = std::move(aged->second);
    old_.erase(aged);
    const size_t bytes = own_bytes(mask.more);
    keep(key, std::move(mask), bytes);
    found = young_.find(key);
  }
  const Mask& mask = found->second;
  if (mask.base) std::ranges::copy(*mask.base, bits.begin());
  else std::ranges::fill(bits, 0);
  for (const TokenId token : mask.more) bits[static_cast<size_t>(token) / 64] |= uint64_t{1} << (token % 64);
  return true;
}

void MaskCache::put(uint64_t key, std::span<const uint64_t> bits, std::shared_ptr<const Bits> base) {
  Mask mask{.base = std::move(base), .more = {}};
  const size_t most = bits.size_bytes() / sizeof(TokenId);
  for (size_t word = 0; word < bits.size() && mask.more.size() <= most; ++word) {
    for (uint64_t left = bits[word] & ~(mask.base ? (*mask.base)[word] : 0); left != 0; left &= left - 1)
      mask.more.push_back(static_cast<TokenId>(word * 64 + static_cast<size_t>(std::countr_zero(left))));
  }
  if (mask.more.size() <= most) {
    mask.more.shrink_to_fit();
    const size_t bytes = own_bytes(mask.more);
    return keep(key, std::move(mask), bytes);
  }
  keep(key, {.base = std::make_shared<const Bits>(bits.begin(), bits.end()), .more = {}}, kEntryBytes + bits.size_bytes());
}

void MaskCache::keep(uint64_t key, Mask mask, size_t bytes) {
  if (young_bytes_ + bytes > limits::kGrammarMaskCacheBytesMax / 2) {
    old_ = std::exchange(young_, {});
    young_bytes_ = 0;
  }
  young_bytes_ += bytes;
  young_.insert_or_assign(key, std::move(mask));
}

}  // namespace rival::text::grammar
