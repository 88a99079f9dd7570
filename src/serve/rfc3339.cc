#include "serve/rfc3339.h"

#include <fmt/format.h>

#include <ctime>

namespace rival::serve {

std::string rfc3339(int64_t seconds_since_1970) {
  const std::time_t time = seconds_since_1970;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string rfc3339_us(std::chrono::system_clock::time_point time) {
  const int64_t us = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  std::string text = rfc3339(us / 1'000'000);
  text.back() = '.';
  return text + fmt::format("{:06}Z", us % 1'000'000);
}

}  // namespace rival::serve
