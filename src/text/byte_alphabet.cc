#include "text/byte_alphabet.h"

#include "text/unicode.h"

namespace rival::text {

void append_byte_letters(std::string& out, std::string_view text, bool escaped) {
  const auto append = [&](unsigned char byte) {
    const char16_t letter = kByteAlphabet[byte];
    if (letter < 0x80) {
      out += static_cast<char>(letter);
    } else {
      out += static_cast<char>(0xC0 | letter >> 6);
      out += static_cast<char>(0x80 | (letter & 0x3F));
    }
  };
  if (!escaped) {
    for (const char c : text) append(static_cast<unsigned char>(c));
    return;
  }
  for (const char c : unescape_invalid_utf8(text)) append(static_cast<unsigned char>(c));
}

bool append_letter_bytes(std::string& out, std::string_view letters) {
  const size_t start = out.size();
  for (size_t at = 0; at < letters.size();) {
    const DecodedChar c = decode_utf8(letters, at);
    if (!c.valid || c.code >= kByteOfLetter.size() || kByteOfLetter[c.code] < 0) {
      out.resize(start);
      return false;
    }
    out += static_cast<char>(kByteOfLetter[c.code]);
    at += c.length;
  }
  return true;
}

}  // namespace rival::text
