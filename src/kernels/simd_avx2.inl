// The thin vector type for AVX2 with FMA and F16C. Included inside an anonymous namespace by isa/avx2*.cc; with
// RIVAL_AVX_VNNI the byte dot product is one instruction.
typedef float F __attribute__((vector_size(32)));
typedef int32_t I __attribute__((vector_size(32)));
constexpr int kLanes = 8;
constexpr int kRowVectors = 1;        // 6 + 6 sums fill 12 of 16 registers
constexpr int kAttentionVectors = 1;

inline F load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, F x) { _mm256_storeu_ps(p, x); }
inline F set1(float x) { return _mm256_set1_ps(x); }
inline I set1(int32_t x) { return (I)_mm256_set1_epi32(x); }
inline F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
inline F to_float(I x) { return _mm256_cvtepi32_ps((__m256i)x); }
inline I to_int_nearest(F x) { return (I)_mm256_cvtps_epi32(x); }
inline F max(F a, F b) { return _mm256_max_ps(a, b); }
inline F min(F a, F b) { return _mm256_min_ps(a, b); }
inline F square_root(F x) { return _mm256_sqrt_ps(x); }
inline I bits_of(F x) { return (I)x; }
inline F float_of(I x) { return (F)x; }
inline F select(I mask, F a, F b) { return _mm256_blendv_ps(b, a, (__m256)mask); }
inline I iota() { return I{0, 1, 2, 3, 4, 5, 6, 7}; }
inline __m128 halves_add(F x) { return _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1)); }
inline float reduce_add(F x) {
  __m128 y = halves_add(x);
  y = _mm_add_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_add_ss(y, _mm_shuffle_ps(y, y, 1)));
}
inline float reduce_max(F x) {
  __m128 y = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  y = _mm_max_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_max_ss(y, _mm_shuffle_ps(y, y, 1)));
}

inline I load_bytes(const uint8_t* p) { return (I)_mm256_loadu_si256((const __m256i*)p); }
inline I broadcast_bytes(const int8_t* p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return (I)_mm256_set1_epi32(x);
}
// Adds the four products of unsigned bytes of w and signed bytes of a in each lane. small: w < 128, so that two
// products never leave 16 bits.
template <bool small>
inline I dot4(I sum, I w, I a) {
#ifdef RIVAL_AVX_VNNI
  return (I)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)w, (__m256i)a);
#else
  if constexpr (small) {
    const __m256i pairs = _mm256_maddubs_epi16((__m256i)w, (__m256i)a);
    return sum + (I)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  }
  const __m256i even_w = _mm256_and_si256((__m256i)w, _mm256_set1_epi16(0xff));
  const __m256i odd_w = _mm256_srli_epi16((__m256i)w, 8);
  const __m256i even_a = _mm256_srai_epi16(_mm256_slli_epi16((__m256i)a, 8), 8);
  const __m256i odd_a = _mm256_srai_epi16((__m256i)a, 8);
  return sum + (I)_mm256_madd_epi16(even_w, even_a) + (I)_mm256_madd_epi16(odd_w, odd_a);
#endif
}
inline I lookup(const uint8_t* table, I codes) {
  const __m256i t = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)table));
  return (I)_mm256_shuffle_epi8(t, (__m256i)codes);
}
inline F load_half(const uint8_t* p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p)); }
inline void store_half(uint8_t* p, F x) {
  _mm_storeu_si128((__m128i*)p, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}
inline F load_bf16(const uint8_t* p) {
  return (F)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)p)), 16);
}
inline F load_i8(const uint8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i*)p)));
}
inline F load_u8(const uint8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p)));
}
inline I load_u8_int(const uint8_t* p) { return (I)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p)); }
inline void store_i8(int8_t* p, I x) {
  for (int i = 0; i < kLanes; ++i) p[i] = (int8_t)x[i];
}
inline int32_t sum_16_bytes(const int8_t* p) {
  // psadbw adds unsigned bytes, so 128 is added to each first.
  const __m128i x = _mm_xor_si128(_mm_loadu_si128((const __m128i*)p), _mm_set1_epi8((char)0x80));
  const __m128i sums = _mm_sad_epu8(x, _mm_setzero_si128());
  return _mm_cvtsi128_si32(sums) + _mm_extract_epi16(sums, 4) - 16 * 128;
}
// The compiler must take x for changed: nothing that depends on it can leave a loop.
inline void keep(I& x) { asm volatile("" : "+x"(x)); }
