// A progress bar on stderr: one line redrawn on a terminal, a line for each tenth of the way elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace rival {

// "smollm2:135m  [#####     ] 49 %  48.1 MB of 98.4 MB  12.3 MB/s  4 s left" in at most `columns` characters;
// the bar gives way first. An unknown total (0) shows what is done and the rate only.
std::string progress_line(const std::string& label, uint64_t done, uint64_t total, double bytes_per_s,
                          int columns);

class Progress {
 public:
  // `already` bytes were there before (a resumed download); they count as done but not towards the rate.
  Progress(std::string label, uint64_t total, uint64_t already = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Not thread-safe. Draws at most ten times a second.
  void update(uint64_t done);

 private:
  using Clock = std::chrono::steady_clock;
  void draw(bool last);
  double rate() const;

  std::string label_;
  uint64_t total_;
  uint64_t already_;
  uint64_t done_;
  bool terminal_;
  bool drawn_ = false;
  int tenths_shown_ = 0;
  Clock::time_point started_ = Clock::now();
  Clock::time_point drawn_at_{};
};

}  // namespace rival
