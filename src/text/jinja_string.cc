#include "text/jinja_string.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

// The start of the code point that ends before byte `end`.
size_t previous_start(std::string_view text, size_t end) {
  do {
    --end;
  } while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80);
  return end;
}

template <typename Drop>
std::string_view strip_while(std::string_view text, bool left, bool right, Drop drop) {
  size_t begin = 0, end = text.size();
  while (left && begin < end) {
    size_t after = begin;
    if (!drop(next_code_point(text, after))) break;
    begin = after;
  }
  while (right && begin < end) {
    const size_t start = previous_start(text, end);
    if (!drop(first_code_point(text.substr(start)))) break;
    end = start;
  }
  return text.substr(begin, end - begin);
}

bool ends_line(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

std::string interleave(std::string_view text, std::string_view between, int64_t count) {
  std::string result;
  size_t at = 0;
  while (count != 0) {
    result += between;
    --count;
    if (at >= text.size()) return result;
    const size_t start = at;
    next_code_point(text, at);
    result += text.substr(start, at - start);
    Runtime::check_size(result.size());
  }
  return result += text.substr(at);
}

}  // namespace

size_t find_first(std::string_view text, std::string_view part, size_t from) {
  if (from > text.size()) return kNoPosition;
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return found == nullptr ? kNoPosition : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

size_t find_last(std::string_view text, std::string_view part) {
  const std::string reversed_text(text.rbegin(), text.rend()), reversed_part(part.rbegin(), part.rend());
  const size_t found = find_first(reversed_text, reversed_part);
  return found == kNoPosition ? kNoPosition : text.size() - found - part.size();
}

std::string_view strip(std::string_view text, bool left, bool right) {
  return strip_while(text, left, right, is_space);
}

std::string_view strip(std::string_view text, std::string_view characters, bool left, bool right) {
  const std::u32string set = decode(characters);
  return strip_while(text, left, right, [&](char32_t c) { return set.find(c) != set.npos; });
}

std::string replace_text(std::string_view text, std::string_view from, std::string_view to, int64_t count) {
  if (from.empty()) return interleave(text, to, count);
  std::string result;
  size_t at = 0;
  for (; count != 0; --count) {
    const size_t found = find_first(text, from, at);
    if (found == kNoPosition) break;
    result += text.substr(at, found - at);
    result += to;
    at = found + from.size();
    Runtime::check_size(result.size());
  }
  return result += text.substr(at);
}

std::vector<std::string_view> split_space(std::string_view text, int64_t count) {
  std::vector<std::string_view> parts;
  text = strip(text, true, false);
  while (!text.empty()) {
    if (count-- == 0) {
      parts.push_back(text);
      break;
    }
    size_t end = 0;
    while (end < text.size()) {
      size_t after = end;
      if (is_space(next_code_point(text, after))) break;
      end = after;
    }
    parts.push_back(text.substr(0, end));
    text = strip(text.substr(end), true, false);
  }
  return parts;
}

std::vector<std::string_view> split_space_right(std::string_view text, int64_t count) {
  std::vector<std::string_view> parts;
  text = strip(text, false, true);
  while (!text.empty()) {
    if (count-- == 0) {
      parts.push_back(text);
      break;
    }
    size_t begin = text.size();
    while (begin > 0) {
      const size_t start = previous_start(text, begin);
      if (is_space(first_code_point(text.substr(start)))) break;
      begin = start;
    }
    parts.push_back(text.substr(begin));
    text = strip(text.substr(0, begin), false, true);
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_text(std::string_view text, std::string_view separator, int64_t count) {
  std::vector<std::string_view> parts;
  size_t at = 0;
  for (; count != 0; --count) {
    const size_t found = find_first(text, separator, at);
    if (found == kNoPosition) break;
    parts.push_back(text.substr(at, found - at));
    at = found + separator.size();
  }
  parts.push_back(text.substr(at));
  return parts;
}

std::vector<std::string_view> split_text_right(std::string_view text, std::string_view separator, int64_t count) {
  const std::string reversed_text(text.rbegin(), text.rend()), reversed(separator.rbegin(), separator.rend());
  std::vector<std::string_view> parts = split_text(reversed_text, reversed, count);
  for (auto& part : parts)  // the same stretch of the text, read forwards
    part = text.substr(text.size() - static_cast<size_t>(part.data() - reversed_text.data()) - part.size(),
                       part.size());
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = at;
    const char32_t c = next_code_point(text, at);
    if (!ends_line(c)) continue;
    if (c == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(start, (keep_ends ? at : end) - start));
    start = at;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

std::string justify(std::string_view text, int64_t width, std::string_view fill, Align align) {
  const auto size = static_cast<int64_t>(count_code_points(text));
  if (width <= size) return std::string(text);
  if (width > static_cast<int64_t>(limits::kTemplateOutputBytesMax))
    raise(Raised::kLimit, "a field of {} characters is too wide", width);
  const int64_t missing = width - size;
  int64_t left = align == Align::kLeft ? 0 : missing;
  if (align == Align::kCenter) left = missing / 2 + (missing & width & 1);
  std::string result;
  for (int64_t i = 0; i < left; ++i) result += fill;
  result += text;
  for (int64_t i = left; i < missing; ++i) result += fill;
  return result;
}

}  // namespace rival::text::jinja
