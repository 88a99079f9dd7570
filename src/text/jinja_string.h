// Searching, splitting and stripping of text as Python's str does; shared by methods and filters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja_value.h"

namespace rival::text::jinja {

constexpr size_t kNoPosition = std::string_view::npos;

// Byte positions, in time linear in the size of the text.
size_t find_first(std::string_view text, std::string_view part, size_t from = 0);
size_t find_last(std::string_view text, std::string_view part);

std::string_view strip(std::string_view text, bool left, bool right);                           // white space
std::string_view strip(std::string_view text, std::string_view characters, bool left, bool right);

// `count` < 0: all.
std::string replace_text(std::string_view text, std::string_view from, std::string_view to, int64_t count);

std::vector<std::string_view> split_space(std::string_view text, int64_t count);
std::vector<std::string_view> split_space_right(std::string_view text, int64_t count);
std::vector<std::string_view> split_text(std::string_view text, std::string_view separator, int64_t count);
std::vector<std::string_view> split_text_right(std::string_view text, std::string_view separator, int64_t count);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);

// `width` counts code points; `fill` is one. Raises kLimit.
enum class Align { kLeft, kRight, kCenter };
std::string justify(std::string_view text, int64_t width, std::string_view fill, Align align);

}  // namespace rival::text::jinja
