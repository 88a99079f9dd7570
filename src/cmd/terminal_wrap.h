// Words on lines: styled text wrapped at the width of a terminal, given out word by word so that it can stream.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rival::cmd {

// Attributes of text, as bits.
enum Style : uint8_t { kNoStyle = 0, kBold = 1, kDim = 2, kItalic = 4, kUnderline = 8, kStrike = 16, kCode = 32 };

// Columns that UTF-8 text takes on a terminal. The program's locale must be a UTF-8 one (use_utf8_locale).
int text_width(std::string_view text);

// UTF-8 whatever the environment says: what models write is UTF-8, and the least of containers has C.UTF-8.
void use_utf8_locale();

class LineWrapper {
 public:
  explicit LineWrapper(int columns) : columns_(columns) {}

  // One character, which may take several bytes. Spaces part words; a line feed ends the line.
  void put(std::string_view character, uint8_t style);
  void put_text(std::string_view text, uint8_t style);  // each of its characters
  // Text that is never parted from what stands on its line (code, tables).
  void put_verbatim(std::string_view text, uint8_t style);

  // Lines that are broken from here on begin with so many spaces; a line feed ends that.
  void set_indent(int columns) { indent_ = columns; }

  void end_word();         // gives the word out though no space has come
  std::string take();      // what can be shown now
  std::string finish();    // all of it, styles reset

  bool at_line_start() const { return column_ == 0 && word_.empty() && spaces_ == 0; }

 private:
  void set_style(std::string& out, uint8_t style);

  int columns_;
  int indent_ = 0;
  int column_ = 0;      // where `out_` ends
  int spaces_ = 0;      // before the word
  std::string word_;    // with its styles
  int word_width_ = 0;
  uint8_t style_ = kNoStyle;  // at the end of word_
  std::string out_;
};

}  // namespace rival::cmd
