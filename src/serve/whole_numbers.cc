#include "serve/whole_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

namespace rival::serve {
namespace {

struct Level {
  bool list = false;
  size_t index = 0;      // of a list
  std::string key = {};  // of an object, as it is spelled
};

std::string place(const std::vector<Level>& levels) {
  std::string out;
  for (const Level& level : levels) out += level.list ? fmt::format("[{}]", level.index) : out.empty() ? level.key : "." + level.key;
  return out;
}

template <typename Number>
std::optional<Number> read(std::string_view text) {
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

bool changes(std::string_view number) {
  if (number.find_first_of(".eE") != number.npos || read<int64_t>(number) || read<uint64_t>(number)) return false;
  const auto nearest = read<double>(number);
  return !nearest || fmt::format("{:.0f}", *nearest) != number;
}

// Most texts have no number that is long enough.
bool may_change(std::string_view text) {
  constexpr size_t kDigits = 19;  // 2^63 has as many
  size_t run = 0;
  return std::any_of(text.begin(), text.end(), [&](char c) { return (run = c >= '0' && c <= '9' ? run + 1 : 0) >= kDigits; });
}

// Behind the string that begins at `at`.
size_t string_end(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1 : 0;
  return std::min(at + 1, text.size());
}

}  // namespace

std::string changed_whole_number(std::string_view text) {
  if (!may_change(text)) return "";
  std::vector<Level> levels;
  std::string_view last;  // string
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const size_t begin = at++;
    if (c == '"') {
      at = string_end(text, begin);
      last = text.substr(begin + 1, at - begin - 2);
    } else if (c == '{' || c == '[') {
      levels.push_back({.list = c == '['});
    } else if (levels.empty()) {
      continue;
    } else if (c == '}' || c == ']') {
      levels.pop_back();
    } else if (c == ':') {
      levels.back().key = last;
    } else if (c == ',') {
      ++levels.back().index;
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      at = std::min(text.find_first_not_of("+-.eE0123456789", begin), text.size());
      if (changes(text.substr(begin, at - begin))) return place(levels);
    }
  }
  return "";
}

}  // namespace rival::serve
