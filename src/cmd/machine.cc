#include "cmd/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

namespace rival::cmd {
namespace {

// The flags that decide which kernels run, as /proc/cpuinfo names them.
constexpr const char* kFeatures[] = {"avx2",        "fma",         "avx_vnni", "avx512f",
                                     "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16"};

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

uint64_t number(std::string_view text, uint64_t otherwise) {
  uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end != text.data() ? value : otherwise;
}

// The value in kB of one line of /proc/meminfo, in bytes.
uint64_t meminfo(const std::string& key) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key + ":"))
      return number(std::string_view(line).substr(line.find_first_of("0123456789")), 0) * 1024;
  return 0;
}

void read_cpuinfo(Machine& machine) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const std::string value = line.substr(std::min(line.find(": ") + 2, line.size()));
    if (line.starts_with("model name")) machine.cpu = value;
    if (!line.starts_with("flags")) continue;
    const std::string flags = " " + value + " ";
    for (const char* feature : kFeatures)
      if (flags.find(std::string(" ") + feature + " ") != std::string::npos)
        machine.features.emplace_back(feature);
  }
}

int usable_cores() {
  cpu_set_t set;
  int cores = ::sched_getaffinity(0, sizeof set, &set) == 0
                  ? CPU_COUNT(&set)
                  : static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  std::istringstream quota(first_line("/sys/fs/cgroup/cpu.max"));  // "200000 100000" or "max 100000"
  double used = 0, period = 0;
  if (quota >> used >> period && used > 0 && period > 0)
    cores = std::min(cores, static_cast<int>(std::ceil(used / period)));
  return std::max(cores, 1);
}

}  // namespace

Machine this_machine() {
  Machine machine;
  read_cpuinfo(machine);
  machine.cores = usable_cores();
  machine.memory_bytes = meminfo("MemTotal");
  machine.available_bytes = meminfo("MemAvailable");
  const uint64_t limit = number(first_line("/sys/fs/cgroup/memory.max"), UINT64_MAX);
  const uint64_t used = number(first_line("/sys/fs/cgroup/memory.current"), 0);
  machine.memory_bytes = std::min(machine.memory_bytes, limit);
  machine.available_bytes = std::min(machine.available_bytes, limit - std::min(limit, used));
  return machine;
}

}  // namespace rival::cmd
