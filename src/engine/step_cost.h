// What a step costs on this machine with this model, learnt from the steps themselves: a fixed part (reading the
// weights), a part for each row that answers, and a part for each prompt token. Decides how many prompt tokens
// running answers can bear, and whether drafts pay.
#pragma once

#include <cstdint>

namespace rival::engine {

class StepCost {
 public:
  // `rows` that answer (drafts included) and `prompt_tokens` together took `seconds`.
  void observe(uint32_t rows, uint32_t prompt_tokens, double seconds);

  bool known() const { return weight_ > 0.0; }
  double seconds(uint32_t rows) const;              // of a step without prompt tokens; 0 while nothing is known
  double row_seconds() const;                       // of one more row
  double prompt_token_seconds() const { return prompt_token_s_; }  // 0 while nothing is known

  // Prompt tokens that fit into a step of `rows` within target_s; at least `least`, at most `most`.
  uint32_t prompt_budget(uint32_t rows, double target_s, uint32_t least, uint32_t most) const;

 private:
  // Sums of a straight line through (rows, seconds), older steps fading.
  double weight_ = 0, x_ = 0, y_ = 0, xx_ = 0, xy_ = 0;
  double prompt_token_s_ = 0;
};

}  // namespace rival::engine
