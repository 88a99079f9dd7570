// Qwen 2 and 2.5 (biases on q, k, v), Qwen 3 (norms on q and k) and its mixture of experts.
#include <algorithm>

#include "model/architectures.h"
#include "model/hf_config_writer.h"

namespace rival::model {
namespace {

Status configure_qwen(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(use_norm(p, NormKind::kRms, config));
  RIVAL_RETURN_IF_ERROR(use_activation(p, Activation::kSilu, config));
  return use_windows(p, 0, 0, config);
}

Status configure_qwen3moe(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(configure_qwen(p, config));
  RIVAL_ASSIGN_OR_RETURN(config.experts.normalize_weights, p.flag_or("expert_weights_norm", true));
  return use_experts(p, config);
}

void write_qwen(const ModelSource& model, json::object& out) {
  const auto& layers = model.config.layers;
  const auto first = std::ranges::find_if(layers, [](const LayerConfig& layer) { return layer.window > 0; });
  out["use_sliding_window"] = first != layers.end();
  out["max_window_layers"] = first - layers.begin();
  out["sliding_window"] = nullptr;
  if (first != layers.end()) write_windows(model.config, out);
}

void write_qwen_experts(const ModelSource& model, json::object& out) {
  const ModelConfig& c = model.config;
  write_qwen(model, out);
  out["num_experts"] = c.experts.n_expert;
  out["num_experts_per_tok"] = c.experts.n_used;
  out["moe_intermediate_size"] = c.experts.feed_forward;
  out["norm_topk_prob"] = c.experts.normalize_weights;
  out["decoder_sparse_step"] = 1;
  json::array dense;
  for (size_t layer = 0; layer < c.layers.size(); ++layer)
    if (!c.layers[layer].experts) dense.emplace_back(layer);
  out["mlp_only_layers"] = std::move(dense);
}

constexpr std::string_view kQwen2Classes[] = {"Qwen2ForCausalLM", "Qwen2Model"};
constexpr std::string_view kQwen3Classes[] = {"Qwen3ForCausalLM", "Qwen3Model"};
constexpr std::string_view kQwen3MoeClasses[] = {"Qwen3MoeForCausalLM"};
constexpr std::string_view kQwen3Roles[] = {"attn_norm.weight", "ffn_norm.weight", "ffn_gate.weight",
                                            "attn_q_norm.weight", "attn_k_norm.weight"};

}  // namespace

constexpr Architecture kQwen2 = {
    .name = "qwen2", .hf_classes = kQwen2Classes, .required = kGatedRoles, .configure = configure_qwen,
    .hf_type = "qwen2", .hf_write = write_qwen};

constexpr Architecture kQwen3 = {
    .name = "qwen3", .hf_classes = kQwen3Classes, .required = kQwen3Roles, .configure = configure_qwen,
    .hf_type = "qwen3", .hf_write = write_qwen};

constexpr Architecture kQwen3Moe = {.name = "qwen3moe",
                                    .hf_classes = kQwen3MoeClasses,
                                    .required = kQwen3Roles,
                                    .configure = configure_qwen3moe,
                                    .hf_type = "qwen3_moe",
                                    .hf_write = write_qwen_experts};

}  // namespace rival::model
