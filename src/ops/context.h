// What every op is given: the kernels of this CPU and the thread that it runs on. An op is called by all threads of
// a team at once, inside ThreadTeam::run; it ends with its results written but not yet met: the caller decides where
// the threads meet (Context::barrier).
#pragma once

#include <cstdint>
#include <utility>

#include "base/thread_team.h"
#include "kernels/table.h"

namespace rival::ops {

struct Context {
  const kernels::KernelTable& kernels;
  ThreadTeam& team;
  uint32_t thread;

  void barrier() const { team.barrier(); }
  // This thread's share of [0, count): contiguous, nearly equal.
  std::pair<uint32_t, uint32_t> share(uint32_t count) const {
    const uint64_t n = team.size();
    return {static_cast<uint32_t>(count * uint64_t{thread} / n), static_cast<uint32_t>(count * uint64_t{thread + 1} / n)};
  }
};

}  // namespace rival::ops
