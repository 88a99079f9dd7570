#include "engine/memory.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

namespace rival::engine {
namespace {

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

// The number in a file of one word; kUnlimited for "max" or no file.
uint64_t number_in(const char* path) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : kUnlimited;
}

// The bytes of a line "Name:   123 kB"; 0 if there is none.
uint64_t kilobytes_in(const char* path, std::string_view name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line))
    if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size(), nullptr, 10) * 1024;
  return 0;
}

uint64_t system_available() { return kilobytes_in("/proc/meminfo", "MemAvailable:"); }

// Of the control group's own files as a container sees them. File pages count as used there, though they can go.
uint64_t group_available() {
  const uint64_t limit = number_in("/sys/fs/cgroup/memory.max");
  if (limit == kUnlimited) return kUnlimited;
  std::ifstream file("/sys/fs/cgroup/memory.stat");
  std::string name;
  uint64_t bytes = 0;
  while (file >> name >> bytes)
    if (name == "anon") return limit - std::min(limit, bytes);
  return limit;
}

}  // namespace

uint64_t available_memory() { return std::min(system_available(), group_available()); }

uint64_t peak_memory() { return kilobytes_in("/proc/self/status", "VmHWM:"); }

void forget_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }  // proc(5)

}  // namespace rival::engine
