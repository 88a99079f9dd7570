// Character classes and escapes of ECMA-262 patterns, outside and inside of brackets.
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/grammar/char_set.h"

namespace rival::text::grammar {

CharSet class_dot();    // all but line ends
CharSet class_digit();  // \d
CharSet class_word();   // \w
CharSet class_space();  // \s
// A Unicode general category by its short or long name ("Lu", "Letter"). Error: kUnsupported.
Result<CharSet> class_category(std::u32string_view name);

// Reads from text at *at and moves it behind what was read.
struct ClassReader {
  std::u32string_view text;
  size_t* at;

  Result<CharSet> plain();                // one character that stands for itself
  Result<CharSet> escape(bool brackets);  // from the backslash on
  Result<CharSet> bracket();              // from the opening bracket on

 private:
  Result<char32_t> hex(size_t digits);
  Result<CharSet> unicode_escape();
  Result<CharSet> property(bool negated);
};

}  // namespace rival::text::grammar
