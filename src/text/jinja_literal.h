// Numbers and strings as they are written: in the source of a template, and as int() and float() read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rival::text::jinja {

struct NumberLiteral {
  size_t size = 0;  // bytes taken; 0 where no number starts here
  bool is_float = false;
  int64_t integer = 0;
  double real = 0;
};

// The number that `text` starts with. Raises kUnsupported for an integer beyond 64 bits.
NumberLiteral scan_number(std::string_view text, bool float_allowed);

// The content of a string literal with its escapes replaced. Raises kSyntax.
std::string unescape(std::string_view text, int line);

// Python's int(text, base) and float(text); nothing where they raise ValueError.
std::optional<int64_t> parse_integer(std::string_view text, int64_t base);
std::optional<double> parse_real(std::string_view text);

}  // namespace rival::text::jinja
