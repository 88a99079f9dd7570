#include "model/hf_names.h"

namespace rival::model {
namespace {

constexpr HfName kNames[] = {
    {"token_embd.weight", "embed_tokens.weight"},
    {"output_norm.weight", "norm.weight"},
    {"output_norm.bias", "norm.bias"},
    {"output.weight", "lm_head.weight"},
    {"attn_norm.weight", "layers.{n}.input_layernorm.weight"},
    {"attn_norm.bias", "layers.{n}.input_layernorm.bias"},
    {"attn_q.weight", "layers.{n}.self_attn.q_proj.weight"},
    {"attn_q.bias", "layers.{n}.self_attn.q_proj.bias"},
    {"attn_k.weight", "layers.{n}.self_attn.k_proj.weight"},
    {"attn_k.bias", "layers.{n}.self_attn.k_proj.bias"},
    {"attn_v.weight", "layers.{n}.self_attn.v_proj.weight"},
    {"attn_v.bias", "layers.{n}.self_attn.v_proj.bias"},
    {"attn_output.weight", "layers.{n}.self_attn.o_proj.weight"},
    {"attn_output.bias", "layers.{n}.self_attn.o_proj.bias"},
    {"attn_q_norm.weight", "layers.{n}.self_attn.q_norm.weight"},
    {"attn_k_norm.weight", "layers.{n}.self_attn.k_norm.weight"},
    {"ffn_norm.weight", "layers.{n}.post_attention_layernorm.weight"},
    {"ffn_norm.bias", "layers.{n}.post_attention_layernorm.bias"},
    {"ffn_gate.weight", "layers.{n}.mlp.gate_proj.weight"},
    {"ffn_gate.bias", "layers.{n}.mlp.gate_proj.bias"},
    {"ffn_up.weight", "layers.{n}.mlp.up_proj.weight"},
    {"ffn_up.bias", "layers.{n}.mlp.up_proj.bias"},
    {"ffn_down.weight", "layers.{n}.mlp.down_proj.weight"},
    {"ffn_down.bias", "layers.{n}.mlp.down_proj.bias"},
    // experts, one tensor each, or (newer transformers) all in one
    {"ffn_gate_inp.weight", "layers.{n}.mlp.gate.weight"},
    {"ffn_gate_exps.weight", "layers.{n}.mlp.experts.{e}.gate_proj.weight", HfLayout::kEachExpert},
    {"ffn_up_exps.weight", "layers.{n}.mlp.experts.{e}.up_proj.weight", HfLayout::kEachExpert},
    {"ffn_down_exps.weight", "layers.{n}.mlp.experts.{e}.down_proj.weight", HfLayout::kEachExpert},
    {"ffn_gate_exps.weight", "layers.{n}.mlp.experts.gate_up_proj", HfLayout::kStackedFirst},
    {"ffn_up_exps.weight", "layers.{n}.mlp.experts.gate_up_proj", HfLayout::kStackedSecond},
    {"ffn_down_exps.weight", "layers.{n}.mlp.experts.down_proj", HfLayout::kStackedPlain},
};

}  // namespace

std::span<const HfName> common_hf_names() { return kNames; }

}  // namespace rival::model
