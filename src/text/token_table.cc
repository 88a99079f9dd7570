#include "text/token_table.h"

#include <array>
#include <bit>
#include <cstring>

namespace rival::text {
namespace {

uint64_t read_u64(const char* p) {
  uint64_t value;
  std::memcpy(&value, p, 8);
  return value;
}

uint64_t read_u32(const char* p) {
  uint32_t value;
  std::memcpy(&value, p, 4);
  return value;
}

uint64_t mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

constexpr uint64_t kSecretA = 0x9E3779B97F4A7C15, kSecretB = 0xD6E8FEB86659FD93,
                   kSecretC = 0xA0761D6478BD642F;
constexpr size_t kAhead = 16;  // slots asked for before they are needed

}  // namespace

uint64_t hash_text(std::string_view text) {
  const char* p = text.data();
  const size_t n = text.size();
  uint64_t a = 0, b = 0, seed = kSecretC ^ n;
  if (n >= 8) {
    size_t at = 0;
    for (; at + 16 < n; at += 16) seed = mix(read_u64(p + at) ^ kSecretA, read_u64(p + at + 8) ^ seed);
    a = read_u64(p + (n >= 16 ? n - 16 : 0));
    b = read_u64(p + n - 8);
  } else if (n >= 4) {
    a = read_u32(p);
    b = read_u32(p + n - 4);
  } else if (n > 0) {
    a = static_cast<uint64_t>(static_cast<unsigned char>(p[0])) << 16 |
        static_cast<uint64_t>(static_cast<unsigned char>(p[n / 2])) << 8 |
        static_cast<unsigned char>(p[n - 1]);
  }
  return mix(a ^ kSecretA ^ n, mix(b ^ kSecretB, seed));
}

TokenTable::TokenTable(std::span<const std::string_view> tokens, std::span<const TokenType> types)
    : tokens_(tokens),
      slots_(std::bit_ceil(std::max<size_t>(16, tokens.size() * 2))),
      mask_(slots_.size() - 1) {
  const auto is_spelled = [&](size_t id) {
    if (tokens[id].empty()) return false;
    if (types.empty()) return true;
    const TokenType type = types[id];
    return type != TokenType::kControl && type != TokenType::kUnknown && type != TokenType::kByte;
  };
  std::array<uint64_t, kAhead> hashes{};
  for (size_t i = 0; i < tokens.size() + kAhead; ++i) {
    if (i >= kAhead && is_spelled(i - kAhead)) insert(static_cast<TokenId>(i - kAhead), hashes[i % kAhead]);
    if (i < tokens.size()) {
      hashes[i % kAhead] = hash_text(tokens[i]);
      __builtin_prefetch(&slots_[hashes[i % kAhead] & mask_], 1);
    }
  }
}

void TokenTable::insert(TokenId id, uint64_t hash) {
  const auto tag = static_cast<uint32_t>(hash >> 32);
  uint64_t at = hash & mask_;
  for (; slots_[at].id >= 0; at = (at + 1) & mask_)
    if (slots_[at].tag == tag && text(slots_[at].id) == text(id)) return;
  slots_[at] = {tag, id};
}

TokenId TokenTable::find(std::string_view text) const {
  if (text.empty() || slots_.empty()) return -1;
  const uint64_t hash = hash_text(text);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (uint64_t at = hash & mask_; slots_[at].id >= 0; at = (at + 1) & mask_)
    if (slots_[at].tag == tag && this->text(slots_[at].id) == text) return slots_[at].id;
  return -1;
}

}  // namespace rival::text
