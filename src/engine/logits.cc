#include "engine/logits.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

namespace rival::engine {
namespace {

// Four lanes in the compiler's own vector type: what every x86-64 has. Four of them keep the pipeline full.
using Floats = float __attribute__((vector_size(16)));
using Ints = int32_t __attribute__((vector_size(16)));
constexpr size_t kLanes = 4;
constexpr size_t kBlock = 64;     // elements of one maximum in select_top
constexpr size_t kSumBlock = 1024;  // elements summed in float before the sum moves to double

Floats load(const float* p) {
  Floats v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

Floats larger(Floats a, Floats b) { return a > b ? a : b; }  // b if a is NaN

float largest_lane(Floats v) { return std::max(std::max(v[0], v[1]), std::max(v[2], v[3])); }

float block_max(const float* p, size_t n) {
  const Floats none = {kNever, kNever, kNever, kNever};
  Floats best[4] = {none, none, none, none};
  size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes)
    for (size_t k = 0; k < 4; ++k) best[k] = larger(load(p + i + k * kLanes), best[k]);
  float result = largest_lane(larger(larger(best[0], best[1]), larger(best[2], best[3])));
  for (; i < n; ++i)
    if (p[i] > result) result = p[i];
  return result;
}

// exp for x <= 0: 2^n * exp(r) with |r| <= ln 2 / 2 and a polynomial of degree 6 (Cephes, expf.c).
Floats exp_lanes(Floats x) {
  const Floats least = {-87.0f, -87.0f, -87.0f, -87.0f};
  x = larger(x, least);
  const Floats shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer in the low bits
  const Floats n = shifted - 12582912.0f;
  const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats y = r * 1.9875691500e-4f + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.0f;
  Ints bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  Ints scale = (bits << 23) + (127 << 23);
  Floats power;
  std::memcpy(&power, &scale, sizeof power);
  return y * power;
}

// exp((p[i] - offset) * scale) of up to kSumBlock elements into `out`, padded with zeros to whole vectors.
void exp_block(const float* p, size_t n, float offset, float scale, float* out) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats y = exp_lanes((load(p + i) - offset) * scale);
    std::memcpy(out + i, &y, sizeof y);
  }
  if (i == n) return;
  float rest[kLanes] = {offset, offset, offset, offset};
  std::copy(p + i, p + n, rest);
  Floats y = exp_lanes((load(rest) - offset) * scale);
  for (size_t lane = n - i; lane < kLanes; ++lane) y[lane] = 0.0f;
  std::memcpy(out + i, &y, sizeof y);
}

double block_sum_exp(const float* p, size_t n, float offset, float scale) {
  alignas(16) float values[kSumBlock];
  exp_block(p, n, offset, scale, values);
  Floats sum = {};
  for (size_t i = 0; i < n; i += kLanes) sum += load(values + i);
  return double{sum[0]} + sum[1] + sum[2] + sum[3];
}

bool better(const Candidate& a, const Candidate& b) { return a.logit > b.logit || (a.logit == b.logit && a.id < b.id); }

// The 32 logits of one word of a mask, four at a time without a branch: a mask inside of a text is nearly full, and
// each token that is missing would be a branch mispredicted.
void keep_word(uint32_t bits, float* p) {
  const Ints lanes = {1, 2, 4, 8};
  const Floats never = {kNever, kNever, kNever, kNever};
  for (uint32_t shift = 0; shift < 32; shift += kLanes, p += kLanes) {
    const auto part = static_cast<int32_t>(bits >> shift & 0xF);
    const Floats kept = (Ints{part, part, part, part} & lanes) != 0 ? load(p) : never;
    std::memcpy(p, &kept, sizeof kept);
  }
}

void gather(std::span<const float> logits, size_t begin, size_t end, float least, std::vector<Candidate>& chosen) {
  for (size_t i = begin; i < end; ++i)
    if (logits[i] >= least && logits[i] > kNever) chosen.push_back({logits[i], static_cast<text::TokenId>(i)});
}

}  // namespace

float max_logit(std::span<const float> logits) { return block_max(logits.data(), logits.size()); }

text::TokenId arg_max(std::span<const float> logits) {
  const float best = max_logit(logits);
  return static_cast<text::TokenId>(std::find(logits.begin(), logits.end(), best) - logits.begin());
}

double sum_exp(std::span<const float> logits, float offset, float scale) {
  double total = 0.0;
  for (size_t i = 0; i < logits.size(); i += kSumBlock)
    total += block_sum_exp(logits.data() + i, std::min(kSumBlock, logits.size() - i), offset, scale);
  return total;
}

text::TokenId draw_index(std::span<const float> logits, float offset, float scale, double share) {
  double left = share * sum_exp(logits, offset, scale);
  size_t last_block = 0;  // the last one with weight, for a share that rounding carries past the end
  for (size_t i = 0; i < logits.size(); i += kSumBlock) {
    const double sum = block_sum_exp(logits.data() + i, std::min(kSumBlock, logits.size() - i), offset, scale);
    if (max_logit(logits.subspan(i, std::min(kSumBlock, logits.size() - i))) > kNever) last_block = i;
    if (left < sum && last_block == i) break;
    left -= sum;
  }
  alignas(16) float values[kSumBlock];
  const size_t n = std::min(kSumBlock, logits.size() - last_block);
  exp_block(logits.data() + last_block, n, offset, scale, values);
  size_t chosen = 0;
  for (size_t i = 0; i < n; ++i) {
    if (!(logits[last_block + i] > kNever)) continue;
    chosen = i;
    left -= values[i];
    if (left < 0.0) break;
  }
  return static_cast<text::TokenId>(last_block + chosen);
}

void keep_allowed(std::span<const uint32_t> allowed, std::span<float> logits) {
  const size_t whole = logits.size() / 32;
  for (size_t word = 0; word < whole; ++word) {
    const uint32_t bits = word < allowed.size() ? allowed[word] : 0;
    float* part = logits.data() + word * 32;
    if (bits == 0) std::fill(part, part + 32, kNever);
    else if (bits != UINT32_MAX) keep_word(bits, part);
  }
  for (size_t id = whole * 32; id < logits.size(); ++id)
    if (whole >= allowed.size() || !(allowed[whole] >> (id % 32) & 1)) logits[id] = kNever;
}

void select_from(std::span<const float> logits, float least, std::vector<Candidate>& chosen) {
  chosen.clear();
  gather(logits, 0, logits.size(), least, chosen);
}

// The count-th largest of the maxima of blocks is a lower bound of the count-th largest logit: only blocks that
// reach it are looked into.
void select_top(std::span<const float> logits, uint32_t count, std::vector<Candidate>& top) {
  top.clear();
  if (count == 0) return;
  const size_t blocks = (logits.size() + kBlock - 1) / kBlock;
  std::vector<float> maxima(blocks);
  for (size_t b = 0; b < blocks; ++b)
    maxima[b] = block_max(logits.data() + b * kBlock, std::min(kBlock, logits.size() - b * kBlock));
  float least = kNever;
  if (count < blocks) {
    std::vector<float> order = maxima;
    std::nth_element(order.begin(), order.begin() + (count - 1), order.end(), std::greater<>());
    least = order[count - 1];
  }
  for (size_t b = 0; b < blocks; ++b)
    if (maxima[b] >= least) gather(logits, b * kBlock, std::min(logits.size(), (b + 1) * kBlock), least, top);
  const size_t kept = std::min<size_t>(count, top.size());
  std::partial_sort(top.begin(), top.begin() + kept, top.end(), better);
  top.resize(kept);
}

}  // namespace rival::engine
