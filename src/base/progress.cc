#include "base/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/units.h"

namespace rival {
namespace {

constexpr int kColumnsUnknown = 80;
constexpr int kBarColumnsMax = 24;
constexpr int kBarColumnsMin = 6;

int terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kColumnsUnknown;
}

std::string bar(double share, int columns) {
  const int full = static_cast<int>(share * columns);
  return fmt::format("  [{}{}]", std::string(full, '#'), std::string(columns - full, ' '));
}

}  // namespace

std::string progress_line(const std::string& label, uint64_t done, uint64_t total, double bytes_per_s,
                          int columns) {
  const std::string rate =
      bytes_per_s > 0 ? fmt::format("  {}/s", format_bytes(static_cast<uint64_t>(bytes_per_s))) : "";
  if (total == 0) return (label + "  " + format_bytes(done) + rate).substr(0, std::max(columns, 0));
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  std::string right =
      fmt::format(" {:3.0f} %  {} of {}{}", share * 100, format_bytes(done), format_bytes(total), rate);
  if (bytes_per_s > 0 && done < total)
    right += fmt::format("  {} left", format_duration(static_cast<double>(total - done) / bytes_per_s));
  const int room = columns - static_cast<int>(label.size() + right.size()) - 4;
  const std::string middle = room >= kBarColumnsMin ? bar(share, std::min(room, kBarColumnsMax)) : "";
  return (label + middle + right).substr(0, std::max(columns, 0));
}

Progress::Progress(std::string label, uint64_t total, uint64_t already)
    : label_(std::move(label)),
      total_(total),
      already_(already),
      done_(already),
      terminal_(::isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  if (drawn_ || done_ > already_) draw(true);
}

double Progress::rate() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  return seconds > 0.2 ? static_cast<double>(done_ - std::min(already_, done_)) / seconds : 0;
}

void Progress::update(uint64_t done) {
  done_ = done;
  if (terminal_) {
    if (Clock::now() - drawn_at_ >= std::chrono::milliseconds(100)) draw(false);
    return;
  }
  const int tenths =
      total_ ? static_cast<int>(10.0 * static_cast<double>(done) / static_cast<double>(total_)) : 0;
  if (tenths > tenths_shown_ && tenths < 10) {
    tenths_shown_ = tenths;
    draw(false);
  }
}

void Progress::draw(bool last) {
  drawn_ = true;
  drawn_at_ = Clock::now();
  if (terminal_) {
    const std::string line = progress_line(label_, done_, total_, rate(), terminal_columns() - 1);
    fmt::print(stderr, "\r{}\x1b[K{}", line, last ? "\n" : "");
  } else {
    fmt::print(stderr, "{}\n", progress_line(label_, done_, total_, rate(), kColumnsUnknown * 2));
  }
}

}  // namespace rival
