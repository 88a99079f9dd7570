// What Python's str knows of Unicode: classes of code points and full case mappings, over utf8proc. Text is valid
// UTF-8 (a lone surrogate, which Python allows in a str, is three bytes).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rival::text::jinja {

size_t count_code_points(std::string_view text);

// The code point at `at`, which moves behind it.
char32_t next_code_point(std::string_view text, size_t& at);
char32_t first_code_point(std::string_view text);
void append_code_point(std::string& out, char32_t code_point);
std::u32string decode(std::string_view text);
std::string encode(std::u32string_view code_points);

// The byte at which code point `index` starts; text.size() at the end.
size_t byte_of(std::string_view text, size_t index);

bool is_space(char32_t c);  // str.isspace, str.strip, \s
bool is_alpha(char32_t c);
bool is_decimal(char32_t c);
bool is_digit(char32_t c);
bool is_numeric(char32_t c);
bool is_alnum(char32_t c);
bool is_upper(char32_t c);
bool is_lower(char32_t c);
bool is_title(char32_t c);
bool is_printable(char32_t c);  // repr() writes the others as escapes
bool is_word(char32_t c);       // \w
bool is_identifier(std::string_view text);

// The value of a decimal digit of any script, or -1.
int decimal_value(char32_t c);

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_title(std::string_view text);       // str.title: every letter behind a non-letter
std::string to_capitalized(std::string_view text);
std::string swap_case(std::string_view text);
std::string fold_case(std::string_view text);

}  // namespace rival::text::jinja
