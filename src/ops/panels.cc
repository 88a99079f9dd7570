#include "ops/panels.h"

#include "base/check.h"

namespace rival::ops {

using kernels::kPanelColumns;

void Panels::resize(uint32_t tokens, uint32_t cols, bool quantized, bool plain) {
  tokens_ = tokens;
  cols_ = cols;
  count_ = (tokens + kPanelColumns - 1) / kPanelColumns;
  has_blocks_ = quantized;
  has_floats_ = plain;
  blocks_per_panel_ = (cols + kernels::kBlock - 1) / kernels::kBlock;
  // Grown only: a step of one token after a long prompt must not shrink and grow again.
  if (quantized && blocks_.size() < count_ * blocks_per_panel_) blocks_.resize(count_ * blocks_per_panel_);
  const size_t floats = size_t{count_} * cols * kPanelColumns;
  if (plain && floats_.size() < floats) floats_.resize(floats);
}

void Panels::set(const kernels::KernelTable& k, uint32_t token, const float* x) {
  const uint32_t base = tokens_ / count_, extra = tokens_ % count_;
  const uint32_t wide = extra * (base + 1);  // tokens in the panels that have one more
  const uint32_t panel = token < wide ? token / (base + 1) : extra + (token - wide) / base;
  set_part(k, panel, token - first_token(panel), 0, cols_, x);
}

void Panels::set_part(const kernels::KernelTable& k, uint32_t panel, uint32_t column, uint32_t first, uint32_t count,
                      const float* x) {
  if (has_blocks_) {
    RIVAL_CHECK(first % kernels::kBlock == 0 && count % kernels::kBlock == 0, "{} + {}", first, count);
    k.quantize_activation(x, count, &blocks_[panel * blocks_per_panel_ + first / kernels::kBlock], static_cast<int>(column));
  }
  if (has_floats_) {
    float* out = &floats_[(size_t{panel} * cols_ + first) * kPanelColumns + column];
    for (uint32_t i = 0; i < count; ++i) out[size_t{i} * kPanelColumns] = x[i];
  }
}

void Panels::add_squares(uint32_t first, uint32_t last, double* sums) const {
  RIVAL_CHECK(has_floats_, "no plain form of {} values", cols_);
  for (uint32_t panel = 0; panel < count_; ++panel)
    for (uint32_t i = first; i < last; ++i) {
      const float* values = plain(panel) + size_t{i} * kPanelColumns;
      for (uint32_t column = 0; column < width(panel); ++column) sums[i] += double{values[column]} * values[column];
    }
}

}  // namespace rival::ops
