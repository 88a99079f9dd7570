// Phi-3 and Phi-4: Llama's shape with q, k, v in one tensor and gate and up in another.
//
// Their long-context files hold two lists of RoPE divisors, for texts up to the original context and for
// longer ones. A text cannot change from one to the other on the way: the first is used and the context ends
// where it does, unless a longer one is asked for (choose_context).
#include <algorithm>

#include "base/limits.h"
#include "model/architectures.h"
#include "model/hf_config_writer.h"

namespace rival::model {
namespace {

Status configure_phi3(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(use_norm(p, NormKind::kRms, config));
  RIVAL_RETURN_IF_ERROR(use_activation(p, Activation::kSilu, config));
  RIVAL_RETURN_IF_ERROR(use_windows(p, 0, 0, config));
  RIVAL_ASSIGN_OR_RETURN(const uint32_t original, p.u32_or("rope.scaling.original_context_length",
                                                           config.context_length, {1, limits::kContextMax}));
  if (config.context_length > original) config.context_length_long = config.context_length;
  config.context_length = std::min(config.context_length, original);
  RIVAL_ASSIGN_OR_RETURN(const float factor, p.f32_or("rope.scaling.attn_factor", 1.0f));
  if (factor == 1.0f) return {};
  for (LayerConfig& layer : config.layers)  // YaRN with factor 1 leaves the frequencies alone
    layer.rope_scaling = {.kind = RopeScalingKind::kYarn,
                          .factor = 1.0f,
                          .original_context = original,
                          .attention_factor = factor};
  return {};
}

void write_phi3(const ModelSource& model, json::object& out) {
  const uint32_t window = model.config.layers[0].window;
  out["sliding_window"] = window > 0 ? json::value(window) : json::value();
  out["original_max_position_embeddings"] = model.config.context_length;
}

constexpr std::string_view kClasses[] = {"Phi3ForCausalLM"};

constexpr HfName kNames[] = {
    {"attn_qkv.weight", "layers.{n}.self_attn.qkv_proj.weight"},
    {"ffn_up.weight", "layers.{n}.mlp.gate_up_proj.weight"},
};

}  // namespace

constexpr Architecture kPhi3 = {.name = "phi3",
                                .hf_classes = kClasses,
                                .required = kUngatedRoles,
                                .fused_gate = true,
                                .configure = configure_phi3,
                                .hf_names = kNames,
                                .hf_type = "phi3",
                                .hf_write = write_phi3};

}  // namespace rival::model
