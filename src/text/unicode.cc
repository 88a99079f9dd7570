#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "text/unicode_tables.h"

namespace rival::text {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The range that the second byte must lie in, which excludes overlong forms and surrogates (Unicode table
// 3-7).
struct SecondByte {
  unsigned char low, high;
};
SecondByte second_byte_range(unsigned char lead) {
  if (lead == 0xE0) return {0xA0, 0xBF};
  if (lead == 0xED) return {0x80, 0x9F};
  if (lead == 0xF0) return {0x90, 0xBF};
  if (lead == 0xF4) return {0x80, 0x8F};
  return {0x80, 0xBF};
}

// Bytes from `at` that begin a well-formed sequence, at most the whole of it; `whole` says whether it is
// complete.
size_t well_formed_part(std::string_view text, size_t at, bool& whole) {
  const auto lead = static_cast<unsigned char>(text[at]);
  whole = lead < 0x80;
  if (lead < 0xC2 || lead > 0xF4) return 1;
  const size_t length = utf8_length(lead);
  const SecondByte range = second_byte_range(lead);
  size_t used = 1;
  while (used < length && at + used < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at + used]);
    if (used == 1 ? byte < range.low || byte > range.high : !is_continuation(text[at + used])) break;
    ++used;
  }
  whole = used == length;
  return used;
}

utf8proc_category_t category(char32_t code) { return utf8proc_category(static_cast<utf8proc_int32_t>(code)); }

// The range of a sorted table that holds the code, or nullptr.
template <typename Range, size_t kCount>
const Range* find_range(const Range (&table)[kCount], char32_t code) {
  const Range* after = std::upper_bound(std::begin(table), std::end(table), code,
                                        [](char32_t c, const Range& range) { return c < range.first; });
  return after != std::begin(table) && code <= std::prev(after)->last ? std::prev(after) : nullptr;
}

// Alphabetic characters outside of categories L and Nl: the enclosed letters of category So.
bool is_enclosed_letter(char32_t code) {
  return (code >= 0x24B6 && code <= 0x24E9) || (code >= 0x1F130 && code <= 0x1F149) ||
         (code >= 0x1F150 && code <= 0x1F169) || (code >= 0x1F170 && code <= 0x1F189);
}

}  // namespace

DecodedChar decode_utf8(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {lead, 1, true};
  bool whole = false;
  const size_t length = well_formed_part(text, at, whole);
  if (!whole) return {0xFFFD, 1, false};
  char32_t code = lead & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
  return {code, static_cast<uint32_t>(length), true};
}

void append_utf8(std::string& out, char32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

bool is_valid_utf8(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  for (size_t at = 0; at < text.size();) {
    uint64_t eight;
    if (at + 8 <= text.size() && (std::memcpy(&eight, text.data() + at, 8), (eight & kHighBits) == 0)) {
      at += 8;
      continue;
    }
    bool whole = false;
    at += well_formed_part(text, at, whole);
    if (!whole) return false;
  }
  return true;
}

size_t complete_utf8_prefix(std::string_view text) {
  const size_t tail_max = std::min<size_t>(text.size(), 3);
  for (size_t back = 1; back <= tail_max; ++back) {
    const size_t at = text.size() - back;
    if (is_continuation(text[at])) continue;
    bool whole = false;
    const bool reaches_end = well_formed_part(text, at, whole) == back;
    const auto lead = static_cast<unsigned char>(text[at]);
    return reaches_end && !whole && lead >= 0xC2 && lead <= 0xF4 ? at : text.size();
  }
  return text.size();
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    bool whole = false;
    const size_t length = well_formed_part(text, at, whole);
    if (whole) {
      out += text.substr(at, length);
    } else {
      append_utf8(out, 0xFFFD);
    }
    at += length;
  }
  return out;
}

std::string escape_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    if (c.valid && escaped_byte(c.code) < 0) {
      out += text.substr(at, c.length);
    } else {
      for (size_t i = 0; i < c.length; ++i)
        append_utf8(out, kEscapedByteBase + static_cast<unsigned char>(text[at + i]));
    }
    at += c.length;
  }
  return out;
}

std::string unescape_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    const int byte = escaped_byte(c.code);
    if (byte >= 0) {
      out += static_cast<char>(byte);
    } else {
      out += text.substr(at, c.length);
    }
    at += c.length;
  }
  return out;
}

bool is_white_space(char32_t code) {
  if (code < 0x80) return code == ' ' || (code >= '\t' && code <= '\r');
  return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
         code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_punctuation(char32_t code) {
  if (code < 0x80)
    return (code >= '!' && code <= '/') || (code >= ':' && code <= '@') || (code >= '[' && code <= '`') ||
           (code >= '{' && code <= '~');
  if (find_range(kPunctuationOn, code)) return true;
  const auto c = category(code);
  return c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_PO && !find_range(kPunctuationOff, code);
}

bool is_other(char32_t code) {
  const auto c = category(code);
  return (c == UTF8PROC_CATEGORY_CC || c == UTF8PROC_CATEGORY_CF || c == UTF8PROC_CATEGORY_CO) &&
         !find_range(kControlOff, code);
}

bool is_nonspacing_mark(char32_t code) {
  if (code < 0x300) return false;
  return (category(code) == UTF8PROC_CATEGORY_MN && !find_range(kNonspacingOff, code)) ||
         find_range(kNonspacingOn, code);
}

bool is_unnormalized(char32_t code) { return code >= 0x7FD && find_range(kUnnormalized, code); }

bool is_mark(char32_t code) {
  const auto c = category(code);
  const bool was_mark = code == 0x1CF2 || code == 0x1CF3;  // until Unicode 12
  return was_mark || (c >= UTF8PROC_CATEGORY_MN && c <= UTF8PROC_CATEGORY_ME && !is_unnormalized(code));
}

bool is_number(char32_t code) {
  const auto c = category(code);
  return (c >= UTF8PROC_CATEGORY_ND && c <= UTF8PROC_CATEGORY_NO) || find_range(kNumberOn, code);
}

bool is_decimal(char32_t code) { return category(pattern_stand_in(code)) == UTF8PROC_CATEGORY_ND; }

char32_t pattern_stand_in(char32_t code) {
  if (code < 0x897) return code;
  const CodeRangeTo* range = find_range(kPatternStandIns, code);
  return range ? static_cast<char32_t>(range->to) : code;
}

bool replace_by_stand_ins(std::string_view text, std::string& out) {
  // The lead bytes that sequences of the table begin with.
  const auto may_begin_one = [](unsigned char lead) {
    return (lead >= 0xE0 && lead <= 0xE3) || lead == 0xEA || lead == 0xF0;
  };
  out.clear();
  for (size_t at = 0; at < text.size(); ++at) {
    if (!may_begin_one(static_cast<unsigned char>(text[at]))) continue;
    const DecodedChar c = decode_utf8(text, at);
    const char32_t older = pattern_stand_in(c.code);
    if (older == c.code) continue;
    if (out.empty()) out = text;
    std::string spelled;
    append_utf8(spelled, older);
    out.replace(at, c.length, spelled);  // of the same length
  }
  return !out.empty();
}

bool is_word(char32_t code) {
  const auto c = category(pattern_stand_in(code));
  return (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NL) || c == UTF8PROC_CATEGORY_PC ||
         code == 0x200C || code == 0x200D || is_enclosed_letter(code);
}

bool is_cjk(char32_t code) {
  return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
         (code >= 0x20000 && code <= 0x2A6DF) || (code >= 0x2A700 && code <= 0x2B73F) ||
         (code >= 0x2B740 && code <= 0x2B81F) || (code >= 0x2B920 && code <= 0x2CEAF) ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x2F800 && code <= 0x2FA1F);
}

void append_lower(std::string& out, char32_t code) {
  if (code == 0x130) {
    append_utf8(out, 'i');
    append_utf8(out, 0x307);
    return;
  }
  if (const CodeRangeTo* range = code < 0x1C89 ? nullptr : find_range(kLowerOn, code)) {
    append_utf8(out, static_cast<char32_t>(static_cast<int>(code) + range->to));
    return;
  }
  append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
}

}  // namespace rival::text
