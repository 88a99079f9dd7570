// Times as APIs write them (RFC 3339, UTC).
#pragma once

#include <chrono>
#include <string>

namespace rival::serve {

// "2026-11-24T19:05:00Z", or with microseconds "2026-11-24T19:05:00.123456Z".
std::string rfc3339(int64_t seconds_since_1970);
std::string rfc3339_us(std::chrono::system_clock::time_point time);

}  // namespace rival::serve
