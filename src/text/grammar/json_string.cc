#include "text/grammar/json_string.h"

#include <algorithm>

namespace rival::text::grammar {

namespace {

// Layout of StringPlace::partial: kind in bits 29-31; kHex and kLowHex: digits read in bits 24-25, their value in
// bits 0-11; kHigh, kHighEscape and kLowHex: ten bits of the high surrogate in bits 12-21; kUtf8: bytes to come in
// bits 24-25, bytes in all in bits 26-28, value in bits 0-17.
enum Kind : uint32_t { kNone, kEscape, kHex, kHigh, kHighEscape, kLowHex, kUtf8 };

constexpr uint32_t pack(Kind kind, uint32_t count, uint32_t high, uint32_t value) {
  return kind << 29 | count << 24 | high << 12 | value;
}

int hex_digit(uint8_t b) {
  if (b >= '0' && b <= '9') return b - '0';
  if (b >= 'a' && b <= 'f') return b - 'a' + 10;
  if (b >= 'A' && b <= 'F') return b - 'A' + 10;
  return -1;
}

int escaped_character(uint8_t b) {
  switch (b) {
    case '"': case '\\': case '/': return b;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return -1;
  }
}

// Whether a scalar value in [lo, hi] leads on.
bool scalar_ahead(Dfa* dfa, StateId state, char32_t lo, char32_t hi) {
  if (lo < 0xD800 && dfa->any_next(state, lo, std::min<char32_t>(hi, 0xD7FF))) return true;
  return hi >= 0xE000 && dfa->any_next(state, std::max<char32_t>(lo, 0xE000), std::min(hi, kCodePointMax));
}

// Whether \u with a first unit in [lo, hi] can lead on, alone or with a low surrogate behind it.
bool unit_ahead(Dfa* dfa, StateId state, uint32_t lo, uint32_t hi) {
  if (scalar_ahead(dfa, state, lo, hi)) return true;
  const uint32_t high_lo = std::max(lo, 0xD800u), high_hi = std::min(hi, 0xDBFFu);
  return high_lo <= high_hi && dfa->any_next(state, 0x10000 + ((high_lo - 0xD800) << 10),
                                             0x10000 + ((high_hi - 0xD800) << 10) + 0x3FF);
}

bool take(Dfa* dfa, StringPlace* place, char32_t c) {
  place->state = dfa->next(place->state, c);
  place->partial = 0;
  return place->state != kDead;
}

bool step_hex(Dfa* dfa, StringPlace* place, uint8_t byte) {
  const int digit = hex_digit(byte);
  if (digit < 0) return false;
  const uint32_t count = (place->partial >> 24 & 3) + 1, value = (place->partial & 0xFFF) << 4 | digit;
  if (count == 4) {
    if (value >= 0xD800 && value < 0xDC00) {
      place->partial = pack(kHigh, 0, value - 0xD800, 0);
      return unit_ahead(dfa, place->state, value, value);
    }
    return (value < 0xDC00 || value > 0xDFFF) && take(dfa, place, value);
  }
  place->partial = pack(kHex, count, 0, value);
  const uint32_t shift = 4 * (4 - count);
  return unit_ahead(dfa, place->state, value << shift, (value << shift) + (1u << shift) - 1);
}

bool step_low_hex(Dfa* dfa, StringPlace* place, uint8_t byte) {
  const int digit = hex_digit(byte);
  if (digit < 0) return false;
  const uint32_t high = place->partial >> 12 & 0x3FF;
  const uint32_t count = (place->partial >> 24 & 3) + 1, value = (place->partial & 0xFFF) << 4 | digit;
  const uint32_t shift = 4 * (4 - count);
  const uint32_t lo = std::max(value << shift, 0xDC00u), hi = std::min((value << shift) + (1u << shift) - 1, 0xDFFFu);
  if (lo > hi) return false;
  const char32_t base = 0x10000 + (high << 10) - 0xDC00;
  if (count == 4) return take(dfa, place, base + value);
  place->partial = pack(kLowHex, count, high, value);
  return dfa->any_next(place->state, base + lo, base + hi);
}

bool step_utf8_lead(Dfa* dfa, StringPlace* place, uint8_t byte) {
  const uint32_t length = byte >= 0xC2 && byte < 0xE0 ? 2 : byte >= 0xE0 && byte < 0xF0 ? 3 : byte >= 0xF0 && byte < 0xF5 ? 4 : 0;
  if (length == 0) return false;
  const uint32_t value = byte & (0x7Fu >> length);
  place->partial = kUtf8 << 29 | length << 26 | (length - 1) << 24 | value;
  const uint32_t shift = 6 * (length - 1), least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  return scalar_ahead(dfa, place->state, std::max(value << shift, least), (value << shift) + (1u << shift) - 1);
}

bool step_utf8_tail(Dfa* dfa, StringPlace* place, uint8_t byte) {
  if ((byte & 0xC0) != 0x80) return false;
  const uint32_t length = place->partial >> 26 & 7, left = (place->partial >> 24 & 3) - 1;
  const uint32_t value = (place->partial & 0x3FFFF) << 6 | (byte & 0x3F);
  const uint32_t shift = 6 * left, least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  const char32_t lo = std::max(value << shift, least), hi = std::min<char32_t>((value << shift) + (1u << shift) - 1, kCodePointMax);
  if (lo > hi || (lo >= 0xD800 && hi <= 0xDFFF)) return false;
  if (left == 0) return take(dfa, place, value);
  place->partial = kUtf8 << 29 | length << 26 | left << 24 | value;
  return scalar_ahead(dfa, place->state, lo, hi);
}

bool step_inside(Dfa* dfa, StringPlace* place, uint8_t byte) {
  switch (static_cast<Kind>(place->partial >> 29)) {
    case kNone: break;
    case kEscape: {
      if (byte == 'u') return place->partial = pack(kHex, 0, 0, 0), unit_ahead(dfa, place->state, 0, 0xFFFF);
      const int c = escaped_character(byte);
      return c >= 0 && take(dfa, place, static_cast<char32_t>(c));
    }
    case kHex: return step_hex(dfa, place, byte);
    case kHigh:
      place->partial = pack(kHighEscape, 0, place->partial >> 12 & 0x3FF, 0);
      return byte == '\\';
    case kHighEscape:
      place->partial = pack(kLowHex, 0, place->partial >> 12 & 0x3FF, 0);
      return byte == 'u';
    case kLowHex: return step_low_hex(dfa, place, byte);
    case kUtf8: return step_utf8_tail(dfa, place, byte);
  }
  if (byte >= 0x80) return step_utf8_lead(dfa, place, byte);
  return byte >= 0x20 && take(dfa, place, byte);
}

}  // namespace

StringStep step_json_string(Dfa* dfa, StringPlace* place, uint8_t byte) {
  if (place->partial == 0) {
    if (byte == '"') return StringStep::kClosed;
    if (byte == '\\') {
      place->partial = pack(kEscape, 0, 0, 0);
      return dfa->any_next(place->state, 0, kCodePointMax) ? StringStep::kInside : StringStep::kDead;
    }
  }
  return step_inside(dfa, place, byte) ? StringStep::kInside : StringStep::kDead;
}

bool step_utf8(Dfa* dfa, StringPlace* place, uint8_t byte) {
  if (place->partial != 0) return step_utf8_tail(dfa, place, byte);
  return byte >= 0x80 ? step_utf8_lead(dfa, place, byte) : take(dfa, place, byte);
}

}  // namespace rival::text::grammar
