// Layouts of quantised blocks as they lie in GGUF files. f16 fields are the raw bits (half.h).
//
// Decoding, with q the unsigned value of a weight's bits:
//   32 weights a block; weight j in the low nibble of qs[j], weight j + 16 in the high nibble:
//     Q4_0    (q - 8) d                Q4_1    q d + m
//     Q5_0    (q - 16) d               Q5_1    q d + m          fifth bit of weight j: bit j of qh
//     Q8_0    q d, q signed            IQ4_NL  kIq4Values[q] d
//     MXFP4   kMxfp4Values[q] 2^(e - 128): OCP MX FP4 E2M1, the values doubled to be whole
//   256 weights a block ("K"):
//     Q2_K    d sc q - dmin m          16 groups of 16; sc low, m high nibble of scales[group]
//     Q3_K    d (sc - 32) (q - 4)      16 groups of 16; 6-bit sc packed in 12 bytes; third bit of q in hmask
//     Q4_K    d sc q - dmin m          8 groups of 32; 6-bit sc and m packed in 12 bytes
//     Q5_K    as Q4_K                  fifth bit of q in qh
//     Q6_K    d sc (q - 32)            16 groups of 16, sc signed
//     IQ4_XS  d (sc - 32) kIq4Values[q]   8 groups of 32; 6-bit sc in scales_l (low 4) and scales_h (high 2)
// dequantize.cc shows where each bit lies. Source: ggml-org/llama.cpp, ggml/src/ggml-common.h.
#pragma once

#include <array>
#include <cstdint>

namespace rival {

constexpr int kBlockElements = 32;         // of the plain block types
constexpr int kSuperBlockElements = 256;   // of the K types and IQ4_XS

struct BlockQ4_0 {
  uint16_t d;  // f16
  uint8_t qs[16];
};
struct BlockQ4_1 {
  uint16_t d, m;  // f16
  uint8_t qs[16];
};
struct BlockQ5_0 {
  uint16_t d;  // f16
  uint8_t qh[4];
  uint8_t qs[16];
};
struct BlockQ5_1 {
  uint16_t d, m;  // f16
  uint8_t qh[4];
  uint8_t qs[16];
};
struct BlockQ8_0 {
  uint16_t d;  // f16
  int8_t qs[32];
};
struct BlockIQ4_NL {
  uint16_t d;  // f16
  uint8_t qs[16];
};
struct BlockMXFP4 {
  uint8_t e;  // power of two, biased by 127; 255 is NaN
  uint8_t qs[16];
};
struct BlockQ2_K {
  uint8_t scales[16];
  uint8_t qs[64];
  uint16_t d, dmin;  // f16
};
struct BlockQ3_K {
  uint8_t hmask[32];
  uint8_t qs[64];
  uint8_t scales[12];
  uint16_t d;  // f16
};
struct BlockQ4_K {
  uint16_t d, dmin;  // f16
  uint8_t scales[12];
  uint8_t qs[128];
};
struct BlockQ5_K {
  uint16_t d, dmin;  // f16
  uint8_t scales[12];
  uint8_t qh[32];
  uint8_t qs[128];
};
struct BlockQ6_K {
  uint8_t ql[128];
  uint8_t qh[64];
  int8_t scales[16];
  uint16_t d;  // f16
};
struct BlockIQ4_XS {
  uint16_t d;  // f16
  uint16_t scales_h;
  uint8_t scales_l[4];
  uint8_t qs[128];
};

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20 && sizeof(BlockQ5_0) == 22 &&
              sizeof(BlockQ5_1) == 24 && sizeof(BlockQ8_0) == 34 && sizeof(BlockIQ4_NL) == 18 &&
              sizeof(BlockMXFP4) == 17);
static_assert(sizeof(BlockQ2_K) == 84 && sizeof(BlockQ3_K) == 110 && sizeof(BlockQ4_K) == 144 &&
              sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210 && sizeof(BlockIQ4_XS) == 136);

constexpr std::array<int8_t, 16> kIq4Values = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};
constexpr std::array<int8_t, 16> kMxfp4Values = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// Scale and minimum of group j (0..7) of Q4_K and Q5_K, 6 bits each.
struct ScaleMin {
  uint8_t scale, min;
};
inline ScaleMin unpack_scale_min(const uint8_t (&s)[12], int j) {
  if (j < 4) return {static_cast<uint8_t>(s[j] & 63), static_cast<uint8_t>(s[j + 4] & 63)};
  return {static_cast<uint8_t>((s[j + 4] & 15) | (s[j - 4] >> 6) << 4),
          static_cast<uint8_t>(s[j + 4] >> 4 | (s[j] >> 6) << 4)};
}

// Scale of group j (0..15) of Q3_K, -32 to 31.
inline int unpack_q3_scale(const uint8_t (&s)[12], int j) {
  const int low = j < 8 ? s[j] & 15 : s[j - 8] >> 4;
  return (low | (s[8 + j % 4] >> (2 * (j / 4)) & 3) << 4) - 32;
}

// Scale of group j (0..7) of IQ4_XS, -32 to 31.
inline int unpack_iq4_scale(const BlockIQ4_XS& block, int j) {
  return ((block.scales_l[j / 2] >> (4 * (j % 2)) & 15) | (block.scales_h >> (2 * j) & 3) << 4) - 32;
}

}  // namespace rival
