#include "text/jinja_literal.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "text/jinja_ops.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

// Digits of a base with single underscores between them (and before the first, where allowed): bytes taken.
size_t scan_digits(std::string_view text, int base, bool leading_underscore, std::string& digits) {
  size_t at = 0;
  while (at < text.size()) {
    const bool underscore = text[at] == '_' && (at > 0 || leading_underscore);
    const size_t digit = at + (underscore ? 1 : 0);
    if (digit >= text.size() || digit_value(text[digit]) >= base) break;
    digits += text[digit];
    at = digit + 1;
  }
  return at;
}

int64_t to_integer(std::string_view digits, int base) {
  int64_t value = 0;
  for (const char c : digits)
    if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit_value(c), &value))
      raise_overflow();
  return value;
}

double to_real(std::string_view text) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc::result_out_of_range) return value;
  const size_t e = text.find_first_of("eE");
  const bool tiny = e != text.npos && text.substr(e + 1).starts_with('-');
  return tiny ? 0 : std::numeric_limits<double>::infinity();
}

size_t scan_float(std::string_view text, std::string& clean) {
  size_t at = scan_digits(text, 10, false, clean);
  if (at == 0) return 0;
  bool is_float = false;
  if (at + 1 < text.size() && text[at] == '.') {
    std::string fraction;
    const size_t size = scan_digits(text.substr(at + 1), 10, false, fraction);
    if (size > 0) {
      clean += '.' + fraction;
      at += 1 + size;
      is_float = true;
    }
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const bool sign = at + 1 < text.size() && (text[at + 1] == '+' || text[at + 1] == '-');
    std::string exponent;
    const size_t from = at + 1 + (sign ? 1 : 0);
    const size_t size = from < text.size() ? scan_digits(text.substr(from), 10, false, exponent) : 0;
    if (size > 0) {
      clean += 'e';
      if (sign && text[at + 1] == '-') clean += '-';
      clean += exponent;
      at = from + size;
      is_float = true;
    }
  }
  return is_float ? at : 0;
}

int prefix_base(std::string_view text) {
  if (text.size() < 2 || text[0] != '0') return 0;
  switch (text[1] | 0x20) {
    case 'b': return 2;
    case 'o': return 8;
    case 'x': return 16;
    default: return 0;
  }
}

std::string_view strip(std::string_view text) {
  size_t begin = text.size(), end = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    if (is_space(next_code_point(text, at))) continue;
    begin = std::min(begin, start);
    end = at;
  }
  return begin >= end ? std::string_view() : text.substr(begin, end - begin);
}

// Decimal digits of any script as ASCII; other characters as they are.
std::string ascii_digits(std::string_view text) {
  if (count_code_points(text) == text.size()) return std::string(text);
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    const int value = decimal_value(c);
    if (value >= 0)
      result += static_cast<char>('0' + value);
    else
      append_code_point(result, c);
  }
  return result;
}

uint32_t hex_escape(std::string_view text, size_t& at, size_t count, int line) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (at >= text.size() || digit_value(text[at]) >= 16)
      raise(Raised::kSyntax, "line {}: truncated escape in a string", line);
    value = value << 4 | static_cast<uint32_t>(digit_value(text[at++]));
  }
  if (value > 0x10FFFF) raise(Raised::kSyntax, "line {}: illegal Unicode character in a string", line);
  return value;
}

void octal_escape(std::string& out, std::string_view text, size_t& at) {
  uint32_t value = 0;
  for (int i = 0; i < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++i)
    value = value << 3 | static_cast<uint32_t>(text[at++] - '0');
  append_code_point(out, value);
}

void unescape_one(std::string& out, std::string_view text, size_t& at, int line) {
  static constexpr std::string_view kFrom = "\\'\"abfnrtv", kTo = "\\'\"\a\b\f\n\r\t\v";
  const char c = text[at];
  if (c >= '0' && c <= '7') return octal_escape(out, text, at);
  ++at;
  const size_t simple = kFrom.find(c);
  if (simple != kFrom.npos) {
    out += kTo[simple];
  } else if (c == 'x' || c == 'u' || c == 'U') {
    append_code_point(out, hex_escape(text, at, c == 'x' ? 2 : c == 'u' ? 4 : 8, line));
  } else if (c == 'N') {
    raise(Raised::kUnsupported, "line {}: named characters in strings are not supported", line);
  } else if (c != '\n') {
    out += '\\';
    --at;
    append_code_point(out, next_code_point(text, at));
  }
}

}  // namespace

NumberLiteral scan_number(std::string_view text, bool float_allowed) {
  NumberLiteral literal;
  if (text.empty() || text[0] < '0' || text[0] > '9') return literal;
  std::string digits;
  if (float_allowed) literal.size = scan_float(text, digits);
  if (literal.size != 0) {
    literal.is_float = true;
    literal.real = to_real(digits);
    return literal;
  }
  digits.clear();
  int base = prefix_base(text);
  const size_t prefixed = base != 0 ? scan_digits(text.substr(2), base, true, digits) : 0;
  if (prefixed > 0) {
    literal.size = 2 + prefixed;
  } else {
    digits.clear();
    base = text[0] == '0' ? 1 : 10;  // of digits after a zero, only more zeros belong to the number
    literal.size = scan_digits(text, base, false, digits);
  }
  literal.integer = base == 1 ? 0 : to_integer(digits, base);
  return literal;
}

std::string unescape(std::string_view text, int line) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      result += text[at++];
      continue;
    }
    if (++at == text.size()) raise(Raised::kSyntax, "line {}: a string ends in a backslash", line);
    unescape_one(result, text, at, line);
  }
  return result;
}

std::optional<int64_t> parse_integer(std::string_view text, int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  const std::string ascii = ascii_digits(strip(text));
  std::string_view rest = ascii;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const int prefix = prefix_base(rest);
  bool underscore = false;
  if (prefix != 0 && (base == 0 || base == prefix)) {
    rest.remove_prefix(2);
    base = prefix;
    underscore = true;
  } else if (base == 0) {
    base = 10;
    if (rest.size() > 1 && rest[0] == '0' && rest.find_first_not_of("0_") != rest.npos) return std::nullopt;
  }
  std::string digits;
  if (rest.empty() || scan_digits(rest, static_cast<int>(base), underscore, digits) != rest.size())
    return std::nullopt;
  const int64_t value = to_integer(digits, static_cast<int>(base));
  return negative ? -value : value;
}

std::optional<double> parse_real(std::string_view text) {
  const std::string ascii = ascii_digits(strip(text));
  std::string_view rest = ascii;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const double sign = negative ? -1 : 1;
  const std::string lower = to_lower(rest);
  if (lower == "inf" || lower == "infinity") return sign * std::numeric_limits<double>::infinity();
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  std::string clean, fraction;
  size_t at = scan_float(rest, clean);
  if (at == 0) {  // forms that are no literal: "1", "1.", ".5", "1.e5"
    clean.clear();
    at = scan_digits(rest, 10, false, clean);
    bool any = at > 0;
    if (at < rest.size() && rest[at] == '.') {
      const size_t size = scan_digits(rest.substr(at + 1), 10, false, fraction);
      any = any || size > 0;
      clean += '.' + fraction;
      at += 1 + size;
    }
    if (!any) return std::nullopt;
    if (at < rest.size() && (rest[at] | 0x20) == 'e') {
      std::string with_exponent;
      const std::string tail = "0" + std::string(rest.substr(at));
      const size_t size = scan_float(tail, with_exponent);
      if (size != tail.size()) return std::nullopt;
      clean += with_exponent.substr(1);
      at = rest.size();
    }
  }
  if (at != rest.size()) return std::nullopt;
  if (clean.starts_with('.')) clean.insert(0, "0");
  return sign * to_real(clean);
}

}  // namespace rival::text::jinja
