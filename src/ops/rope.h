// Rotary position embedding (Su et al. 2021, arXiv 2104.09864) and its ways beyond the trained context.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rival::ops {

enum class RopeStyle : uint8_t { kAdjacent, kHalves };  // which two dimensions turn together: (2i,2i+1), (i,i+d/2)
enum class RopeScalingKind : uint8_t { kNone, kLinear, kLlama3, kYarn };

// How rotary frequencies are stretched. linear: all are divided by factor (Chen et al. 2023, arXiv 2306.15595).
// llama3: wavelengths beyond original_context / low_freq_factor are, those below original_context /
// high_freq_factor are not, with a ramp between (Llama 3.1). yarn: the same idea with the ramp over dimensions, from
// beta_fast to beta_slow turns in the original context (Peng et al. 2023, arXiv 2309.00071).
struct RopeScaling {
  RopeScalingKind kind = RopeScalingKind::kNone;
  float factor = 1.0f;
  uint32_t original_context = 0;   // llama3, yarn
  float low_freq_factor = 1.0f;    // llama3
  float high_freq_factor = 4.0f;   // llama3
  float beta_fast = 32.0f;         // yarn
  float beta_slow = 1.0f;          // yarn
  bool truncate = true;            // yarn: round the ramp's ends to whole dimensions (gpt-oss does not)
  float attention_factor = 0.0f;   // yarn: scales cos and sin; 0 = 0.1 ln(factor) + 1

  bool operator==(const RopeScaling&) const = default;
};

// What llama3 scaling divides each frequency by, [dim / 2]: GGUF files hold it as rope_freqs.weight.
std::vector<float> llama3_divisors(uint32_t dim, float base, const RopeScaling& scaling);

// Cosines and sines of all angles up to some position, grown on demand.
class RopeTable {
 public:
  // divisors: [dim / 2] further divisors of the frequencies (Llama 3 in GGUF), or empty.
  RopeTable(uint32_t dim, float base, const RopeScaling& scaling, std::span<const float> divisors);

  // Makes at() valid for positions below `positions`. Not while at() is in use elsewhere.
  void grow(uint32_t positions);
  const float* cos(uint32_t position) const { return &cos_[size_t{position} * half_]; }
  const float* sin(uint32_t position) const { return &sin_[size_t{position} * half_]; }
  uint32_t half() const { return half_; }

 private:
  uint32_t half_;
  float magnitude_ = 1.0f;
  std::vector<double> frequencies_;  // [half], radians a position
  std::vector<float> cos_, sin_;     // [positions][half]
};

}  // namespace rival::ops
