// Sizes and times as a person reads them.
#pragma once

#include <cstdint>
#include <string>

namespace rival {

// "98.4 MB": decimal units, as download pages and disk makers count.
std::string format_bytes(uint64_t bytes);

// "8 s", "2 min 05 s", "3 h 12 min".
std::string format_duration(double seconds);

}  // namespace rival
