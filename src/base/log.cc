#include "base/log.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rival {

bool log_enabled(LogLevel level) {
  static const bool debug = [] {
    const char* value = std::getenv("RIVAL_LOG");
    return value && std::strcmp(value, "debug") == 0;
  }();
  return level != LogLevel::kDebug || debug;
}

void log_line(LogLevel level, const std::string& text) {
  static constexpr const char* kNames[] = {"debug: ", "", "warning: ", "error: "};
  fmt::print(stderr, "rival: {}{}\n", kNames[static_cast<int>(level)], text);
}

}  // namespace rival
