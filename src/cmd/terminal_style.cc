#include "cmd/terminal_style.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "cmd/terminal_text.h"
#include "cmd/terminal_wrap.h"

namespace rival::cmd {
namespace {

constexpr int kColumns = 80;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool set_echo_of_controls(bool on) {
  termios mode = {};
  if (::tcgetattr(STDIN_FILENO, &mode) != 0 || ((mode.c_lflag & ECHOCTL) != 0) == on) return false;
  mode.c_lflag ^= ECHOCTL;
  return ::tcsetattr(STDIN_FILENO, TCSADRAIN, &mode) == 0;
}

}  // namespace

void say_to_person(std::string_view text) {
  std::string shown = printable(text) + "\n";
  if (::isatty(STDERR_FILENO)) {
    LineWrapper lines(terminal_columns(STDERR_FILENO));
    lines.put_text(shown, kNoStyle);
    shown = lines.finish();
  }
  fmt::print(stderr, "{}", shown);
}

QuietInterrupts::QuietInterrupts() : changed_(set_echo_of_controls(false)) {}
QuietInterrupts::~QuietInterrupts() {
  if (changed_) set_echo_of_controls(true);
}

bool terminal_is_capable() {
  const std::string_view term = environment("TERM");
  return !term.empty() && term != "dumb";
}

bool wants_style(int fd) { return ::isatty(fd) && terminal_is_capable() && environment("NO_COLOR").empty(); }

int terminal_columns(int fd) {
  winsize size = {};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kColumns;
}

}  // namespace rival::cmd
