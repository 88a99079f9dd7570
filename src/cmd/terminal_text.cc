#include "cmd/terminal_text.h"

#include <cstdint>

namespace rival::cmd {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Character {
  char32_t code = 0;
  size_t bytes = 0;  // 0: the text ends inside it
  bool valid = false;
};

bool is_continuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

// The first character by the Unicode standard, table 3-7; an invalid one takes a single byte.
Character first_character(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return {0, 1, false};
  char32_t code = lead & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) {
    if (i == text.size()) return {0, 0, false};
    if (!is_continuation(text[i])) return {0, 1, false};
    code = code << 6 | (static_cast<uint8_t>(text[i]) & 0x3F);
  }
  const bool too_long = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  if (too_long || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {0, 1, false};
  return {code, size, true};
}

bool is_unsafe(char32_t code) {
  return (code >= 0x80 && code < 0xA0) || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
         code == 0x2028 || code == 0x2029;
}

// U+2400 + code: the picture of a C0 character.
std::string picture(char32_t code) {
  const char32_t sign = code == 0x7F ? 0x2421 : 0x2400 + code;
  return {static_cast<char>(0xE2), static_cast<char>(0x80 | (sign >> 6 & 0x3F)), static_cast<char>(0x80 | (sign & 0x3F))};
}

std::string shown(const Character& character, std::string_view bytes) {
  if (!character.valid || is_unsafe(character.code)) return std::string(kReplacement);
  if ((character.code < 0x20 && bytes != "\n" && bytes != "\t") || character.code == 0x7F) return picture(character.code);
  return std::string(bytes);
}

}  // namespace

std::string PrintableStream::push(std::string_view piece) {
  const std::string all = held_ + std::string(piece);
  std::string result;
  size_t at = 0;
  while (at < all.size()) {
    const std::string_view rest = std::string_view(all).substr(at);
    if (rest == "\r") break;
    if (rest.starts_with("\r\n")) {
      ++at;
      continue;
    }
    const Character character = first_character(rest);
    if (character.bytes == 0) break;
    result += shown(character, rest.substr(0, character.bytes));
    at += character.bytes;
  }
  held_ = all.substr(at);
  return result;
}

std::string PrintableStream::finish() {
  std::string result;
  if (held_ == "\r")
    result = picture('\r');
  else if (!held_.empty())
    result = kReplacement;
  held_.clear();
  return result;
}

std::string printable(std::string_view text) {
  PrintableStream stream;
  std::string result = stream.push(text);
  return result + stream.finish();
}

}  // namespace rival::cmd
