#include "model/activation_sums.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace rival::model {
namespace {

struct Row {
  std::string_view role;
  InputSums LayerInputSums::*sums;
};

constexpr Row kRows[] = {
    {"attn_q.weight", &LayerInputSums::heads},
    {"attn_k.weight", &LayerInputSums::heads},
    {"attn_v.weight", &LayerInputSums::heads},
    {"attn_qkv.weight", &LayerInputSums::heads},
    {"attn_output.weight", &LayerInputSums::attended},
    {"ffn_gate.weight", &LayerInputSums::feed_forward},
    {"ffn_up.weight", &LayerInputSums::feed_forward},
    {"ffn_down.weight", &LayerInputSums::hidden},
    {"ffn_gate_shexp.weight", &LayerInputSums::feed_forward},
    {"ffn_up_shexp.weight", &LayerInputSums::feed_forward},
    {"ffn_down_shexp.weight", &LayerInputSums::hidden},
    {"ffn_gate_exps.weight", &LayerInputSums::expert},
    {"ffn_up_exps.weight", &LayerInputSums::expert},
    {"ffn_down_exps.weight", &LayerInputSums::expert_hidden},
};

// The sums of the tensor "blk.N.ROLE"; nullptr if none are kept.
const InputSums* find_sums(const ActivationSums& sums, std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return nullptr;
  name.remove_prefix(kPrefix.size());
  size_t layer = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
  if (error != std::errc() || layer >= sums.layers.size()) return nullptr;
  name.remove_prefix(static_cast<size_t>(end - name.data()));
  for (const Row& row : kRows)
    if (name.starts_with('.') && name.substr(1) == row.role) return &(sums.layers[layer].*row.sums);
  return nullptr;
}

}  // namespace

void InputSums::resize(uint64_t matrices, uint64_t columns) {
  squares.assign(matrices * columns, 0.0);
  counts.assign(matrices, 0);
}

ActivationSums::ActivationSums(const ModelConfig& config) : layers(config.layers.size()) {
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerConfig& layer = config.layers[i];
    layers[i].heads.resize(1, config.d_model);
    layers[i].attended.resize(1, uint64_t{layer.n_head} * config.head_dim_v);
    layers[i].feed_forward.resize(1, config.d_model);
    layers[i].hidden.resize(1, layer.feed_forward);
    if (!layer.experts) continue;
    layers[i].expert.resize(config.experts.n_expert, config.d_model);
    layers[i].expert_hidden.resize(config.experts.n_expert, config.experts.feed_forward);
  }
}

format::ImportanceMatrix importance_of(const ActivationSums& sums, std::span<const format::TensorSource> tensors) {
  format::ImportanceMatrix matrix;
  for (const format::TensorSource& tensor : tensors) {
    const InputSums* inputs = find_sums(sums, tensor.name);
    if (inputs == nullptr || inputs->squares.size() != inputs->counts.size() * tensor.shape.row()) continue;
    format::Importance importance{.columns = tensor.shape.row(), .sums = {}, .counts = {}};
    importance.sums.assign(inputs->squares.begin(), inputs->squares.end());
    importance.counts.assign(inputs->counts.begin(), inputs->counts.end());
    matrix.tensors.emplace(tensor.name, std::move(importance));
  }
  return matrix;
}

}  // namespace rival::model
