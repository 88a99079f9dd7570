#include "text/charsmap.h"

#include <utf8proc.h>

#include <cstring>

#include "text/unicode.h"

namespace rival::text {
namespace {

// The bit fields of a unit of darts-clone's double array.
bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) == 1; }
uint32_t value(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t label(uint32_t unit) { return unit & 0x800000FF; }
uint32_t offset(uint32_t unit) { return unit >> 10 << ((unit & 1u << 9) >> 6); }

size_t grapheme_end(std::string_view text, size_t at) {
  utf8proc_int32_t state = 0;
  DecodedChar previous = decode_utf8(text, at);
  at += previous.length;
  while (at < text.size()) {
    const DecodedChar next = decode_utf8(text, at);
    if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(previous.code),
                                         static_cast<utf8proc_int32_t>(next.code), &state))
      break;
    at += next.length;
    previous = next;
  }
  return at;
}

}  // namespace

Result<Charsmap> Charsmap::parse(std::string_view bytes) {
  uint32_t trie_bytes = 0;
  if (bytes.size() >= 4) std::memcpy(&trie_bytes, bytes.data(), 4);
  if (bytes.size() < 4 || trie_bytes % 4 != 0 || trie_bytes == 0 || trie_bytes > bytes.size() - 4)
    return make_error(ErrorCode::kCorrupt, "precompiled_charsmap of {} bytes cannot hold a trie of {} bytes",
                      bytes.size(), trie_bytes);
  Charsmap map;
  map.units_.resize(trie_bytes / 4);
  std::memcpy(map.units_.data(), bytes.data() + 4, trie_bytes);
  map.replacements_ = bytes.substr(4 + trie_bytes);
  return map;
}

bool Charsmap::find(std::string_view text, std::string_view& replacement) const {
  uint32_t node = offset(units_[0]);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) return false;
    node ^= byte;
    if (node >= units_.size() || label(units_[node]) != byte) return false;
    const uint32_t unit = units_[node];
    node ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size() || value(units_[node]) > replacements_.size()) return false;
    replacement = std::string_view(replacements_).substr(value(units_[node]));
    replacement = replacement.substr(0, replacement.find('\0'));
    return true;
  }
  return false;
}

std::string Charsmap::apply(std::string_view text) const {
  constexpr size_t kGraphemeBytesMax = 6;  // rules are not longer
  std::string out;
  out.reserve(text.size());
  std::string_view replacement;
  for (size_t at = 0; at < text.size();) {
    const size_t end = grapheme_end(text, at);
    if (end - at < kGraphemeBytesMax && find(text.substr(at, end - at), replacement)) {
      out += replacement;
      at = end;
      continue;
    }
    while (at < end) {
      const size_t length = decode_utf8(text, at).length;
      out += find(text.substr(at, length), replacement) ? replacement : text.substr(at, length);
      at += length;
    }
  }
  return is_valid_utf8(out) ? out : replace_invalid_utf8(out);
}

}  // namespace rival::text
