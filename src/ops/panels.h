// Activations of the tokens of a step, arranged for the GEMM: groups of up to kPanelColumns tokens ("panels"), as
// signed bytes for quantised weights, as floats for plain ones, or both.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/table.h"

namespace rival::ops {

class Panels {
 public:
  // Room for `tokens` tokens of `cols` values. Panels are of nearly equal width: no narrow remainder is left over.
  void resize(uint32_t tokens, uint32_t cols, bool quantized, bool plain);

  uint32_t tokens() const { return tokens_; }
  uint32_t cols() const { return cols_; }
  uint32_t count() const { return count_; }
  uint32_t width(uint32_t panel) const { return tokens_ / count_ + (panel < tokens_ % count_ ? 1 : 0); }
  uint32_t first_token(uint32_t panel) const {
    const uint32_t extra = tokens_ % count_;
    return panel * (tokens_ / count_) + (panel < extra ? panel : extra);
  }

  const kernels::ActivationBlock* quantized(uint32_t panel) const { return &blocks_[size_t{panel} * blocks_per_panel_]; }
  const float* plain(uint32_t panel) const { return &floats_[size_t{panel} * cols_ * kernels::kPanelColumns]; }

  // Writes a whole token. Different tokens may be set from different threads.
  void set(const kernels::KernelTable& k, uint32_t token, const float* x);
  // Writes `count` values of column `column` of a panel, from value `first` on (a multiple of 32).
  void set_part(const kernels::KernelTable& k, uint32_t panel, uint32_t column, uint32_t first, uint32_t count,
                const float* x);

  // sums[i] += the square of value i of every token, for i in [first, last). Needs the plain form.
  void add_squares(uint32_t first, uint32_t last, double* sums) const;

 private:
  uint32_t tokens_ = 0, cols_ = 0, count_ = 0;
  size_t blocks_per_panel_ = 0;
  std::vector<kernels::ActivationBlock> blocks_;  // empty unless quantised
  std::vector<float> floats_;                     // empty unless plain
  bool has_blocks_ = false, has_floats_ = false;
};

}  // namespace rival::ops
