// Choosing the instruction set at run time.
#pragma once

#include <span>

#include "kernels/table.h"

namespace rival::kernels {

// The tables that this CPU can run, best first; the last is the scalar one.
std::span<const KernelTable* const> available_tables();

// The first of them, or the one named by the environment variable RIVAL_ISA if this CPU can run it.
const KernelTable& best_table();

}  // namespace rival::kernels
