// A tile of packed weights times a panel of activations. Layouts: packed.h. Included once per instruction set.
//
// Every column's sum is formed in the same order whatever the width of the panel: whole numbers inside a block,
// then one or two multiply-adds a block. The results of a token therefore do not depend on its neighbours, bit for bit.

template <PackedType type>
struct Unpack {
  static constexpr PackedFormat format = kPackedFormats[(int)type];
  static constexpr bool small = format.base == Base::kNibble || format.base == Base::kTwoBit;

  static I repeat(uint32_t byte) { return set1((int32_t)(byte * 0x01010101u)); }
  // Bits of each byte moved left (n > 0) or right, then masked: neighbours' bits that slip in are masked away.
  static I shift(I x, int n) { return n >= 0 ? x << n : x >> -n; }

  // Step s (columns 4s .. 4s+3) of the rows `row` .. row + kLanes - 1: their unsigned bits.
  static inline __attribute__((always_inline)) I step(const uint8_t* record, int row, int s) {
    const int group = row / 16, lane = row % 16 * 4;
    I x;
    if constexpr (format.base == Base::kByte) {
      x = load_bytes(record + group * 512 + s * 64 + lane);
    } else if constexpr (format.base == Base::kTwoBit) {
      x = shift(load_bytes(record + group * 128 + s / 4 * 64 + lane), -2 * (s % 4)) & repeat(3);
    } else {
      x = shift(load_bytes(record + group * 256 + s % 4 * 64 + lane), s < 4 ? 0 : -4) & repeat(15);
      if constexpr (format.base == Base::kCodebook)
        x = lookup(type == PackedType::kMXFP4 ? kCodebookMxfp4 : kCodebookIq4, x);
    }
    constexpr int place = format.base == Base::kTwoBit ? 2 : 4;
    const uint8_t* high = record + base_bytes(format.base);
    if constexpr (format.high_bits == 1)
      x |= shift(load_bytes(high + group * 64 + lane), place - s) & repeat(1u << place);
    if constexpr (format.high_bits == 2)
      x |= shift(load_bytes(high + group * 128 + s / 4 * 64 + lane), place - 2 * (s % 4)) & repeat(3u << place);
    return x;
  }

  static constexpr int scales_at = base_bytes(format.base) + 128 * format.high_bits;
  static constexpr int mins_at = scales_at + format.groups * scale_bytes(format.scale);

  static F scale(const uint8_t* header, const uint8_t* record, int row, int group) {
    const uint8_t* p = record + scales_at + group * scale_bytes(format.scale);
    if constexpr (format.scale == Scale::kHalf) return load_half(p + 2 * row);
    if constexpr (format.scale == Scale::kSuper) return load_half(header + 2 * row) * load_i8(p + row);
    if constexpr (format.scale == Scale::kE8M0) {
      // 2^(e - 127), halved because the codebook holds doubled values; e < 2 gives subnormal numbers.
      const I e = load_u8_int(p + row);
      const I tiny = set1(0x00200000) + e * set1(0x00200000);
      return select(e < set1(2), float_of(tiny), float_of((e - set1(1)) << 23));
    }
  }
  static F min(const uint8_t* header, const uint8_t* record, int row, int group) {
    const uint8_t* p = record + mins_at + group * scale_bytes(format.scale);
    if constexpr (format.scale == Scale::kHalf) return load_half(p + 2 * row);
    return set1(0.0f) - load_half(header + 64 + 2 * row) * load_u8(p + row);
  }
};

template <PackedType type, int width>
void quantized_tile(const uint8_t* tile, const ActivationBlock* panel, size_t blocks, float* out, size_t stride) {
  using U = Unpack<type>;
  constexpr PackedFormat format = U::format;
  constexpr int kSteps = 8 / format.groups;
  for (int first = 0; first < kTileRows; first += kLanes * kRowVectors) {
    F sum[kRowVectors][width];
    for (int r = 0; r < kRowVectors; ++r)
      for (int c = 0; c < width; ++c) sum[r][c] = set1(0.0f);
    const uint8_t* record = tile;
    const uint8_t* header = tile;
    for (size_t b = 0; b < blocks; ++b) {
      if constexpr (format.scale == Scale::kSuper) {
        if (b % kSuperBlocks == 0) {
          header = record;
          record += header_bytes(format);
        }
      }
      const ActivationBlock& a = panel[b];
#pragma GCC unroll 2
      for (int group = 0; group < format.groups; ++group) {
        // With two groups the second must load its bits again: kept from the first they would not fit the registers.
        const uint8_t* bits = record;
        if constexpr (format.groups == 2) asm("" : "+r"(bits));
        I dot[kRowVectors][width];
#pragma GCC unroll 8
        for (int c = 0; c < width; ++c) {
          I start = set1(0);
          if constexpr (!format.has_min) {
            start = set1(format.groups == 1 ? a.minus_sum[c] : a.minus_sum16[group][c]);
            keep(start);  // else the shift is made before the broadcast, which then comes from a general register
            start = start << format.offset_shift;
          }
#pragma GCC unroll 2
          for (int r = 0; r < kRowVectors; ++r) dot[r][c] = start;
        }
#pragma GCC unroll 8
        for (int i = 0; i < kSteps; ++i) {
          const int s = group * kSteps + i;
          I w[kRowVectors];
#pragma GCC unroll 2
          for (int r = 0; r < kRowVectors; ++r) w[r] = U::step(bits, first + r * kLanes, s);
#pragma GCC unroll 8
          for (int c = 0; c < width; ++c) {
            const I x = broadcast_bytes(a.q[c] + 4 * s);
#pragma GCC unroll 2
            for (int r = 0; r < kRowVectors; ++r) dot[r][c] = dot4<U::small>(dot[r][c], w[r], x);
          }
        }
#pragma GCC unroll 2
        for (int r = 0; r < kRowVectors; ++r) {
          const F scale = U::scale(header, record, first + r * kLanes, group);
#pragma GCC unroll 8
          for (int c = 0; c < width; ++c) sum[r][c] = fma(to_float(dot[r][c]), scale * set1(a.d[c]), sum[r][c]);
          if constexpr (format.has_min) {
            const float* d_sum = format.groups == 1 ? a.d_sum : a.d_sum16[group];
            const F min = U::min(header, record, first + r * kLanes, group);
#pragma GCC unroll 8
            for (int c = 0; c < width; ++c) sum[r][c] = fma(min, set1(d_sum[c]), sum[r][c]);
          }
        }
      }
      record += record_bytes(format);
    }
    for (int r = 0; r < kRowVectors; ++r)
      for (int c = 0; c < width; ++c) store(out + c * stride + first + r * kLanes, sum[r][c]);
  }
}

template <PackedType type>
inline F load_plain(const uint8_t* p) {
  if constexpr (type == PackedType::kF32) return load((const float*)p);
  if constexpr (type == PackedType::kF16) return load_half(p);
  return load_bf16(p);
}

template <PackedType type, int width>
void plain_tile(const uint8_t* tile, const float* panel, size_t cols, float* out, size_t stride) {
  constexpr int bytes = plain_bytes(type);
  for (int first = 0; first < kTileRows; first += kLanes * kRowVectors) {
    F sum[kRowVectors][width];
    for (int r = 0; r < kRowVectors; ++r)
      for (int c = 0; c < width; ++c) sum[r][c] = set1(0.0f);
    const uint8_t* weights = tile + first * bytes;
    for (size_t k = 0; k < cols; ++k, weights += kTileRows * bytes) {
      F w[kRowVectors];
#pragma GCC unroll 2
      for (int r = 0; r < kRowVectors; ++r) w[r] = load_plain<type>(weights + r * kLanes * bytes);
#pragma GCC unroll 8
      for (int c = 0; c < width; ++c) {
        const F x = set1(panel[k * kPanelColumns + c]);
#pragma GCC unroll 2
        for (int r = 0; r < kRowVectors; ++r) sum[r][c] = fma(w[r], x, sum[r][c]);
      }
    }
    for (int r = 0; r < kRowVectors; ++r)
      for (int c = 0; c < width; ++c) store(out + c * stride + first + r * kLanes, sum[r][c]);
  }
}

template <int index>
constexpr void fill_widths(KernelTable& table) {
  if constexpr (index < kQuantizedTypes) {
    constexpr PackedType type = (PackedType)index;
    table.quantized_tile[index][0] = quantized_tile<type, 1>;
    table.quantized_tile[index][1] = quantized_tile<type, 2>;
    table.quantized_tile[index][2] = quantized_tile<type, 3>;
    table.quantized_tile[index][3] = quantized_tile<type, 4>;
    table.quantized_tile[index][4] = quantized_tile<type, 5>;
    table.quantized_tile[index][5] = quantized_tile<type, 6>;
  } else {
    constexpr PackedType type = (PackedType)index;
    PlainTile* row = table.plain_tile[index - kQuantizedTypes];
    row[0] = plain_tile<type, 1>;
    row[1] = plain_tile<type, 2>;
    row[2] = plain_tile<type, 3>;
    row[3] = plain_tile<type, 4>;
    row[4] = plain_tile<type, 5>;
    row[5] = plain_tile<type, 6>;
  }
  if constexpr (index + 1 < kPackedTypes) fill_widths<index + 1>(table);
}
