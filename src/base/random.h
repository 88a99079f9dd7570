// PCG32 (O'Neill 2014, pcg-random.org): small, fast, the same numbers on every machine. Not for secrets.
#pragma once

#include <cstdint>

namespace rival {

class Random {
 public:
  explicit Random(uint64_t seed) {
    next_u32();
    state_ += seed;
    next_u32();
  }

  uint32_t next_u32() {
    const uint64_t old = state_;
    state_ = old * 6364136223846793005ULL + 1442695040888963407ULL;
    const uint32_t shifted = static_cast<uint32_t>(((old >> 18u) ^ old) >> 27u);
    const uint32_t rotation = static_cast<uint32_t>(old >> 59u);
    return (shifted >> rotation) | (shifted << ((32 - rotation) & 31));
  }
  // Uniform in [0, 1), 53 bits.
  double next_double() {
    const uint64_t bits = (static_cast<uint64_t>(next_u32()) << 32 | next_u32()) >> 11;
    return static_cast<double>(bits) * 0x1.0p-53;
  }
  // Uniform in [0, bound), bound > 0.
  uint32_t next_below(uint32_t bound) { return static_cast<uint32_t>((uint64_t{next_u32()} * bound) >> 32); }

 private:
  uint64_t state_ = 0;
};

}  // namespace rival
