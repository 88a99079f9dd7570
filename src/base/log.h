// Messages for people, on stderr. Debug messages only with RIVAL_LOG=debug.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace rival {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

bool log_enabled(LogLevel level);
void log_line(LogLevel level, const std::string& text);

template <typename... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace rival
