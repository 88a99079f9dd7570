#include "text/jinja_unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "text/jinja_unicode_tables.h"

namespace rival::text::jinja {
namespace {

constexpr char32_t kCapitalSigma = 0x3A3, kSmallSigma = 0x3C3, kFinalSigma = 0x3C2;
constexpr char32_t kCapitalIWithDot = 0x130, kCombiningDot = 0x307;

utf8proc_category_t category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

bool within(std::span<const CodePointRange> ranges, char32_t c) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), c,
                                      [](char32_t value, const CodePointRange& range) { return value < range.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

bool append_special(std::u32string& out, std::span<const SpecialCase> table, char32_t c) {
  const auto row = std::lower_bound(table.begin(), table.end(), c,
                                    [](const SpecialCase& entry, char32_t value) { return entry.from < value; });
  if (row == table.end() || row->from != c) return false;
  for (const char32_t to : row->to)
    if (to != 0) out += to;
  return true;
}

void append_upper(std::u32string& out, char32_t c) {
  if (!append_special(out, kSpecialUpper, c)) out += static_cast<char32_t>(utf8proc_toupper(static_cast<int>(c)));
}

void append_title(std::u32string& out, char32_t c) {
  if (!append_special(out, kSpecialTitle, c)) out += static_cast<char32_t>(utf8proc_totitle(static_cast<int>(c)));
}

bool is_cased(char32_t c) { return is_upper(c) || is_lower(c) || is_title(c); }

bool is_case_ignorable(char32_t c) {
  static constexpr std::u32string_view kMarks = U"'.:^`\u00A8\u00AD\u00AF\u00B4\u00B7\u00B8\u2018\u2019\u2024\u2027";
  const auto kind = category(c);
  return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_ME || kind == UTF8PROC_CATEGORY_CF ||
         kind == UTF8PROC_CATEGORY_LM || kind == UTF8PROC_CATEGORY_SK || kMarks.find(c) != kMarks.npos;
}

// A sigma is final behind a cased letter and not before one (case-ignorable characters do not count).
bool is_final_sigma(std::u32string_view text, size_t at) {
  size_t before = at;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  size_t after = at + 1;
  while (after < text.size() && is_case_ignorable(text[after])) ++after;
  return after == text.size() || !is_cased(text[after]);
}

void append_lower(std::u32string& out, std::u32string_view text, size_t at) {
  const char32_t c = text[at];
  if (c == kCapitalSigma) {
    out += is_final_sigma(text, at) ? kFinalSigma : kSmallSigma;
  } else if (c == kCapitalIWithDot) {
    out += U'i';
    out += kCombiningDot;
  } else {
    out += static_cast<char32_t>(utf8proc_tolower(static_cast<int>(c)));
  }
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

size_t count_code_points(std::string_view text) {
  size_t continuations = 0;
  for (const char c : text) continuations += is_continuation(c) ? 1 : 0;
  return text.size() - continuations;
}

char32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t lead = byte(at);
  const size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t value = size == 1 ? lead : lead & (0x7Fu >> size);
  const size_t end = std::min(text.size(), at + size);
  for (size_t i = at + 1; i < end; ++i) value = value << 6 | (byte(i) & 0x3F);
  at = end;
  return value;
}

char32_t first_code_point(std::string_view text) {
  size_t at = 0;
  return next_code_point(text, at);
}

void append_code_point(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
            static_cast<char>(0x80 | (c & 0x3F))};
  } else {
    out += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
            static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
  }
}

std::u32string decode(std::string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) result += next_code_point(text, at);
  return result;
}

std::string encode(std::u32string_view code_points) {
  std::string result;
  result.reserve(code_points.size());
  for (const char32_t c : code_points) append_code_point(result, c);
  return result;
}

size_t byte_of(std::string_view text, size_t index) {
  size_t at = 0;
  for (; at < text.size(); ++at)
    if (!is_continuation(text[at]) && index-- == 0) return at;
  return at;
}

bool is_space(char32_t c) {
  if (c < 0x80) return (c >= 9 && c <= 13) || (c >= 28 && c <= 32);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_alpha(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool is_decimal(char32_t c) {
  return c < 0x80 ? c >= '0' && c <= '9' : category(c) == UTF8PROC_CATEGORY_ND;
}

bool is_digit(char32_t c) { return is_decimal(c) || within(kOtherDigits, c); }

bool is_numeric(char32_t c) {
  const auto kind = category(c);
  return kind == UTF8PROC_CATEGORY_ND || kind == UTF8PROC_CATEGORY_NL || kind == UTF8PROC_CATEGORY_NO ||
         within(kOtherNumeric, c);
}

bool is_alnum(char32_t c) { return is_alpha(c) || is_numeric(c); }

bool is_upper(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z';
  return category(c) == UTF8PROC_CATEGORY_LU || within(kOtherUppercase, c);
}

bool is_lower(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z';
  return category(c) == UTF8PROC_CATEGORY_LL || within(kOtherLowercase, c);
}

bool is_title(char32_t c) { return c >= 0x80 && category(c) == UTF8PROC_CATEGORY_LT; }

bool is_printable(char32_t c) {
  if (c < 0x80) return c >= 0x20 && c < 0x7F;
  switch (category(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS: return false;
    default: return true;
  }
}

bool is_word(char32_t c) { return c == '_' || is_alnum(c); }

bool is_identifier(std::string_view text) {
  if (text.empty()) return false;
  for (size_t at = 0; at < text.size();) {
    const bool start = at == 0;
    const char32_t c = next_code_point(text, at);
    if (c == '_' || is_alpha(c) || category(c) == UTF8PROC_CATEGORY_NL) continue;
    const auto kind = category(c);
    const bool inside = kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_MC ||
                        kind == UTF8PROC_CATEGORY_ND || kind == UTF8PROC_CATEGORY_PC;
    if (start || !inside) return false;
  }
  return true;
}

int decimal_value(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9' ? static_cast<int>(c - '0') : -1;
  if (!is_decimal(c)) return -1;
  char32_t start = c;  // decimal digits come in runs of ten or several times ten
  while (is_decimal(start - 1)) --start;
  return static_cast<int>((c - start) % 10);
}

std::string to_upper(std::string_view text) {
  if (is_ascii(text)) {
    std::string result(text);
    for (char& c : result)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return result;
  }
  std::u32string result;
  for (const char32_t c : decode(text)) append_upper(result, c);
  return encode(result);
}

std::string to_lower(std::string_view text) {
  if (is_ascii(text)) {
    std::string result(text);
    for (char& c : result)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
  }
  const std::u32string source = decode(text);
  std::u32string result;
  for (size_t i = 0; i < source.size(); ++i) append_lower(result, source, i);
  return encode(result);
}

std::string to_title(std::string_view text) {
  const std::u32string source = decode(text);
  std::u32string result;
  bool behind_cased = false;
  for (size_t i = 0; i < source.size(); ++i) {
    if (behind_cased)
      append_lower(result, source, i);
    else
      append_title(result, source[i]);
    behind_cased = is_cased(source[i]);
  }
  return encode(result);
}

std::string to_capitalized(std::string_view text) {
  const std::u32string source = decode(text);
  std::u32string result;
  for (size_t i = 0; i < source.size(); ++i) {
    if (i == 0)
      append_title(result, source[i]);
    else
      append_lower(result, source, i);
  }
  return encode(result);
}

std::string swap_case(std::string_view text) {
  const std::u32string source = decode(text);
  std::u32string result;
  for (size_t i = 0; i < source.size(); ++i) {
    if (is_upper(source[i]))
      append_lower(result, source, i);
    else if (is_lower(source[i]))
      append_upper(result, source[i]);
    else
      result += source[i];
  }
  return encode(result);
}

std::string fold_case(std::string_view text) {
  utf8proc_uint8_t* folded = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &folded, UTF8PROC_CASEFOLD);
  std::string result = size < 0 ? to_lower(text) : std::string(reinterpret_cast<char*>(folded), static_cast<size_t>(size));
  std::free(folded);
  return result;
}

}  // namespace rival::text::jinja
