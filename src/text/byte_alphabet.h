// GPT-2's byte alphabet: every byte as one printable character, so that byte-level vocabularies are text
// files. Printable Latin-1 bytes stand for themselves, the other 68 for U+0100 upwards, in the order of the
// bytes.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace rival::text {

constexpr std::array<char16_t, 256> kByteAlphabet = [] {
  std::array<char16_t, 256> table{};
  char16_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    table[static_cast<size_t>(byte)] = printable ? static_cast<char16_t>(byte) : next++;
  }
  return table;
}();

// Code points 0..323 back to bytes, -1 where a code point is no letter of the alphabet.
constexpr std::array<int16_t, 0x144> kByteOfLetter = [] {
  std::array<int16_t, 0x144> table{};
  for (auto& entry : table) entry = -1;
  for (int byte = 0; byte < 256; ++byte)
    table[kByteAlphabet[static_cast<size_t>(byte)]] = static_cast<int16_t>(byte);
  return table;
}();

// Appends the letters of the bytes of `text`. escaped: private-use units in it stand for bytes (unicode.h).
void append_byte_letters(std::string& out, std::string_view text, bool escaped);

// The bytes that a token spells; nothing and false where a character is no letter of the alphabet.
bool append_letter_bytes(std::string& out, std::string_view letters);

}  // namespace rival::text
