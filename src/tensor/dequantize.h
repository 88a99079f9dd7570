// Any tensor type to float: the plain reference that every faster path is compared with.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace rival {

// Decodes one row: `elements` weights of `type`, packed as blocks.h shows, to out[elements]. `blocks` needs no
// alignment. Integer types convert by value. REQUIRES elements a multiple of the type's block.
void dequantize_row(DType type, const std::byte* blocks, float* out, uint64_t elements);

}  // namespace rival
