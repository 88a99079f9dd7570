// What the terminal of this process can do.
#pragma once

#include <string_view>

namespace rival::cmd {

// It understands escape sequences: TERM is neither absent nor "dumb".
bool terminal_is_capable();

// Colours and Markdown are wanted on this file descriptor: it is a capable terminal, and NO_COLOR is not set
// (no-color.org).
bool wants_style(int fd);

int terminal_columns(int fd);  // 80 where it does not say

// A message on stderr, made harmless (terminal_text.h) and, on a terminal, wrapped at words.
void say_to_person(std::string_view text);

// While one lives, a terminal on standard input shows no "^C" for Ctrl-C.
class QuietInterrupts {
 public:
  QuietInterrupts();
  ~QuietInterrupts();
  QuietInterrupts(const QuietInterrupts&) = delete;
  QuietInterrupts& operator=(const QuietInterrupts&) = delete;

 private:
  bool changed_ = false;
};

}  // namespace rival::cmd
