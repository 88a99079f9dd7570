// Markdown made readable while it streams: a line's kind is known from its first characters, and what is inside of it
// from the character after, so nothing that was shown is ever drawn again. Of CommonMark: headings, lists, quotes,
// rules, fenced code, emphasis, code spans, strike-through, escapes; and tables, which are shown when they end. Links
// and HTML stay as they are written. Emphasis ends with its line at the latest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmd/terminal_markdown_block.h"
#include "cmd/terminal_wrap.h"

namespace rival::cmd {

class MarkdownStream {
 public:
  explicit MarkdownStream(int columns) : columns_(columns), out_(columns) {}

  // Whole characters and no controls (terminal_text.h); the result goes to a terminal.
  std::string push(std::string_view piece);
  std::string finish();  // ends the last line too

 private:
  enum class State { kLineStart, kInline, kCodeStart, kCode };

  // Each takes one step over held_ and is false when it needs more text; `last`: there is none.
  bool advance(bool last);
  bool begin_line(bool last);
  bool in_line(bool last);
  bool begin_code_line(bool last);
  bool in_code_line();

  void begin_block(const Block& block);
  void begin_code(std::string_view line);
  size_t put_special(bool last);  // bytes of held_ that were taken; 0: more are needed
  size_t put_ticks(size_t run);
  size_t put_emphasis(size_t run);
  void put(std::string_view text);
  void end_line();
  void end_table();

  int columns_;
  LineWrapper out_;
  State state_ = State::kLineStart;
  std::string held_;
  std::string fence_;               // that opened the code
  size_t code_ticks_ = 0;           // of the code span that is open
  uint8_t block_style_ = kNoStyle;  // of a heading or quote
  uint8_t style_ = kNoStyle;        // emphasis that is on
  char before_ = ' ';               // the last byte of the line so far
  std::vector<std::string> table_;  // its lines so far
};

}  // namespace rival::cmd
