// RIVAL_CHECK: an assertion about this program's own logic. It stays in release builds and ends the process.
// Foreign input is never checked with it: that is an Error (result.h).
#pragma once

#include <fmt/format.h>

namespace rival {
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const std::string& message);
}

#define RIVAL_CHECK(condition, ...)                                                          \
  do {                                                                                       \
    if (!(condition)) [[unlikely]]                                                           \
      ::rival::check_failed(__FILE__, __LINE__, #condition, ::fmt::format("" __VA_ARGS__));  \
  } while (false)
