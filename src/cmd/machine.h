// What this machine has, as far as running a model cares.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rival::cmd {

struct Machine {
  std::string cpu;                    // as the processor names itself
  int cores = 1;                      // that this process may use
  uint64_t memory_bytes = 0;          // of the machine, or of the container if that is less
  uint64_t available_bytes = 0;       // free now, or soon
  std::vector<std::string> features;  // instruction sets that kernels are written for, the best last
};

Machine this_machine();

}  // namespace rival::cmd
