// From the block types of files (tensor/blocks.h) to packed tiles (kernels/packed.h), and back for single rows.
#include <algorithm>
#include <cstring>

#include "ops/linear.h"
#include "tensor/blocks.h"
#include "tensor/dequantize.h"
#include "tensor/half.h"

namespace rival::ops {
namespace {

using kernels::Base;
using kernels::kBlock;
using kernels::kPackedFormats;
using kernels::kTileRows;
using kernels::PackedFormat;
using kernels::PackedType;
using kernels::Scale;

constexpr const PackedFormat& format_of(PackedType type) { return kPackedFormats[static_cast<int>(type)]; }

// ---- where the bits of one row lie inside a block record -----------------------------------------------------

// Four bits at positions 0, 4, 8, .. 28 of x, gathered to the low byte.
uint8_t every_fourth_bit(uint32_t x) {
  x &= 0x11111111u;
  x = (x | x >> 3) & 0x03030303u;
  x = (x | x >> 6) & 0x000f000fu;
  return static_cast<uint8_t>(x | x >> 12);
}

template <PackedType type>
void put_bits(uint8_t* record, int row, const uint8_t* bits) {
  constexpr PackedFormat f = format_of(type);
  const int group = row / 16, lane = row % 16 * 4;
  if constexpr (f.base == Base::kByte) {
    for (int s = 0; s < 8; ++s) std::memcpy(record + group * 512 + s * 64 + lane, bits + 4 * s, 4);
  } else if constexpr (f.base == Base::kTwoBit) {
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 4; ++j) {
        const uint8_t* b = bits + 16 * i + j;
        record[group * 128 + i * 64 + lane + j] =
            static_cast<uint8_t>((b[0] & 3) | (b[4] & 3) << 2 | (b[8] & 3) << 4 | (b[12] & 3) << 6);
      }
  } else {
    uint8_t packed[16];
    for (int k = 0; k < 16; ++k) packed[k] = static_cast<uint8_t>((bits[k] & 15) | (bits[k + 16] & 15) << 4);
    for (int i = 0; i < 4; ++i) std::memcpy(record + group * 256 + i * 64 + lane, packed + 4 * i, 4);
  }
  constexpr int place = f.base == Base::kTwoBit ? 2 : 4;
  uint8_t* high = record + kernels::base_bytes(f.base);
  if constexpr (f.high_bits == 1)
    for (int j = 0; j < 4; ++j) {
      uint8_t byte = 0;
      for (int s = 0; s < 8; ++s) byte |= static_cast<uint8_t>((bits[4 * s + j] >> place & 1) << s);
      high[group * 64 + lane + j] = byte;
    }
  if constexpr (f.high_bits == 2)
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 4; ++j) {
        const uint8_t* b = bits + 16 * i + j;
        high[group * 128 + i * 64 + lane + j] = static_cast<uint8_t>(
            (b[0] >> place & 3) | (b[4] >> place & 3) << 2 | (b[8] >> place & 3) << 4 | (b[12] >> place & 3) << 6);
      }
}

uint8_t get_bits(const PackedFormat& f, const uint8_t* record, int row, int k) {
  const int group = row / 16, s = k / 4, byte = row % 16 * 4 + k % 4;
  if (f.base == Base::kByte) return record[group * 512 + s * 64 + byte];
  const int place = f.base == Base::kTwoBit ? 2 : 4;
  uint8_t x = f.base == Base::kTwoBit ? record[group * 128 + s / 4 * 64 + byte] >> (2 * (s % 4)) & 3
                                      : record[group * 256 + s % 4 * 64 + byte] >> (s / 4 * 4) & 15;
  const uint8_t* high = record + kernels::base_bytes(f.base);
  if (f.high_bits == 1) x |= static_cast<uint8_t>((high[group * 64 + byte] >> s & 1) << place);
  if (f.high_bits == 2) x |= static_cast<uint8_t>((high[group * 128 + s / 4 * 64 + byte] >> (2 * (s % 4)) & 3) << place);
  return x;
}

int scales_at(const PackedFormat& f) { return kernels::base_bytes(f.base) + 128 * f.high_bits; }
int mins_at(const PackedFormat& f) { return scales_at(f) + f.groups * kernels::scale_bytes(f.scale); }

void put_half(uint8_t* place, int row, uint16_t bits) { std::memcpy(place + 2 * row, &bits, 2); }

// ---- one row of a tile, by block type ------------------------------------------------------------------------

template <typename Block>
const Block& block_at(const std::byte* row, size_t index) {
  return *reinterpret_cast<const Block*>(row + index * sizeof(Block));
}

// Types with one f16 scale (and min) a block of 32. `bits` may be filled by `fill(block, bits)`.
template <PackedType type, typename Block, typename Fill>
void pack_half_row(const std::byte* in, size_t cols, int row, uint8_t* tile, const Fill& fill) {
  constexpr PackedFormat f = format_of(type);
  for (size_t b = 0; b < cols / kBlock; ++b) {
    const Block& block = block_at<Block>(in, b);
    uint8_t* record = tile + b * kernels::record_bytes(f);
    fill(block, record);
    put_half(record + scales_at(f), row, block.d);
    if constexpr (f.has_min) put_half(record + mins_at(f), row, block.m);
  }
}

// The nibbles of Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL and MXFP4 lie in the file as packed tiles want them.
void put_nibbles(const uint8_t* qs, uint8_t* record, int row) {
  for (int i = 0; i < 4; ++i) std::memcpy(record + row / 16 * 256 + i * 64 + row % 16 * 4, qs + 4 * i, 4);
}

void put_fifth_bits(const uint8_t* qh, uint8_t* record, int row) {
  uint32_t bits;
  std::memcpy(&bits, qh, 4);
  uint8_t* place = record + kernels::base_bytes(Base::kNibble) + row / 16 * 64 + row % 16 * 4;
  for (int j = 0; j < 4; ++j) place[j] = every_fourth_bit(bits >> j);
}

// Types of 256 weights: `fill(block, t, bits)` gives sub-block t (32 weights), `scale(block, i)` and
// `min(block, i)` those of group i (of 32 or 16 weights).
template <PackedType type, typename Block, typename Fill, typename ScaleOf, typename MinOf>
void pack_super_row(const std::byte* in, size_t cols, int row, uint8_t* tile, const Fill& fill, const ScaleOf& scale,
                    const MinOf& min) {
  constexpr PackedFormat f = format_of(type);
  uint8_t* place = tile;
  for (size_t super = 0; super < cols / kSuperBlockElements; ++super) {
    const Block& block = block_at<Block>(in, super);
    put_half(place, row, block.d);
    if constexpr (f.has_min) put_half(place + 64, row, block.dmin);
    place += kernels::header_bytes(f);
    for (int t = 0; t < kernels::kSuperBlocks; ++t, place += kernels::record_bytes(f)) {
      uint8_t bits[kBlock];
      fill(block, t, bits);
      put_bits<type>(place, row, bits);
      for (int g = 0; g < f.groups; ++g) {
        place[scales_at(f) + 32 * g + row] = static_cast<uint8_t>(scale(block, t * f.groups + g));
        if constexpr (f.has_min) place[mins_at(f) + 32 * g + row] = static_cast<uint8_t>(min(block, t * f.groups + g));
      }
    }
  }
}

constexpr auto no_min = [](const auto&, int) { return 0; };

void pack_q2_k(const std::byte* in, size_t cols, int row, uint8_t* tile) {
  pack_super_row<PackedType::kQ2_K, BlockQ2_K>(
      in, cols, row, tile,
      [](const BlockQ2_K& b, int t, uint8_t* bits) {
        for (int l = 0; l < 32; ++l) bits[l] = b.qs[32 * (t / 4) + l] >> (2 * (t % 4)) & 3;
      },
      [](const BlockQ2_K& b, int i) { return b.scales[i] & 15; }, [](const BlockQ2_K& b, int i) { return b.scales[i] >> 4; });
}

void pack_q3_k(const std::byte* in, size_t cols, int row, uint8_t* tile) {
  pack_super_row<PackedType::kQ3_K, BlockQ3_K>(
      in, cols, row, tile,
      [](const BlockQ3_K& b, int t, uint8_t* bits) {
        for (int l = 0; l < 32; ++l)
          bits[l] = static_cast<uint8_t>((b.qs[32 * (t / 4) + l] >> (2 * (t % 4)) & 3) | (b.hmask[l] >> t & 1) << 2);
      },
      [](const BlockQ3_K& b, int i) { return unpack_q3_scale(b.scales, i); }, no_min);
}

void pack_q4_k(const std::byte* in, size_t cols, int row, uint8_t* tile) {
  pack_super_row<PackedType::kQ4_K, BlockQ4_K>(
      in, cols, row, tile,
      [](const BlockQ4_K& b, int t, uint8_t* bits) {
        for (int l = 0; l < 32; ++l) bits[l] = b.qs[32 * (t / 2) + l] >> (4 * (t % 2)) & 15;
      },
      [](const BlockQ4_K& b, int i) { return unpack_scale_min(b.scales, i).scale; },
      [](const BlockQ4_K& b, int i) { return unpack_scale_min(b.scales, i).min; });
}

void pack_q5_k(const std::byte* in, size_t cols, int row, uint8_t* tile) {
  pack_super_row<PackedType::kQ5_K, BlockQ5_K>(
      in, cols, row, tile,
      [](const BlockQ5_K& b, int t, uint8_t* bits) {
        for (int l = 0; l < 32; ++l)
          bits[l] = static_cast<uint8_t>((b.qs[32 * (t / 2) + l] >> (4 * (t % 2)) & 15) | (b.qh[l] >> t & 1) << 4);
      },
      [](const BlockQ5_K& b, int i) { return unpack_scale_min(b.scales, i).scale; },
      [](const BlockQ5_K& b, int i) { return unpack_scale_min(b.scales, i).min; });
}

void pack_q6_k(const std::byte* in, size_t cols, int row, uint8_t* tile) {
  pack_super_row<PackedType::kQ6_K, BlockQ6_K>(
      in, cols, row, tile,
      [](const BlockQ6_K& b, int t, uint8_t* bits) {
        const uint8_t* low = b.ql + 64 * (t / 4) + 32 * (t % 2);
        const uint8_t* high = b.qh + 32 * (t / 4);
        const int nibble = t % 4 / 2 * 4, pair = 2 * (t % 4);
        for (int l = 0; l < 32; ++l) bits[l] = static_cast<uint8_t>((low[l] >> nibble & 15) | (high[l] >> pair & 3) << 4);
      },
      [](const BlockQ6_K& b, int i) { return b.scales[i]; }, no_min);
}

void pack_iq4_xs(const std::byte* in, size_t cols, int row, uint8_t* tile) {
  pack_super_row<PackedType::kIQ4_XS, BlockIQ4_XS>(
      in, cols, row, tile,
      [](const BlockIQ4_XS& b, int t, uint8_t* bits) {
        for (int l = 0; l < 16; ++l) bits[l] = b.qs[16 * t + l] & 15, bits[l + 16] = b.qs[16 * t + l] >> 4;
      },
      [](const BlockIQ4_XS& b, int i) { return unpack_iq4_scale(b, i); }, no_min);
}

template <PackedType type, typename Block>
void pack_nibble_row(const std::byte* in, size_t cols, int row, uint8_t* tile) {
  pack_half_row<type, Block>(in, cols, row, tile, [&](const Block& b, uint8_t* record) { put_nibbles(b.qs, record, row); });
}

template <PackedType type, typename Block>
void pack_five_bit_row(const std::byte* in, size_t cols, int row, uint8_t* tile) {
  pack_half_row<type, Block>(in, cols, row, tile, [&](const Block& b, uint8_t* record) {
    put_nibbles(b.qs, record, row);
    put_fifth_bits(b.qh, record, row);
  });
}

void pack_q8_0(const std::byte* in, size_t cols, int row, uint8_t* tile) {
  pack_half_row<PackedType::kQ8_0, BlockQ8_0>(in, cols, row, tile, [&](const BlockQ8_0& b, uint8_t* record) {
    uint8_t bits[kBlock];
    for (int k = 0; k < kBlock; ++k) bits[k] = static_cast<uint8_t>(b.qs[k]) ^ 0x80;
    put_bits<PackedType::kQ8_0>(record, row, bits);
  });
}

void pack_mxfp4(const std::byte* in, size_t cols, int row, uint8_t* tile) {
  constexpr PackedFormat f = format_of(PackedType::kMXFP4);
  for (size_t b = 0; b < cols / kBlock; ++b) {
    const BlockMXFP4& block = block_at<BlockMXFP4>(in, b);
    uint8_t* record = tile + b * kernels::record_bytes(f);
    put_nibbles(block.qs, record, row);
    record[scales_at(f) + row] = block.e;
  }
}

using PackRow = void (*)(const std::byte* in, size_t cols, int row, uint8_t* tile);

struct PackRule {
  DType from;
  PackedType to;
  PackRow pack;  // null: a plain type
};

constexpr PackRule kPackRules[] = {
    {DType::kQ4_0, PackedType::kQ4_0, pack_nibble_row<PackedType::kQ4_0, BlockQ4_0>},
    {DType::kQ4_1, PackedType::kQ4_1, pack_nibble_row<PackedType::kQ4_1, BlockQ4_1>},
    {DType::kQ5_0, PackedType::kQ5_0, pack_five_bit_row<PackedType::kQ5_0, BlockQ5_0>},
    {DType::kQ5_1, PackedType::kQ5_1, pack_five_bit_row<PackedType::kQ5_1, BlockQ5_1>},
    {DType::kQ8_0, PackedType::kQ8_0, pack_q8_0},
    {DType::kQ2_K, PackedType::kQ2_K, pack_q2_k},
    {DType::kQ3_K, PackedType::kQ3_K, pack_q3_k},
    {DType::kQ4_K, PackedType::kQ4_K, pack_q4_k},
    {DType::kQ5_K, PackedType::kQ5_K, pack_q5_k},
    {DType::kQ6_K, PackedType::kQ6_K, pack_q6_k},
    {DType::kIQ4_NL, PackedType::kIQ4_NL, pack_nibble_row<PackedType::kIQ4_NL, BlockIQ4_NL>},
    {DType::kIQ4_XS, PackedType::kIQ4_XS, pack_iq4_xs},
    {DType::kMXFP4, PackedType::kMXFP4, pack_mxfp4},
    {DType::kF32, PackedType::kF32, nullptr},
    {DType::kF16, PackedType::kF16, nullptr},
    {DType::kBF16, PackedType::kBF16, nullptr},
};

const PackRule* find_rule(DType type) {
  const auto* rule = std::find_if(std::begin(kPackRules), std::end(kPackRules), [&](const PackRule& r) { return r.from == type; });
  return rule == std::end(kPackRules) ? nullptr : rule;
}

template <typename Element>
void pack_plain_tile(const MatrixView& view, uint64_t first_row, uint64_t rows, uint8_t* tile) {
  Element* out = reinterpret_cast<Element*>(tile);
  const std::byte* in = view.data + first_row * view.row_stride * sizeof(Element);
  for (uint64_t r = 0; r < rows; ++r)
    for (uint64_t k = 0; k < view.cols; ++k)
      std::memcpy(&out[k * kTileRows + r], in + (r * view.row_stride + k * view.col_stride) * sizeof(Element), sizeof(Element));
}

float block_scale(const PackedFormat& f, const uint8_t* header, const uint8_t* record, int row, int group) {
  const uint8_t* p = record + scales_at(f) + group * kernels::scale_bytes(f.scale);
  uint16_t half;
  if (f.scale == Scale::kHalf) {
    std::memcpy(&half, p + 2 * row, 2);
    return f16_to_f32(half);
  }
  if (f.scale == Scale::kE8M0) return std::bit_cast<float>(p[row] < 2 ? 0x00200000u << p[row] : (p[row] - 1u) << 23);
  std::memcpy(&half, header + 2 * row, 2);
  return f16_to_f32(half) * static_cast<int8_t>(p[row]);
}

float block_min(const PackedFormat& f, const uint8_t* header, const uint8_t* record, int row, int group) {
  const uint8_t* p = record + mins_at(f) + group * kernels::scale_bytes(f.scale);
  uint16_t half;
  std::memcpy(&half, f.scale == Scale::kHalf ? p + 2 * row : header + 64 + 2 * row, 2);
  return f.scale == Scale::kHalf ? f16_to_f32(half) : -(f16_to_f32(half) * p[row]);
}

void quantized_row(const PackedMatrix& matrix, const uint8_t* place, int row, float* out) {
  const PackedFormat& f = format_of(matrix.type);
  const uint8_t* codebook = matrix.type == PackedType::kMXFP4 ? kernels::kCodebookMxfp4 : kernels::kCodebookIq4;
  const uint8_t* header = place;
  for (uint32_t b = 0; b < matrix.cols / kBlock; ++b, place += kernels::record_bytes(f)) {
    if (f.scale == Scale::kSuper && b % kernels::kSuperBlocks == 0) header = place, place += kernels::header_bytes(f);
    for (int group = 0; group < f.groups; ++group) {
      const float scale = block_scale(f, header, place, row, group);
      const float min = f.has_min ? block_min(f, header, place, row, group) : 0.0f;
      const int offset = f.has_min ? 0 : 1 << f.offset_shift;
      for (int k = group * kBlock / f.groups; k < (group + 1) * kBlock / f.groups; ++k) {
        int q = get_bits(f, place, row, k);
        if (f.base == Base::kCodebook) q = codebook[q];
        *out++ = scale * static_cast<float>(q - offset) + min;
      }
    }
  }
}

}  // namespace

Result<PackedMatrix> plan_packing(const MatrixView& view) {
  const PackRule* rule = find_rule(view.type);
  if (!rule)
    return make_error(ErrorCode::kUnsupported, "matrices of type {} cannot be multiplied", dtype_info(view.type).name);
  PackedMatrix plan;
  plan.type = rule->to;
  plan.rows = static_cast<uint32_t>(view.rows);
  plan.cols = static_cast<uint32_t>(view.cols);
  plan.bytes_per_tile = kernels::tile_bytes(rule->to, view.cols);
  return plan;
}

void pack_tiles(const MatrixView& view, const PackedMatrix& plan, uint32_t first, uint32_t last, uint8_t* out) {
  const PackRule& rule = *find_rule(view.type);
  for (uint32_t tile = first; tile < last; ++tile) {
    uint8_t* place = out + tile * plan.bytes_per_tile;
    const uint64_t row = uint64_t{tile} * kTileRows;
    const uint64_t rows = std::min<uint64_t>(kTileRows, view.rows - row);
    if (rule.pack) {
      for (uint64_t r = 0; r < rows; ++r)
        rule.pack(view.data + (row + r) * row_bytes(view.type, view.row_stride), view.cols, static_cast<int>(r), place);
    } else if (rule.to == PackedType::kF32) {
      pack_plain_tile<uint32_t>(view, row, rows, place);
    } else {
      pack_plain_tile<uint16_t>(view, row, rows, place);
    }
  }
}

void PackedMatrix::row(uint32_t index, float* out) const {
  const uint8_t* place = tile(index / kTileRows);
  const int r = static_cast<int>(index % kTileRows);
  if (quantized()) return quantized_row(*this, place, r, out);
  for (uint32_t k = 0; k < cols; ++k) {
    const size_t at = size_t{k} * kTileRows + static_cast<size_t>(r);
    uint16_t half;
    if (type == PackedType::kF32) {
      std::memcpy(out + k, place + 4 * at, 4);
    } else {
      std::memcpy(&half, place + 2 * at, 2);
      out[k] = type == PackedType::kF16 ? f16_to_f32(half) : bf16_to_f32(half);
    }
  }
}

}  // namespace rival::ops
