// How much memory a process may still take on this machine, and how much it has taken.
#pragma once

#include <cstdint>

namespace rival::engine {

// Bytes that are free or can be made so without swapping, within the limit of the process's control group. 0 if the
// system does not tell.
uint64_t available_memory();

// The most that this process has had resident, since its start or since forget_peak_memory() (which some systems
// refuse; then since the start).
uint64_t peak_memory();
void forget_peak_memory();

}  // namespace rival::engine
