#include "engine/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace rival::engine {
namespace {

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

// The number in a file of one word; kUnlimited for "max" or no file.
uint64_t number_in(const char* path) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : kUnlimited;
}

uint64_t system_available() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  uint64_t kilobytes = 0;
  while (file >> name >> kilobytes) {
    if (name == "MemAvailable:") return kilobytes * 1024;
    std::getline(file, unit);
  }
  return 0;
}

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

}  // namespace rival::engine
