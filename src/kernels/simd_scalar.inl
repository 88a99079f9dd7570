// The thin vector type of width 1: plain C++, for every CPU, and the form in which a kernel is easiest to follow.
// Included inside an anonymous namespace by isa/scalar.cc.
typedef float F;
typedef int32_t I;
constexpr int kLanes = 1;
constexpr int kRowVectors = 1;
constexpr int kAttentionVectors = 1;

inline F load(const float* p) { return *p; }
inline void store(float* p, F x) { *p = x; }
inline F set1(float x) { return x; }
inline I set1(int32_t x) { return x; }
inline F fma(F a, F b, F c) { return a * b + c; }
inline F to_float(I x) { return (float)x; }
inline I to_int_nearest(F x) { return (I)__builtin_rintf(x); }
inline F max(F a, F b) { return a > b ? a : b; }
inline F min(F a, F b) { return a < b ? a : b; }
inline F square_root(F x) { return __builtin_sqrtf(x); }
inline I bits_of(F x) {
  I i;
  __builtin_memcpy(&i, &x, 4);
  return i;
}
inline F float_of(I x) {
  F f;
  __builtin_memcpy(&f, &x, 4);
  return f;
}
inline F select(I mask, F a, F b) { return mask ? a : b; }
inline I iota() { return 0; }
inline float reduce_add(F x) { return x; }
inline float reduce_max(F x) { return x; }

inline I load_bytes(const uint8_t* p) {
  I x;
  __builtin_memcpy(&x, p, 4);
  return x;
}
inline I broadcast_bytes(const int8_t* p) { return load_bytes((const uint8_t*)p); }
// Adds the four products of unsigned bytes of w and signed bytes of a.
template <bool small>
inline I dot4(I sum, I w, I a) {
  for (int j = 0; j < 4; ++j) sum += (int32_t)((uint32_t)w >> (8 * j) & 0xff) * (int32_t)(int8_t)((uint32_t)a >> (8 * j));
  return sum;
}
inline I lookup(const uint8_t* table, I codes) {
  uint32_t x = 0;
  for (int j = 0; j < 4; ++j) x |= (uint32_t)table[(uint32_t)codes >> (8 * j) & 15] << (8 * j);
  return (I)x;
}
inline F load_half(const uint8_t* p) {
  uint16_t h;
  __builtin_memcpy(&h, p, 2);
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16;
  const uint32_t exponent = h >> 10 & 31;
  const uint32_t mantissa = h & 1023;
  if (exponent == 0) return float_of((I)(bits_of((float)mantissa * 0x1p-24f) | (I)sign));
  if (exponent == 31) return float_of((I)(sign | 0x7f800000u | mantissa << 13));
  return float_of((I)(sign | (exponent + 112) << 23 | mantissa << 13));
}
inline void store_half(uint8_t* p, F x) {
  const uint32_t bits = (uint32_t)bits_of(x);
  const uint32_t sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7fffffff;
  uint32_t h;
  if (magnitude > 0x7f800000) {
    h = 0x7e00;
  } else if (magnitude >= 0x477ff000) {
    h = 0x7c00;
  } else if (magnitude < 0x38800000) {
    h = (uint32_t)__builtin_rintf(__builtin_fabsf(x) * 0x1p24f);
  } else {
    h = (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13;
  }
  const uint16_t half = (uint16_t)(sign | h);
  __builtin_memcpy(p, &half, 2);
}
inline F load_bf16(const uint8_t* p) {
  uint16_t h;
  __builtin_memcpy(&h, p, 2);
  return float_of((I)((uint32_t)h << 16));
}
inline F load_i8(const uint8_t* p) { return (float)(int8_t)*p; }
inline F load_u8(const uint8_t* p) { return (float)*p; }
inline I load_u8_int(const uint8_t* p) { return *p; }
inline void store_i8(int8_t* p, I x) { *p = (int8_t)x; }
inline int32_t sum_16_bytes(const int8_t* p) {
  int32_t sum = 0;
  for (int i = 0; i < 16; ++i) sum += p[i];
  return sum;
}
// The compiler must take x for changed: nothing that depends on it can leave a loop.
inline void keep(I& x) { asm volatile("" : "+r"(x)); }
