// How much memory a process may still take on this machine.
#pragma once

#include <cstdint>

namespace rival::engine {

// Bytes that are free or can be made so without swapping, within the limit of the process's control group. 0 if the
// system does not tell.
uint64_t available_memory();

}  // namespace rival::engine
