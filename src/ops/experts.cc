#include "ops/experts.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace rival::ops {

using kernels::kTileRows;

void route(const kernels::KernelTable& k, const RouterShape& shape, float* logits, Choice* choices) {
  if (shape.softcap > 0) k.softcap(logits, shape.softcap, shape.n_expert);
  if (shape.softmax_before_topk) k.softmax(logits, shape.n_expert);
  std::vector<uint32_t> order(shape.n_expert);
  std::iota(order.begin(), order.end(), 0u);
  std::partial_sort(order.begin(), order.begin() + shape.n_used, order.end(), [&](uint32_t a, uint32_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  std::vector<float> weights(shape.n_used);
  for (uint32_t i = 0; i < shape.n_used; ++i) weights[i] = logits[order[i]];
  if (!shape.softmax_before_topk) k.softmax(weights.data(), shape.n_used);
  const float sum = shape.normalize_weights ? std::accumulate(weights.begin(), weights.end(), 0.0f) : 1.0f;
  for (uint32_t i = 0; i < shape.n_used; ++i) choices[i] = {order[i], weights[i] / sum * shape.weights_scale};
}

void ExpertStep::plan(uint32_t tokens, uint32_t n_used, const Choice* choices, const std::vector<Expert>& experts,
                      bool plain_too) {
  n_used_ = n_used;
  d_model_ = experts[0].down.rows;
  choices_.assign(choices, choices + size_t{tokens} * n_used);
  order_.resize(choices_.size());
  std::iota(order_.begin(), order_.end(), 0u);
  std::stable_sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) { return choices_[a].expert < choices_[b].expert; });
  place_.resize(order_.size());
  for (uint32_t i = 0; i < order_.size(); ++i) place_[order_[i]] = i;
  size_t count = 0;
  for (uint32_t i = 0; i < order_.size(); ++count) {
    const uint32_t expert = choices_[order_[i]].expert;
    uint32_t end = i;
    while (end < order_.size() && choices_[order_[end]].expert == expert) ++end;
    if (count == groups_.size()) groups_.emplace_back();
    Group& group = groups_[count];
    group.expert = expert;
    group.first = i;
    const Expert& e = experts[expert];
    const bool gate_quantized = e.hidden.gate && e.hidden.gate.quantized();
    const bool gate_plain = e.hidden.gate && !e.hidden.gate.quantized();
    group.in.resize(end - i, e.hidden.up.cols, e.hidden.up.quantized() || gate_quantized, !e.hidden.up.quantized() || gate_plain || plain_too);
    group.hidden.resize(end - i, e.down.cols, e.down.quantized(), !e.down.quantized() || plain_too);
    i = end;
  }
  groups_.resize(count);
  outputs_.resize(order_.size() * size_t{d_model_});
}

void ExpertStep::gather(const Context& context, const float* in) {
  const auto [first, last] = context.share(static_cast<uint32_t>(order_.size()));
  for (Group& group : groups_) {
    const uint32_t from = std::max(first, group.first), to = std::min(last, group.first + group.in.tokens());
    for (uint32_t i = from; i < to; ++i)
      group.in.set(context.kernels, i - group.first, in + size_t{order_[i] / n_used_} * group.in.cols());
  }
}

void ExpertStep::hidden(const Context& context, const std::vector<Expert>& experts) {
  const uint32_t tiles = experts[0].hidden.up.tiles();
  const uint32_t count = tiles * static_cast<uint32_t>(groups_.size());
  for (uint32_t i = context.team.next(count); i < count; i = context.team.next(count)) {
    Group& group = groups_[i / tiles];
    gated_tile(context, experts[group.expert].hidden, group.in, i % tiles, 0, group.in.count(), group.hidden);
  }
}

void ExpertStep::down(const Context& context, const std::vector<Expert>& experts) {
  const uint32_t tiles = experts[0].down.tiles();
  const uint32_t count = tiles * static_cast<uint32_t>(groups_.size());
  for (uint32_t i = context.team.next(count); i < count; i = context.team.next(count)) {
    Group& group = groups_[i / tiles];
    const Expert& expert = experts[group.expert];
    const LinearOutput to{&expert.down, expert.down_bias, &outputs_[size_t{group.first} * d_model_], d_model_};
    linear_tile(context, to, i % tiles, group.hidden, 0, group.hidden.count());
  }
}

void ExpertStep::combine(const Context& context, uint32_t token, const float* dense, float dense_scale,
                         float* out) const {
  if (dense && dense_scale != 1.0f) {
    context.kernels.scale(dense, dense_scale, d_model_, out);
  } else if (dense) {
    std::copy_n(dense, d_model_, out);
  } else {
    std::fill_n(out, d_model_, 0.0f);
  }
  for (uint32_t rank = 0; rank < n_used_; ++rank) {
    const uint32_t assignment = token * n_used_ + rank;
    context.kernels.multiply_add(out, &outputs_[size_t{place_[assignment]} * d_model_], choices_[assignment].weight, d_model_);
  }
}

}  // namespace rival::ops
