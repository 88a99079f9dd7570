// UTF-8 as this room reads it: bytes that are no part of valid UTF-8 are never lost, see InvalidBytes below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rival::text {

struct DecodedChar {
  char32_t code = 0;    // U+FFFD where the bytes are invalid
  uint32_t length = 1;  // bytes taken, at least 1
  bool valid = false;
};

// The character at text[at]; at < text.size(). Surrogates, overlong forms and values above U+10FFFF are
// invalid; an invalid lead or a cut sequence takes one byte.
DecodedChar decode_utf8(std::string_view text, size_t at);

void append_utf8(std::string& out, char32_t code);

bool is_valid_utf8(std::string_view text);

// Length of the sequence that a lead byte announces; 1 for a byte that leads nothing.
constexpr size_t utf8_length(unsigned char lead) {
  return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 1;
}

// How many bytes of `text` may be shown without cutting a character: everything but a trailing sequence that
// more bytes could still complete.
size_t complete_utf8_prefix(std::string_view text);

// Each maximal invalid subpart becomes one U+FFFD (Unicode 15, section 3.9, the practice of the WHATWG
// decoder).
std::string replace_invalid_utf8(std::string_view text);

// ---- invalid bytes inside the pipeline
// --------------------------------------------------------------------- A text with invalid bytes is
// rewritten so that each such byte 0x80..0xFF becomes the private-use character U+10FF00 + byte; all steps
// then see valid UTF-8, in which such a unit is neither letter, digit, punctuation nor space. Characters of
// that range that were in the text are treated as invalid bytes too, so the way back is exact.
constexpr char32_t kEscapedByteBase = 0x10FF00;

std::string escape_invalid_utf8(std::string_view text);

// The byte behind an escaped unit, or -1.
constexpr int escaped_byte(char32_t code) {
  return code >= kEscapedByteBase + 0x80 && code <= kEscapedByteBase + 0xFF ? static_cast<int>(code & 0xFF)
                                                                            : -1;
}

// Undoes escape_invalid_utf8.
std::string unescape_invalid_utf8(std::string_view text);

// ---- classes of characters, as the tokenizers library has them (unicode_tables.h)
// ----------------------------
bool is_white_space(char32_t code);      // property White_Space
bool is_punctuation(char32_t code);      // general category P, or ASCII punctuation and symbols
bool is_other(char32_t code);            // categories Cc, Cf, Co: control, format, private use
bool is_nonspacing_mark(char32_t code);  // general category Mn
bool is_mark(char32_t code);             // general category M
bool is_number(char32_t code);           // general category N
bool is_decimal(char32_t code);          // general category Nd
bool is_word(char32_t code);             // \w of Unicode TR18: Alphabetic, M, Nd, Pc, Join_Control
bool is_cjk(char32_t code);              // the CJK ideographs that BERT sets apart
bool is_unnormalized(char32_t code);     // newer than the normaliser: starts anew, is never rewritten

// An older character of the same class and length in UTF-8 for one that PCRE2 does not know yet; else itself.
char32_t pattern_stand_in(char32_t code);
// False, and out empty, where a text needs no stand-ins.
bool replace_by_stand_ins(std::string_view text, std::string& out);

// Lower case with the one-to-many rule of U+0130; other characters map one to one.
void append_lower(std::string& out, char32_t code);

}  // namespace rival::text
