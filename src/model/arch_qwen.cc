// Qwen 2 and 2.5 (biases on q, k, v), Qwen 3 (norms on q and k) and their mixtures of experts; that of Qwen 2 has a
// block beside the experts (a "shared expert") that is let through by a gate of its own.
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

Status configure_qwen2moe(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(configure_qwen(p, config));
  RIVAL_ASSIGN_OR_RETURN(config.experts.normalize_weights, p.flag_or("expert_weights_norm", false));
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

void write_qwen2moe(const ModelSource& model, json::object& out) {
  write_qwen_experts(model, out);
  out["shared_expert_intermediate_size"] = model.config.layers[0].feed_forward;
}

constexpr std::string_view kQwen2MoeClasses[] = {"Qwen2MoeForCausalLM"};
constexpr std::string_view kQwen2MoeRoles[] = {"attn_norm.weight", "ffn_norm.weight"};
constexpr TensorAlias kQwen2MoeAliases[] = {{"ffn_gate.weight", "ffn_gate_shexp.weight"},
                                            {"ffn_up.weight", "ffn_up_shexp.weight"},
                                            {"ffn_down.weight", "ffn_down_shexp.weight"}};
constexpr HfName kQwen2MoeNames[] = {
    {"ffn_gate.weight", "layers.{n}.mlp.shared_expert.gate_proj.weight"},
    {"ffn_up.weight", "layers.{n}.mlp.shared_expert.up_proj.weight"},
    {"ffn_down.weight", "layers.{n}.mlp.shared_expert.down_proj.weight"},
    {"ffn_gate_inp_shexp.weight", "layers.{n}.mlp.shared_expert_gate.weight"},
};
constexpr std::string_view kQwen2Classes[] = {"Qwen2ForCausalLM", "Qwen2Model"};
constexpr std::string_view kQwen3Classes[] = {"Qwen3ForCausalLM", "Qwen3Model"};
constexpr std::string_view kQwen3MoeClasses[] = {"Qwen3MoeForCausalLM"};
constexpr std::string_view kQwen3Roles[] = {"attn_norm.weight", "ffn_norm.weight", "ffn_gate.weight",
                                            "attn_q_norm.weight", "attn_k_norm.weight"};

}  // namespace

constexpr Architecture kQwen2 = {
    .name = "qwen2", .hf_classes = kQwen2Classes, .required = kGatedRoles, .configure = configure_qwen,
    .hf_type = "qwen2", .hf_write = write_qwen};

constexpr Architecture kQwen2Moe = {.name = "qwen2moe",
                                    .hf_classes = kQwen2MoeClasses,
                                    .required = kQwen2MoeRoles,
                                    .aliases = kQwen2MoeAliases,
                                    .dense_beside_experts = true,
                                    .configure = configure_qwen2moe,
                                    .hf_names = kQwen2MoeNames,
                                    .hf_type = "qwen2_moe",
                                    .hf_write = write_qwen2moe};

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
