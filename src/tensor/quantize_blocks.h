// Encoders of single blocks, one overload a type; quantize.cc drives them over rows.
#pragma once

#include "tensor/blocks.h"

namespace rival {

// x and w: the block's weights and their importance, 32 or 256 of each.
void encode_block(const float* x, const float* w, BlockQ4_0& block);
void encode_block(const float* x, const float* w, BlockQ4_1& block);
void encode_block(const float* x, const float* w, BlockQ5_0& block);
void encode_block(const float* x, const float* w, BlockQ5_1& block);
void encode_block(const float* x, const float* w, BlockQ8_0& block);
void encode_block(const float* x, const float* w, BlockIQ4_NL& block);
void encode_block(const float* x, const float* w, BlockMXFP4& block);
void encode_block(const float* x, const float* w, BlockQ2_K& block);
void encode_block(const float* x, const float* w, BlockQ3_K& block);
void encode_block(const float* x, const float* w, BlockQ4_K& block);
void encode_block(const float* x, const float* w, BlockQ5_K& block);
void encode_block(const float* x, const float* w, BlockQ6_K& block);
void encode_block(const float* x, const float* w, BlockIQ4_XS& block);

}  // namespace rival
