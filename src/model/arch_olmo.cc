// OLMo 2 and 3 (one name in GGUF): norms after the blocks only, queries and keys normed over all heads together; OLMo 3
// with windows, whose layers are never stretched.
#include <algorithm>

#include "model/architectures.h"
#include "model/hf_config_writer.h"

namespace rival::model {
namespace {

Status configure_olmo2(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(use_norm(p, NormKind::kRms, config));
  RIVAL_RETURN_IF_ERROR(use_activation(p, Activation::kSilu, config));
  RIVAL_RETURN_IF_ERROR(use_windows(p, 0, 4, config));
  for (LayerConfig& layer : config.layers)
    if (layer.window > 0) layer.rope_scaling = {};
  return {};
}

void write_olmo2(const ModelSource& model, json::object& out) {
  if (std::ranges::none_of(model.config.layers, [](const LayerConfig& layer) { return layer.window > 0; })) return;
  out["architectures"] = json::array{"Olmo3ForCausalLM"};
  out["model_type"] = "olmo3";
  write_windows(model.config, out);
}

constexpr std::string_view kClasses[] = {"Olmo2ForCausalLM", "Olmo3ForCausalLM"};
constexpr std::string_view kRoles[] = {"ffn_gate.weight", "attn_q_norm.weight", "attn_k_norm.weight",
                                       "post_attention_norm.weight", "post_ffw_norm.weight"};
constexpr HfName kNames[] = {
    {"ffn_norm.weight", ""},  // not what most models call so
    {"post_attention_norm.weight", "layers.{n}.post_attention_layernorm.weight"},
    {"post_ffw_norm.weight", "layers.{n}.post_feedforward_layernorm.weight"},
};

}  // namespace

constexpr Architecture kOlmo2 = {.name = "olmo2",
                                 .hf_classes = kClasses,
                                 .required = kRoles,
                                 .norms_all_heads = true,
                                 .configure = configure_olmo2,
                                 .hf_names = kNames,
                                 .hf_type = "olmo2",
                                 .hf_write = write_olmo2};

}  // namespace rival::model
