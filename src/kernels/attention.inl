// Attention of a few query rows over one chunk of keys and values. Page layouts and meanings: table.h. Included once
// per instruction set.
//
// Keys lie with positions side by side, so that scores of kLanes positions are formed at once without sums across a
// register. A row's result depends on nothing but its own query and the positions it sees: the order of sums is the
// same for every number of rows, and positions that it does not see count as exactly zero.

constexpr float kMinusInfinity = -__builtin_inff();
constexpr int kScoreStride = kChunkPositions;

// kLanes numbers of a page from element `offset` on, without their scales.
template <PageType type>
inline F load_page(const uint8_t* numbers, int offset) {
  if constexpr (type == PageType::kQ8) return load_i8(numbers + offset);
  if constexpr (type == PageType::kF32) return load((const float*)numbers + offset);
  return load_half(numbers + 2 * offset);
}

constexpr int page_bytes(PageType type) { return type == PageType::kQ8 ? 1 : type == PageType::kF32 ? 4 : 2; }

// scores[row][position in chunk] for `count` rows and one page. A page is a few kilobytes and the next one lies far
// away, too short a run for the processor to look ahead by itself: `ahead` is fetched meanwhile.
template <PageType type, int count>
void page_scores(const float* queries, int dk, const PageView& page, const uint8_t* ahead, float* scores) {
  for (int p = 0; p < kPagePositions; p += kLanes * kAttentionVectors) {
    F sum[count][kAttentionVectors];
    for (int r = 0; r < count; ++r)
      for (int v = 0; v < kAttentionVectors; ++v) sum[r][v] = set1(0.0f);
    for (int d = 0; d < dk; ++d) {
      __builtin_prefetch(ahead + (d * kPagePositions + p) * page_bytes(type));
      F key[kAttentionVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kAttentionVectors; ++v) key[v] = load_page<type>(page.keys, d * kPagePositions + p + v * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < count; ++r) {
        const F q = set1(queries[r * dk + d]);
#pragma GCC unroll 2
        for (int v = 0; v < kAttentionVectors; ++v) sum[r][v] = fma(q, key[v], sum[r][v]);
      }
    }
    for (int r = 0; r < count; ++r)
      for (int v = 0; v < kAttentionVectors; ++v) {
        F s = sum[r][v];
        if constexpr (type == PageType::kQ8) s = s * load(page.key_scales + p + v * kLanes);
        store(scores + r * kScoreStride + p + v * kLanes, s);
      }
  }
}

// Scores become exp(score - max), those out of sight 0. Returns max and sum of the row.
inline void weigh_row(float* scores, int positions, int32_t chunk_start, int32_t first, int32_t last, float scale,
                      float softcap, float heat, float& row_max, float& row_sum) {
  const I lo = set1(first - chunk_start), hi = set1(last - chunk_start);
  F largest = set1(kMinusInfinity);
  for (int p = 0; p < positions; p += kLanes) {
    const I index = iota() + set1(p);
    F s = load(scores + p) * set1(scale);
    if (softcap > 0) s = set1(softcap) * hyperbolic_tangent(s / set1(softcap));
    if (heat != 1.0f) s = s * set1(heat);
    s = select(index < lo, set1(kMinusInfinity), s);
    s = select(index > hi, set1(kMinusInfinity), s);
    store(scores + p, s);
    largest = max(s, largest);
  }
  row_max = reduce_max(largest);
  if (row_max == kMinusInfinity) {
    for (int p = 0; p < positions; p += kLanes) store(scores + p, set1(0.0f));
    row_sum = 0;
    return;
  }
  F total = set1(0.0f);
  for (int p = 0; p < positions; p += kLanes) {
    const F e = exponential(load(scores + p) - set1(row_max));
    store(scores + p, e);
    total = total + e;
  }
  row_sum = reduce_add(total);
}

// values[row][dim] = sum over positions of weight * value.
template <PageType type, int count, int vectors>
void page_values(const float* weights, const PageView* pages, int page_count, int stride, int dim, float* out) {
  F sum[count][vectors];
  for (int r = 0; r < count; ++r)
    for (int v = 0; v < vectors; ++v) sum[r][v] = set1(0.0f);
  for (int page = 0; page < page_count; ++page) {
    const uint8_t* values = pages[page].values;
    const uint8_t* ahead = pages[page + 1 < page_count ? page + 1 : page].values + dim * page_bytes(type);
    for (int p = 0; p < kPagePositions; ++p) {
      for (int line = 0; line < vectors * kLanes * page_bytes(type); line += 64)
        __builtin_prefetch(ahead + p * stride * page_bytes(type) + line);
      F value[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) value[v] = load_page<type>(values, p * stride + dim + v * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < count; ++r) {
        const F w = set1(weights[r * kScoreStride + page * kPagePositions + p]);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sum[r][v] = fma(w, value[v], sum[r][v]);
      }
    }
  }
  for (int r = 0; r < count; ++r)
    for (int v = 0; v < vectors; ++v) store(out + r * stride + dim + v * kLanes, sum[r][v]);
}

template <PageType type, int count>
void attend_rows(const AttentionRows& rows, int first_row, const PageView* pages, int page_count, int32_t chunk_start,
                 float* scores, const AttentionPart& part) {
  for (int page = 0; page < page_count; ++page)
    page_scores<type, count>(rows.queries + first_row * rows.dk, rows.dk, pages[page],
                             page + 1 < page_count ? pages[page + 1].keys : pages[0].values, scores + page * kPagePositions);
  const int positions = page_count * kPagePositions;
  for (int r = 0; r < count; ++r) {
    float* row = scores + r * kScoreStride;
    const int at = first_row + r;
    weigh_row(row, positions, chunk_start, rows.first[at], rows.last[at], rows.scale, rows.softcap,
              rows.heat ? rows.heat[at] : 1.0f, part.max[at], part.sum[at]);
    if constexpr (type == PageType::kQ8)
      for (int page = 0; page < page_count; ++page)
        for (int p = 0; p < kPagePositions; p += kLanes) {
          float* w = row + page * kPagePositions + p;
          store(w, load(w) * load(pages[page].value_scales + p));
        }
  }
  const int stride = value_stride(rows.dv);
  float* out = part.values + first_row * stride;
  // Few rows leave registers free: more values at a time keep as many sums in flight.
  constexpr int kWide = count <= 4 ? 2 * kAttentionVectors : kAttentionVectors;
  int dim = 0;
  for (; dim + kLanes * kWide <= stride; dim += kLanes * kWide)
    page_values<type, count, kWide>(scores, pages, page_count, stride, dim, out);
  for (; dim + kLanes * kAttentionVectors <= stride; dim += kLanes * kAttentionVectors)
    page_values<type, count, kAttentionVectors>(scores, pages, page_count, stride, dim, out);
  for (; dim + kLanes <= stride; dim += kLanes)
    page_values<type, count, 1>(scores, pages, page_count, stride, dim, out);
}

template <PageType type>
void attend(const AttentionRows& rows, const PageView* pages, int page_count, int32_t chunk_start, float* scratch,
            const AttentionPart& part) {
  int r = 0;
  for (; r + 12 <= rows.rows; r += 12) attend_rows<type, 12>(rows, r, pages, page_count, chunk_start, scratch, part);
  for (; r + 6 <= rows.rows; r += 6) attend_rows<type, 6>(rows, r, pages, page_count, chunk_start, scratch, part);
  for (; r + 4 <= rows.rows; r += 4) attend_rows<type, 4>(rows, r, pages, page_count, chunk_start, scratch, part);
  for (; r + 3 <= rows.rows; r += 3) attend_rows<type, 3>(rows, r, pages, page_count, chunk_start, scratch, part);
  for (; r + 2 <= rows.rows; r += 2) attend_rows<type, 2>(rows, r, pages, page_count, chunk_start, scratch, part);
  for (; r < rows.rows; ++r) attend_rows<type, 1>(rows, r, pages, page_count, chunk_start, scratch, part);
}

inline float exponential_one(float x) {
  float buffer[kLanes];
  store(buffer, exponential(set1(x)));
  return buffer[0];
}

void merge_part(int rows, int dv, const AttentionPart& total, const AttentionPart& part) {
  for (int r = 0; r < rows; ++r) {
    if (part.sum[r] == 0) continue;
    float* out = total.values + r * value_stride(dv);
    const float* in = part.values + r * value_stride(dv);
    const float m = total.max[r] > part.max[r] ? total.max[r] : part.max[r];
    const float keep = total.max[r] == kMinusInfinity ? 0.0f : exponential_one(total.max[r] - m);
    const float take = exponential_one(part.max[r] - m);
    if (keep == 0) {
      for (int d = 0; d < dv; ++d) out[d] = in[d] * take;
    } else {
      const F k = set1(keep), t = set1(take);
      zip_rows(out, in, out, (size_t)dv, [&](F a, F b) { return fma(a, k, b * t); });
    }
    total.sum[r] = total.sum[r] * keep + part.sum[r] * take;
    total.max[r] = m;
  }
}

// Halves stay finite: an infinite value times a weight of zero would be no number in a later sequence's page.
inline F finite_half(F x) { return max(min(x, set1(65504.0f)), set1(-65504.0f)); }

// The numbers x[i] .. x[i + kLanes) of `count`; zeros past the end.
inline F load_tail(const float* x, int i, int count) {
  if (i + kLanes <= count) return load(x + i);
  float buffer[kLanes] = {};
  for (int j = i; j < count; ++j) buffer[j - i] = x[j];
  return load(buffer);
}

void store_f16(const PageView& page, int slot, const float* key, int dk, const float* value, int dv) {
  uint8_t buffer[2 * kLanes];
  for (int d = 0; d < dk; d += kLanes) {
    store_half(buffer, finite_half(load_tail(key, d, dk)));
    for (int j = 0; j < kLanes && d + j < dk; ++j)
      __builtin_memcpy(page.keys + 2 * ((d + j) * kPagePositions + slot), buffer + 2 * j, 2);
  }
  for (int d = 0; d < value_stride(dv); d += kLanes)
    store_half(page.values + 2 * (slot * value_stride(dv) + d), finite_half(load_tail(value, d, dv)));
}

void store_f32(const PageView& page, int slot, const float* key, int dk, const float* value, int dv) {
  for (int d = 0; d < dk; ++d) ((float*)page.keys)[d * kPagePositions + slot] = key[d];
  for (int d = 0; d < value_stride(dv); d += kLanes)
    store((float*)page.values + slot * value_stride(dv) + d, load_tail(value, d, dv));
}

inline float quantize_row(const float* x, int count, int8_t* out, int stride) {
  float amax = 0;
  for (int i = 0; i < count; ++i) amax = __builtin_fabsf(x[i]) > amax ? __builtin_fabsf(x[i]) : amax;
  const float inverse = amax > 0 ? 127.0f / amax : 0.0f;
  for (int i = 0; i < count; ++i) out[i * stride] = (int8_t)__builtin_rintf(x[i] * inverse);
  return amax / 127.0f;
}

void store_q8(const PageView& page, int slot, const float* key, int dk, const float* value, int dv) {
  int8_t* values = (int8_t*)page.values + slot * value_stride(dv);
  page.key_scales[slot] = quantize_row(key, dk, (int8_t*)page.keys + slot, kPagePositions);
  page.value_scales[slot] = quantize_row(value, dv, values, 1);
  for (int d = dv; d < value_stride(dv); ++d) values[d] = 0;
}
