#include "engine/step_cost.h"

#include <algorithm>

namespace rival::engine {
namespace {

constexpr double kFade = 0.98;             // a step counts half after 34 more
constexpr double kPromptFade = 0.8;        // there are fewer steps with prompts
constexpr double kRowShareAtFirst = 0.15;  // of a one-row step, while all steps had about the same rows

}  // namespace

void StepCost::observe(uint32_t rows, uint32_t prompt_tokens, double seconds) {
  if (prompt_tokens > 0) {
    // A prompt alone pays the fixed part too: that is what one more chunk would cost.
    const double rest = rows > 0 ? std::max(seconds - this->seconds(rows), 0.1 * seconds) : seconds;
    const double each = rest / prompt_tokens;
    // Chunks of a few tokens are all fixed part and say little about larger ones.
    const double share = (1.0 - kPromptFade) * std::min(1.0, prompt_tokens / 64.0);
    prompt_token_s_ = prompt_token_s_ == 0.0 ? each : prompt_token_s_ + share * (each - prompt_token_s_);
    return;
  }
  if (rows == 0) return;
  weight_ = weight_ * kFade + 1.0;
  x_ = x_ * kFade + rows;
  y_ = y_ * kFade + seconds;
  xx_ = xx_ * kFade + double{1} * rows * rows;
  xy_ = xy_ * kFade + rows * seconds;
}

double StepCost::row_seconds() const {
  if (weight_ == 0.0) return 0.0;
  const double mean_x = x_ / weight_, mean_y = y_ / weight_;
  const double variance = xx_ / weight_ - mean_x * mean_x;
  const double guess = mean_y * kRowShareAtFirst / (1.0 + kRowShareAtFirst * (mean_x - 1.0));
  if (variance < 0.05 * mean_x * mean_x) return guess;
  const double slope = (xy_ / weight_ - mean_x * mean_y) / variance;
  return std::clamp(slope, 0.01 * mean_y / mean_x, mean_y / mean_x);
}

double StepCost::seconds(uint32_t rows) const {
  if (weight_ == 0.0) return 0.0;
  return std::max(0.0, y_ / weight_ + row_seconds() * (rows - x_ / weight_));
}

uint32_t StepCost::prompt_budget(uint32_t rows, double target_s, uint32_t least, uint32_t most) const {
  least = std::min(least, most);
  if (prompt_token_s_ == 0.0) return std::clamp(64u, least, most);
  // A step that is long by itself may become twice as long, or prompts would never get through.
  const double own = rows > 0 ? seconds(rows) : 0.0;
  const double left = std::max(target_s - own, std::min(own, target_s));
  return static_cast<uint32_t>(std::clamp(left / prompt_token_s_, double{1} * least, double{1} * most));
}

}  // namespace rival::engine
