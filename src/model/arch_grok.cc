// Grok-1 and Grok-2: experts with GELU gates (in Grok-2 beside a dense block), norms after the blocks, caps
// and multipliers. The numbers that old files of Grok-1 leave out are its own.
//
// The router follows the GGUF community's convention: the chosen experts' weights are divided by their sum
// and the router's logits are not capped (router_logit_softcapping is stored in files, but no program that
// reads GGUF uses it).
#include "base/limits.h"
#include "model/architectures.h"
#include "model/hf_config_writer.h"

namespace rival::model {
namespace {

Status configure_grok(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(use_norm(p, NormKind::kRms, config));
  config.activation = Activation::kGeluTanh;
  RIVAL_ASSIGN_OR_RETURN(config.embedding_scale, p.f32_or("embedding_scale", 78.38367176906169f));
  RIVAL_ASSIGN_OR_RETURN(config.logit_scale, p.f32_or("logit_scale", 0.5773502691896257f));
  RIVAL_ASSIGN_OR_RETURN(config.attention_scale, p.f32_or("attention.output_scale", 0.08838834764831845f));
  RIVAL_ASSIGN_OR_RETURN(config.attention_softcap, p.f32_or("attn_logit_softcapping", 30.0f));
  RIVAL_ASSIGN_OR_RETURN(config.final_softcap, p.f32_or("final_logit_softcapping", 0.0f));
  RIVAL_ASSIGN_OR_RETURN(config.attention_temperature_length,
                         p.u32_or("attention.temperature_length", 0, {0, limits::kContextMax}));
  if (config.attention_temperature_length == 1)
    return make_error(ErrorCode::kCorrupt, "{} is 1, whose logarithm is 0",
                      p.spelled("attention.temperature_length"));
  if (!p.contains("rope.scaling.yarn_beta_fast"))
    for (LayerConfig& layer : config.layers) layer.rope_scaling.beta_fast = 8.0f;
  config.experts.normalize_weights = true;
  config.ffn_residual_scale = 0.70710678f;  // 1 / sqrt(2), over dense block and experts
  return use_experts(p, config);
}

// Grok's RoPE keys stand at the top; Grok-2's dense block stands beside its experts.
void write_grok(const ModelSource& model, json::object& out) {
  const ModelConfig& c = model.config;
  write_experts(c, out);
  out["hidden_act"] = "gelu";
  out["embedding_multiplier_scale"] = shortest(c.embedding_scale);
  out["output_multiplier_scale"] = shortest(c.logit_scale);
  out["attn_output_multiplier"] = shortest(c.attention_scale);
  out["attn_logit_softcapping"] = shortest(c.attention_softcap);
  if (c.final_softcap > 0.0f) out["final_logit_softcapping"] = shortest(c.final_softcap);
  if (c.attention_temperature_length > 0) out["attn_temperature_len"] = c.attention_temperature_length;
  out["moe_intermediate_size"] = c.experts.feed_forward;
  out["residual_moe"] = c.layers[0].feed_forward > 0;
  const RopeScaling& rope = c.layers[0].rope_scaling;
  if (rope.kind != RopeScalingKind::kYarn) return;
  out.erase("rope_scaling");
  out["rope_type"] = "original";
  out["scaling_factor"] = shortest(rope.factor);
  out["original_max_position_embeddings"] = rope.original_context;
  out["beta_fast"] = shortest(rope.beta_fast);
  out["beta_slow"] = shortest(rope.beta_slow);
}

constexpr std::string_view kClasses[] = {"Grok1ForCausalLM", "Grok1ModelForCausalLM", "GrokForCausalLM"};
constexpr std::string_view kRoles[] = {"attn_norm.weight", "ffn_norm.weight", "post_attention_norm.weight",
                                       "post_ffw_norm.weight", "ffn_gate_exps.weight"};
constexpr TensorAlias kAliases[] = {{"post_attention_norm.weight", "attn_output_norm.weight"},
                                    {"post_ffw_norm.weight", "layer_output_norm.weight"}};

constexpr HfName kNames[] = {
    {"attn_norm.weight", "layers.{n}.pre_attn_norm.weight"},
    {"post_attention_norm.weight", "layers.{n}.post_attn_norm.weight"},
    {"ffn_norm.weight", "layers.{n}.pre_moe_norm.weight"},
    {"post_ffw_norm.weight", "layers.{n}.post_moe_norm.weight"},
    {"ffn_gate_inp.weight", "layers.{n}.block_sparse_moe.gate.weight"},
    {"ffn_gate_exps.weight", "layers.{n}.block_sparse_moe.experts.{e}.w1.weight", HfLayout::kEachExpert},
    {"ffn_down_exps.weight", "layers.{n}.block_sparse_moe.experts.{e}.w2.weight", HfLayout::kEachExpert},
    {"ffn_up_exps.weight", "layers.{n}.block_sparse_moe.experts.{e}.w3.weight", HfLayout::kEachExpert},
    {"attn_q.weight", "layers.{n}.self_attn.q_proj.weight"},
    {"attn_k.weight", "layers.{n}.self_attn.k_proj.weight"},
    {"attn_v.weight", "layers.{n}.self_attn.v_proj.weight"},
    {"attn_output.weight", "layers.{n}.self_attn.o_proj.weight"},
    // Grok-1 as converted for transformers
    {"attn_q.weight", "layers.{n}.attn.q_proj.weight"},
    {"attn_k.weight", "layers.{n}.attn.k_proj.weight"},
    {"attn_v.weight", "layers.{n}.attn.v_proj.weight"},
    {"attn_output.weight", "layers.{n}.attn.o_proj.weight"},
    {"ffn_gate_inp.weight", "layers.{n}.moe_block.gate.weight"},
    {"ffn_gate_exps.weight", "layers.{n}.moe_block.experts.{e}.linear.weight", HfLayout::kEachExpert},
    {"ffn_down_exps.weight", "layers.{n}.moe_block.experts.{e}.linear_1.weight", HfLayout::kEachExpert},
    {"ffn_up_exps.weight", "layers.{n}.moe_block.experts.{e}.linear_v.weight", HfLayout::kEachExpert},
};

}  // namespace

constexpr Architecture kGrok = {.name = "grok",
                                .hf_classes = kClasses,
                                .required = kRoles,
                                .aliases = kAliases,
                                .dense_beside_experts = true,
                                .configure = configure_grok,
                                .hf_names = kNames,
                                .hf_type = "grok",
                                .hf_write = write_grok};

}  // namespace rival::model
