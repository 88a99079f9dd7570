// Packed weights: the form in which matrices lie in memory and are multiplied. Bits and scales are those of the
// file's block type, so a packed matrix is as small as the file's; only their order changes.
//
// A matrix [rows, cols] is cut into tiles of kTileRows rows (the last one padded with zeros). A tile holds its
// columns in blocks of kBlock, and inside a block the bytes that one vector instruction needs lie side by side:
// lane r of a vector is row r, and its four bytes are four neighbouring columns ("step" s = columns 4s .. 4s+3).
//
//   quantised tile   [super header, every 8 blocks]  if scale == kSuper
//                      d      32 x f16
//                      dmin   32 x f16                if has_min
//                    block record
//                      base bits   by Base, for each group g of 16 rows:
//                        kNibble, kCodebook  4 x 64 bytes; byte (i, row, j): low = step i, high = step i + 4
//                        kByte               8 x 64 bytes; byte (s, row, j)
//                        kTwoBit             2 x 64 bytes; byte (i, row, j): bits 2t, 2t+1 = step 4i + t
//                      high bits   for each group of 16 rows:
//                        1 bit       1 x 64 bytes; byte (row, j): bit s = step s
//                        2 bits      2 x 64 bytes; byte (i, row, j): bits 2t, 2t+1 = step 4i + t
//                      scales      groups x 32 of: f16 (kHalf), i8 (kSuper), u8 exponent (kE8M0)
//                      mins        groups x 32 of: f16 (kHalf), u8 (kSuper)   if has_min
//   weight           scale * (bits - 2^offset_shift), or scale * bits + min; kCodebook: bits index a table of
//                    signed values, stored with 128 added
//                    kSuper: scale = d * i8, min = -(dmin * u8)
//
//   plain tile       column by column, 32 x (f32, f16 or bf16)
#pragma once

#include <cstddef>
#include <cstdint>

namespace rival::kernels {

constexpr int kTileRows = 32;
constexpr int kBlock = 32;
constexpr int kSuperBlocks = 8;
constexpr int kPanelColumns = 6;  // tokens that one pass over a tile serves

enum class PackedType : uint8_t {
  kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ8_0, kQ2_K, kQ3_K, kQ4_K, kQ5_K, kQ6_K, kIQ4_NL, kIQ4_XS, kMXFP4,
  kF32, kF16, kBF16,
};
constexpr int kPackedTypes = 16;
constexpr int kQuantizedTypes = 13;

constexpr bool is_quantized(PackedType type) { return static_cast<int>(type) < kQuantizedTypes; }

enum class Base : uint8_t { kNibble, kByte, kTwoBit, kCodebook };
enum class Scale : uint8_t { kHalf, kSuper, kE8M0 };

struct PackedFormat {
  Base base;
  int high_bits;
  Scale scale;
  int groups;        // scales in a block of 32: 1 or 2
  bool has_min;
  int offset_shift;  // without min: bits - 2^offset_shift
};

constexpr PackedFormat kPackedFormats[kQuantizedTypes] = {
    {Base::kNibble, 0, Scale::kHalf, 1, false, 3},    // Q4_0
    {Base::kNibble, 0, Scale::kHalf, 1, true, 0},     // Q4_1
    {Base::kNibble, 1, Scale::kHalf, 1, false, 4},    // Q5_0
    {Base::kNibble, 1, Scale::kHalf, 1, true, 0},     // Q5_1
    {Base::kByte, 0, Scale::kHalf, 1, false, 7},      // Q8_0
    {Base::kTwoBit, 0, Scale::kSuper, 2, true, 0},    // Q2_K
    {Base::kTwoBit, 1, Scale::kSuper, 2, false, 2},   // Q3_K
    {Base::kNibble, 0, Scale::kSuper, 1, true, 0},    // Q4_K
    {Base::kNibble, 1, Scale::kSuper, 1, true, 0},    // Q5_K
    {Base::kNibble, 2, Scale::kSuper, 2, false, 5},   // Q6_K
    {Base::kCodebook, 0, Scale::kHalf, 1, false, 7},  // IQ4_NL
    {Base::kCodebook, 0, Scale::kSuper, 1, false, 7}, // IQ4_XS
    {Base::kCodebook, 0, Scale::kE8M0, 1, false, 7},  // MXFP4
};

// Values of a 4-bit code, 128 added. IQ4_NL (ggml-common.h, kvalues_iq4nl); MXFP4 = twice the E2M1 values of the
// OCP Microscaling specification 1.0, so that they are whole.
constexpr uint8_t kCodebookIq4[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
constexpr uint8_t kCodebookMxfp4[16] = {128, 129, 130, 131, 132, 134, 136, 140, 128, 127, 126, 125, 124, 122, 120, 116};

constexpr int base_bytes(Base base) { return base == Base::kByte ? 1024 : base == Base::kTwoBit ? 256 : 512; }
constexpr int scale_bytes(Scale scale) { return scale == Scale::kHalf ? 64 : 32; }
constexpr int record_bytes(const PackedFormat& f) {
  return base_bytes(f.base) + 128 * f.high_bits + f.groups * scale_bytes(f.scale) * (f.has_min ? 2 : 1);
}
constexpr int header_bytes(const PackedFormat& f) {
  return f.scale == Scale::kSuper ? (f.has_min ? 128 : 64) : 0;
}
constexpr int plain_bytes(PackedType type) { return type == PackedType::kF32 ? 4 : 2; }

// Bytes of one tile of `cols` columns. REQUIRES cols % 32 == 0 (256 for kSuper) of a quantised type.
constexpr size_t tile_bytes(PackedType type, size_t cols) {
  if (!is_quantized(type)) return cols * kTileRows * plain_bytes(type);
  const PackedFormat& f = kPackedFormats[static_cast<int>(type)];
  const size_t blocks = cols / kBlock;
  return blocks * record_bytes(f) + blocks / kSuperBlocks * header_bytes(f);
}

// Activations of up to kPanelColumns tokens, quantised in blocks of 32 columns: value = d * q.
// Symmetric to one signed byte, |q| <= 127.
struct ActivationBlock {
  int8_t q[kPanelColumns][kBlock];
  float d[kPanelColumns];
  float d_sum[kPanelColumns];         // d * (sum of q), for weights with a min
  int32_t minus_sum[kPanelColumns];   // -(sum of q), for weights with an offset
  // The same over columns 0..15 and 16..31, for weights with two scales a block.
  float d_sum16[2][kPanelColumns];
  int32_t minus_sum16[2][kPanelColumns];
};

}  // namespace rival::kernels
