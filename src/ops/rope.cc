#include "ops/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rival::ops {
namespace {

double llama3_frequency(double frequency, const RopeScaling& s) {
  const double wavelength = 2 * std::numbers::pi / frequency;
  const double longest = s.original_context / double{s.low_freq_factor};
  const double shortest = s.original_context / double{s.high_freq_factor};
  if (wavelength < shortest) return frequency;
  if (wavelength > longest) return frequency / s.factor;
  const double smooth = (s.original_context / wavelength - s.low_freq_factor) / (double{s.high_freq_factor} - s.low_freq_factor);
  return (1 - smooth) * frequency / s.factor + smooth * frequency;
}

// The dimension whose frequency makes `turns` full turns within the original context.
double yarn_dimension(double turns, uint32_t dim, float base, const RopeScaling& s) {
  return dim * std::log(s.original_context / (turns * 2 * std::numbers::pi)) / (2 * std::log(double{base}));
}

struct Ramp {
  double low, high;
  // 0 at and below low, 1 at and above high.
  double at(double i) const { return std::clamp((i - low) / (high == low ? 0.001 : high - low), 0.0, 1.0); }
};

Ramp yarn_ramp(uint32_t dim, float base, const RopeScaling& s) {
  Ramp ramp{yarn_dimension(s.beta_fast, dim, base, s), yarn_dimension(s.beta_slow, dim, base, s)};
  if (s.truncate) ramp.low = std::floor(ramp.low), ramp.high = std::ceil(ramp.high);
  ramp.low = std::max(ramp.low, 0.0);
  ramp.high = std::min(ramp.high, dim - 1.0);
  return ramp;
}

}  // namespace

std::vector<float> llama3_divisors(uint32_t dim, float base, const RopeScaling& scaling) {
  std::vector<float> divisors;
  for (uint32_t i = 0; i < dim / 2; ++i) {
    const double frequency = std::pow(double{base}, -2.0 * i / dim);
    divisors.push_back(static_cast<float>(frequency / llama3_frequency(frequency, scaling)));
  }
  return divisors;
}

RopeTable::RopeTable(uint32_t dim, float base, const RopeScaling& s, std::span<const float> divisors) : half_(dim / 2) {
  const Ramp ramp = s.kind == RopeScalingKind::kYarn ? yarn_ramp(dim, base, s) : Ramp{0, 1};
  for (uint32_t i = 0; i < half_; ++i) {
    double frequency = std::pow(double{base}, -2.0 * i / dim);
    if (!divisors.empty()) frequency /= divisors[i];
    switch (s.kind) {
      case RopeScalingKind::kNone: break;
      case RopeScalingKind::kLinear: frequency /= s.factor; break;
      case RopeScalingKind::kLlama3: frequency = llama3_frequency(frequency, s); break;
      case RopeScalingKind::kYarn: {
        const double stretched = ramp.at(i);
        frequency = frequency / s.factor * stretched + frequency * (1 - stretched);
      }
    }
    frequencies_.push_back(frequency);
  }
  if (s.kind == RopeScalingKind::kYarn)
    magnitude_ = s.attention_factor > 0 ? s.attention_factor
                                        : (s.factor > 1 ? 0.1f * std::log(s.factor) + 1.0f : 1.0f);
}

void RopeTable::grow(uint32_t positions) {
  const size_t have = half_ > 0 ? cos_.size() / half_ : positions;
  if (positions <= have) return;
  cos_.resize(size_t{positions} * half_);
  sin_.resize(size_t{positions} * half_);
  for (size_t p = have; p < positions; ++p)
    for (uint32_t i = 0; i < half_; ++i) {
      const double angle = static_cast<double>(p) * frequencies_[i];
      cos_[p * half_ + i] = magnitude_ * static_cast<float>(std::cos(angle));
      sin_[p * half_ + i] = magnitude_ * static_cast<float>(std::sin(angle));
    }
}

}  // namespace rival::ops
