// gpt-oss: experts with biases and a clamped gate, attention sinks, every other layer with a window, YaRN
// whose correction range is not rounded.
#include "model/architectures.h"
#include "model/hf_config_writer.h"

namespace rival::model {
namespace {

Status configure_gpt_oss(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(use_norm(p, NormKind::kRms, config));
  config.activation = Activation::kSwigluOai;
  config.experts.softmax_before_topk = false;
  RIVAL_RETURN_IF_ERROR(use_experts(p, config));
  if (!p.contains("rope.scaling.truncate"))
    for (LayerConfig& layer : config.layers) layer.rope_scaling.truncate = false;
  return use_windows(p, 0, 2, config);
}

void write_gpt_oss(const ModelSource& model, json::object& out) {
  write_windows(model.config, out);
  write_experts(model.config, out);
  out["swiglu_limit"] = 7.0;
}

constexpr std::string_view kClasses[] = {"GptOssForCausalLM"};
constexpr std::string_view kRoles[] = {"attn_norm.weight",   "ffn_norm.weight",   "attn_q.bias",
                                       "attn_k.bias",        "attn_v.bias",       "attn_output.bias",
                                       "attn_sinks.weight",  "ffn_gate_inp.bias", "ffn_gate_exps.weight",
                                       "ffn_gate_exps.bias", "ffn_up_exps.bias",  "ffn_down_exps.bias"};
constexpr TensorAlias kAliases[] = {{"ffn_norm.weight", "post_attention_norm.weight"}};

constexpr HfName kNames[] = {
    {"attn_sinks.weight", "layers.{n}.self_attn.sinks"},
    {"ffn_gate_inp.weight", "layers.{n}.mlp.router.weight"},
    {"ffn_gate_inp.bias", "layers.{n}.mlp.router.bias"},
    {"ffn_gate_exps.weight", "layers.{n}.mlp.experts.gate_up_proj", HfLayout::kStackedEven},
    {"ffn_gate_exps.bias", "layers.{n}.mlp.experts.gate_up_proj_bias", HfLayout::kStackedEven},
    {"ffn_up_exps.weight", "layers.{n}.mlp.experts.gate_up_proj", HfLayout::kStackedOdd},
    {"ffn_up_exps.bias", "layers.{n}.mlp.experts.gate_up_proj_bias", HfLayout::kStackedOdd},
    {"ffn_down_exps.weight", "layers.{n}.mlp.experts.down_proj", HfLayout::kStackedTransposed},
    {"ffn_down_exps.bias", "layers.{n}.mlp.experts.down_proj_bias"},
};

}  // namespace

constexpr Architecture kGptOss = {.name = "gpt-oss",
                                  .hf_classes = kClasses,
                                  .required = kRoles,
                                  .aliases = kAliases,
                                  .configure = configure_gpt_oss,
                                  .hf_names = kNames,
                                  .hf_type = "gpt_oss",
                                  .hf_write = write_gpt_oss};

}  // namespace rival::model
