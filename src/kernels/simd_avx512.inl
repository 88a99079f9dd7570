// The thin vector type for AVX-512 with VNNI. Included inside an anonymous namespace by isa/avx512.cc.
typedef float F __attribute__((vector_size(64)));
typedef int32_t I __attribute__((vector_size(64)));
constexpr int kLanes = 16;
constexpr int kRowVectors = 2;        // row vectors of a GEMM pass: 2 x 6 sums of each kind fill 24 of 32 registers
constexpr int kAttentionVectors = 2;

inline F load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, F x) { _mm512_storeu_ps(p, x); }
inline F set1(float x) { return _mm512_set1_ps(x); }
inline I set1(int32_t x) { return (I)_mm512_set1_epi32(x); }
inline F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
inline F to_float(I x) { return _mm512_cvtepi32_ps((__m512i)x); }
inline I to_int_nearest(F x) { return (I)_mm512_cvtps_epi32(x); }
inline F max(F a, F b) { return _mm512_max_ps(a, b); }
inline F min(F a, F b) { return _mm512_min_ps(a, b); }
inline F square_root(F x) { return _mm512_sqrt_ps(x); }
inline I bits_of(F x) { return (I)x; }
inline F float_of(I x) { return (F)x; }
inline F select(I mask, F a, F b) {
  return _mm512_mask_blend_ps(_mm512_test_epi32_mask((__m512i)mask, (__m512i)mask), b, a);
}
inline I iota() { return I{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }
inline float reduce_add(F x) { return _mm512_reduce_add_ps(x); }
inline float reduce_max(F x) { return _mm512_reduce_max_ps(x); }

inline I load_bytes(const uint8_t* p) { return (I)_mm512_loadu_si512(p); }
inline I broadcast_bytes(const int8_t* p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return (I)_mm512_set1_epi32(x);
}
// Adds the four products of unsigned bytes of w and signed bytes of a in each lane. small: w < 128.
template <bool small>
inline I dot4(I sum, I w, I a) { return (I)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)a); }
inline I lookup(const uint8_t* table, I codes) {
  const __m512i t = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)table));
  return (I)_mm512_shuffle_epi8(t, (__m512i)codes);
}
inline F load_half(const uint8_t* p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p)); }
inline void store_half(uint8_t* p, F x) {
  _mm256_storeu_si256((__m256i*)p, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}
inline F load_bf16(const uint8_t* p) {
  return (F)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)p)), 16);
}
inline F load_i8(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i*)p)));
}
inline F load_u8(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p)));
}
inline I load_u8_int(const uint8_t* p) { return (I)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p)); }
inline void store_i8(int8_t* p, I x) { _mm_storeu_si128((__m128i*)p, _mm512_cvtepi32_epi8((__m512i)x)); }
inline int32_t sum_16_bytes(const int8_t* p) {
  // psadbw adds unsigned bytes, so 128 is added to each first.
  const __m128i x = _mm_xor_si128(_mm_loadu_si128((const __m128i*)p), _mm_set1_epi8((char)0x80));
  const __m128i sums = _mm_sad_epu8(x, _mm_setzero_si128());
  return _mm_cvtsi128_si32(sums) + _mm_extract_epi16(sums, 4) - 16 * 128;
}
// The compiler must take x for changed: nothing that depends on it can leave a loop.
inline void keep(I& x) { asm volatile("" : "+v"(x)); }
