// Loops over rows of numbers: norms, activations, quantisation, rotary embedding. Included once per instruction set.
// Where a count is not a multiple of kLanes the tail goes through a padded buffer, so every element is computed by
// the same vector code whatever its place.

// e^x for x <= 88; 0 below -87. Range reduction by ln 2 in two parts, then a polynomial of degree 6 on
// [-ln2/2, ln2/2] (Taylor to 1e-8 relative).
inline F exponential(F x) {
  const F clamped = max(min(x, set1(88.0f)), set1(-87.0f));
  const I n = to_int_nearest(clamped * set1(1.44269504f));
  const F nf = to_float(n);
  const F r = fma(nf, set1(2.12194440e-4f), fma(nf, set1(-0.693359375f), clamped));
  F p = set1(1.0f / 720);
  p = fma(p, r, set1(1.0f / 120));
  p = fma(p, r, set1(1.0f / 24));
  p = fma(p, r, set1(1.0f / 6));
  p = fma(p, r, set1(0.5f));
  p = fma(p, r, set1(1.0f));
  p = fma(p, r, set1(1.0f));
  const F y = float_of(bits_of(p) + (n << 23));
  return select(x < set1(-87.0f), set1(0.0f), y);
}

inline F sigmoid(F x) { return set1(1.0f) / (set1(1.0f) + exponential(set1(0.0f) - x)); }

// tanh x = sign(x) (1 - 2 / (e^(2|x|) + 1)); near zero, where that cancels, the odd Taylor series.
inline F hyperbolic_tangent(F x) {
  const F a = max(x, set1(0.0f) - x);
  const F big = set1(1.0f) - set1(2.0f) / (exponential(min(a + a, set1(80.0f))) + set1(1.0f));
  const F a2 = a * a;
  const F series = a * fma(a2, fma(a2, fma(a2, set1(-17.0f / 315), set1(2.0f / 15)), set1(-1.0f / 3)), set1(1.0f));
  const F y = select(a < set1(0.15f), series, big);
  return select(x < set1(0.0f), set1(0.0f) - y, y);
}

// erf by Abramowitz and Stegun 7.1.26 with |error| < 1.5e-7.
inline F error_function(F x) {
  const F a = max(x, set1(0.0f) - x);
  const F t = set1(1.0f) / fma(a, set1(0.3275911f), set1(1.0f));
  F p = set1(1.061405429f);
  p = fma(p, t, set1(-1.453152027f));
  p = fma(p, t, set1(1.421413741f));
  p = fma(p, t, set1(-0.284496736f));
  p = fma(p, t, set1(0.254829592f));
  const F y = set1(1.0f) - p * t * exponential(set1(0.0f) - a * a);
  return select(x < set1(0.0f), set1(0.0f) - y, y);
}

// Calls f(x vector) -> vector over an array, the tail padded.
template <typename Function>
inline void map_rows(const float* in, float* out, size_t count, const Function& f) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, f(load(in + i)));
  if (i < count) {
    float buffer[kLanes] = {};
    for (size_t j = i; j < count; ++j) buffer[j - i] = in[j];
    store(buffer, f(load(buffer)));
    for (size_t j = i; j < count; ++j) out[j] = buffer[j - i];
  }
}

template <typename Function>
inline void zip_rows(const float* a, const float* b, float* out, size_t count, const Function& f) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, f(load(a + i), load(b + i)));
  if (i < count) {
    float x[kLanes] = {}, y[kLanes] = {};
    for (size_t j = i; j < count; ++j) x[j - i] = a[j], y[j - i] = b[j];
    store(x, f(load(x), load(y)));
    for (size_t j = i; j < count; ++j) out[j] = x[j - i];
  }
}

// Sum of f(x) over an array, in kLanes partial sums.
template <typename Function>
inline float sum_rows(const float* x, size_t count, const Function& f) {
  F total = set1(0.0f);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) total = total + f(load(x + i));
  float sum = reduce_add(total);
  if (i < count) {
    float buffer[kLanes] = {};
    for (size_t j = i; j < count; ++j) buffer[j - i] = x[j];
    const F y = f(load(buffer));
    float tail[kLanes];
    store(tail, y);
    for (size_t j = i; j < count; ++j) sum += tail[j - i];
  }
  return sum;
}

void rms_norm(const float* x, const float* gain, float eps, size_t count, float* out) {
  const float squares = sum_rows(x, count, [](F v) { return v * v; });
  const F factor = set1(1.0f / __builtin_sqrtf(squares / (float)count + eps));
  if (gain) {
    zip_rows(x, gain, out, count, [&](F v, F g) { return v * factor * g; });
  } else {
    map_rows(x, out, count, [&](F v) { return v * factor; });
  }
}

void layer_norm(const float* x, const float* gain, const float* bias, float eps, size_t count, float* out) {
  const float mean = sum_rows(x, count, [](F v) { return v; }) / (float)count;
  const F m = set1(mean);
  const float variance = sum_rows(x, count, [&](F v) { return (v - m) * (v - m); }) / (float)count;
  const F factor = set1(1.0f / __builtin_sqrtf(variance + eps));
  map_rows(x, out, count, [&](F v) { return (v - m) * factor; });
  if (gain) zip_rows(out, gain, out, count, [](F v, F g) { return v * g; });
  if (bias) zip_rows(out, bias, out, count, [](F v, F b) { return v + b; });
}

void add(float* x, const float* y, size_t count) {
  zip_rows(x, y, x, count, [](F a, F b) { return a + b; });
}
void multiply_add(float* x, const float* y, float factor, size_t count) {
  const F f = set1(factor);
  zip_rows(x, y, x, count, [&](F a, F b) { return fma(f, b, a); });
}
void scale(const float* x, float factor, size_t count, float* out) {
  const F f = set1(factor);
  map_rows(x, out, count, [&](F a) { return a * f; });
}
void softcap(float* x, float cap, size_t count) {
  const F c = set1(cap);
  map_rows(x, x, count, [&](F a) { return c * hyperbolic_tangent(a / c); });
}

// x * 0.5 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
inline F gelu_tanh(F x) {
  const F inner = set1(0.79788456f) * x * fma(x * x, set1(0.044715f), set1(1.0f));
  return set1(0.5f) * x * (set1(1.0f) + hyperbolic_tangent(inner));
}
inline F gelu_erf(F x) { return set1(0.5f) * x * (set1(1.0f) + error_function(x * set1(0.70710678f))); }

template <typename Function>
inline void gate_with(const float* gate, const float* up, size_t count, float* out, const Function& f) {
  if (up) {
    zip_rows(gate, up, out, count, [&](F g, F u) { return f(g) * u; });
  } else {
    map_rows(gate, out, count, f);
  }
}

void gate(GateKind kind, const float* g, const float* up, size_t count, float* out) {
  const F zero = set1(0.0f);
  switch (kind) {
    case GateKind::kSilu: return gate_with(g, up, count, out, [](F x) { return x * sigmoid(x); });
    case GateKind::kGeluTanh: return gate_with(g, up, count, out, gelu_tanh);
    case GateKind::kGeluErf: return gate_with(g, up, count, out, gelu_erf);
    case GateKind::kRelu: return gate_with(g, up, count, out, [&](F x) { return max(x, zero); });
    case GateKind::kReluSquared:
      return gate_with(g, up, count, out, [&](F x) { return max(x, zero) * max(x, zero); });
    case GateKind::kSwigluOai:
      zip_rows(g, up, out, count, [](F x, F u) {
        const F limit = set1(7.0f);
        const F capped = min(x, limit);
        const F linear = max(min(u, limit), set1(-7.0f));
        return capped * sigmoid(set1(1.702f) * capped) * (linear + set1(1.0f));
      });
  }
}

void softmax(float* x, size_t count) {
  float largest = x[0];
  for (size_t i = 1; i < count; ++i) largest = x[i] > largest ? x[i] : largest;
  const F m = set1(largest);
  map_rows(x, x, count, [&](F v) { return exponential(v - m); });
  const float sum = sum_rows(x, count, [](F v) { return v; });
  scale(x, 1.0f / sum, count, x);
}

void rotary(float* head, const float* cos, const float* sin, int half, RotaryPairs pairs) {
  if (pairs == RotaryPairs::kAdjacent) {
    for (int i = 0; i < half; ++i) {
      const float a = head[2 * i], b = head[2 * i + 1];
      head[2 * i] = a * cos[i] - b * sin[i];
      head[2 * i + 1] = a * sin[i] + b * cos[i];
    }
    return;
  }
  int i = 0;
  for (; i + kLanes <= half; i += kLanes) {
    const F a = load(head + i), b = load(head + half + i), c = load(cos + i), s = load(sin + i);
    store(head + i, a * c - b * s);
    store(head + half + i, a * s + b * c);
  }
  for (; i < half; ++i) {
    const float a = head[i], b = head[half + i];
    head[i] = a * cos[i] - b * sin[i];
    head[half + i] = a * sin[i] + b * cos[i];
  }
}

void quantize_activation(const float* x, size_t count, ActivationBlock* panel, int column) {
  for (size_t b = 0; b < count / kBlock; ++b, x += kBlock) {
    ActivationBlock& out = panel[b];
    F largest = set1(0.0f);
    for (int i = 0; i < kBlock; i += kLanes) {
      const F v = load(x + i);
      largest = max(largest, max(v, set1(0.0f) - v));
    }
    const float amax = reduce_max(largest);
    const F inverse = set1(amax > 0 ? 127.0f / amax : 0.0f);
    for (int i = 0; i < kBlock; i += kLanes) store_i8(out.q[column] + i, to_int_nearest(load(x + i) * inverse));
    const float d = amax * (1.0f / 127.0f);
    const int32_t low = sum_16_bytes(out.q[column]), high = sum_16_bytes(out.q[column] + 16);
    out.d[column] = d;
    out.d_sum[column] = d * (float)(low + high);
    out.minus_sum[column] = -(low + high);
    out.d_sum16[0][column] = d * (float)low;
    out.d_sum16[1][column] = d * (float)high;
    out.minus_sum16[0][column] = -low;
    out.minus_sum16[1][column] = -high;
  }
}

double peak_fma(uint64_t iterations) {
  F sum[8];
  for (int i = 0; i < 8; ++i) sum[i] = set1((float)i);
  F a = set1(0.999f), b = set1(0.001f);
  for (uint64_t n = 0; n < iterations; ++n) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) sum[i] = fma(sum[i], a, b);
  }
  F total = sum[0];
  for (int i = 1; i < 8; ++i) total = total + sum[i];
  return reduce_add(total) == 12345.0f ? 0.0 : (double)iterations * 8 * kLanes * 2;
}

double peak_dot(uint64_t iterations) {
  I sum[8];
  for (int i = 0; i < 8; ++i) sum[i] = set1(i);
  const int8_t bytes[4] = {1, 2, 3, 4};
  I w = broadcast_bytes(bytes), x = broadcast_bytes(bytes);
  for (uint64_t n = 0; n < iterations; ++n) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) sum[i] = dot4<true>(sum[i], w, x);
    keep(w);
    keep(x);
  }
  I total = sum[0];
  for (int i = 1; i < 8; ++i) total = total + sum[i];
  return reduce_add(to_float(total)) == 12345.0f ? 0.0 : (double)iterations * 8 * kLanes * 4 * 2;
}
