// Qwen 2 and 2.5 (biases on q, k, v), Qwen 3 (norms on q and k) and its mixture of experts.
#include "model/architectures.h"

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

constexpr std::string_view kQwen2Classes[] = {"Qwen2ForCausalLM", "Qwen2Model"};
constexpr std::string_view kQwen3Classes[] = {"Qwen3ForCausalLM", "Qwen3Model"};
constexpr std::string_view kQwen3MoeClasses[] = {"Qwen3MoeForCausalLM"};
constexpr std::string_view kQwen3Roles[] = {"attn_norm.weight", "ffn_norm.weight", "ffn_gate.weight",
                                            "attn_q_norm.weight", "attn_k_norm.weight"};

}  // namespace

constexpr Architecture kQwen2 = {
    .name = "qwen2", .hf_classes = kQwen2Classes, .required = kGatedRoles, .configure = configure_qwen};

constexpr Architecture kQwen3 = {
    .name = "qwen3", .hf_classes = kQwen3Classes, .required = kQwen3Roles, .configure = configure_qwen};

constexpr Architecture kQwen3Moe = {.name = "qwen3moe",
                                    .hf_classes = kQwen3MoeClasses,
                                    .required = kQwen3Roles,
                                    .configure = configure_qwen3moe};

}  // namespace rival::model
