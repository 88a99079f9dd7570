// Text of foreign origin on its way to a terminal. Control characters, which could move the cursor, change colours,
// set the clipboard or turn the direction of the text, come out as visible signs.
#pragma once

#include <string>
#include <string_view>

namespace rival::cmd {

// Whole text: line feeds and tabs stay, other C0 characters become their pictures (ESC: U+241B), C1 characters,
// direction overrides and bytes that are no UTF-8 become U+FFFD, and a carriage return before a line feed goes.
std::string printable(std::string_view text);

// The same for text in pieces, which may break off inside a character.
class PrintableStream {
 public:
  std::string push(std::string_view piece);
  std::string finish();  // what was held back

 private:
  std::string held_;  // the start of a character, or a carriage return
};

}  // namespace rival::cmd
