// What this machine can do at most, measured now, with the threads that are in use: the yardstick of every rate.
#pragma once

#include <cstdint>

#include "base/thread_team.h"
#include "kernels/table.h"

namespace rival::eval {

struct MachineLimits {
  double int8_ops_per_s = 0.0;      // of dot products of bytes, two operations a pair
  double fma_flops_per_s = 0.0;     // fp32, two operations a multiply-add
  double memory_bytes_per_s = 0.0;  // reading `memory_bytes` over and over
  uint64_t memory_bytes = 0;
};

// Reads `memory_bytes` (at least 1 MB), which should be about what a decode step reads: caches make small models
// faster than memory. Takes about a second. The best of several rounds counts, as befits a limit.
MachineLimits measure_limits(ThreadTeam& team, const kernels::KernelTable& kernels, uint64_t memory_bytes);

}  // namespace rival::eval
