// GPT-2 (learned positions) and StarCoder 2 (its blocks with RoPE and grouped heads): LayerNorm, biases, no
// gates.
#include "model/architectures.h"
#include "model/hf_config_writer.h"

namespace rival::model {
namespace {

Status configure_gpt2(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(use_norm(p, NormKind::kLayer, config));
  RIVAL_RETURN_IF_ERROR(use_activation(p, Activation::kGeluTanh, config));
  for (LayerConfig& layer : config.layers) layer.rope = false;
  return {};
}

Status configure_starcoder2(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(use_norm(p, NormKind::kLayer, config));
  RIVAL_RETURN_IF_ERROR(use_activation(p, Activation::kGeluTanh, config));
  return use_windows(p, 0, 0, config);
}

void write_gpt2(const ModelSource& model, json::object& out) {
  const ModelConfig& c = model.config;
  out = {{"architectures", out["architectures"]},
         {"model_type", "gpt2"},
         {"vocab_size", c.vocabulary_size},
         {"n_embd", c.d_model},
         {"n_inner", c.layers[0].feed_forward},
         {"n_layer", c.layers.size()},
         {"n_head", c.layers[0].n_head},
         {"n_positions", c.context_length},
         {"activation_function", out["hidden_act"] == "gelu_pytorch_tanh" ? json::value("gelu_new") : out["hidden_act"]},
         {"layer_norm_epsilon", shortest(c.norm_eps)},
         {"tie_word_embeddings", out["tie_word_embeddings"]}};
  if (!model.tokenizer) return;
  const text::Vocabulary& v = model.tokenizer->vocabulary();
  if (v.bos) out["bos_token_id"] = *v.bos;
  if (v.eos) out["eos_token_id"] = *v.eos;
}

void write_starcoder2(const ModelSource& model, json::object& out) {
  out["norm_epsilon"] = shortest(model.config.norm_eps);
  out.erase("rms_norm_eps");
  out["use_bias"] = !model.layers[0].q_bias.empty();
  out["sliding_window"] = model.config.layers[0].window > 0 ? json::value(model.config.layers[0].window) : json::value();
}

constexpr std::string_view kGpt2Classes[] = {"GPT2LMHeadModel"};
constexpr std::string_view kStarCoder2Classes[] = {"Starcoder2ForCausalLM"};
constexpr std::string_view kRoles[] = {"attn_norm.weight", "attn_norm.bias", "ffn_norm.weight",
                                       "ffn_norm.bias"};

constexpr HfName kGpt2Names[] = {
    {"token_embd.weight", "wte.weight"},
    {"position_embd.weight", "wpe.weight"},
    {"output_norm.weight", "ln_f.weight"},
    {"output_norm.bias", "ln_f.bias"},
    {"output.weight", "lm_head.weight"},
    {"attn_norm.weight", "h.{n}.ln_1.weight"},
    {"attn_norm.bias", "h.{n}.ln_1.bias"},
    {"attn_qkv.weight", "h.{n}.attn.c_attn.weight", HfLayout::kTransposed},
    {"attn_qkv.bias", "h.{n}.attn.c_attn.bias"},
    {"attn_output.weight", "h.{n}.attn.c_proj.weight", HfLayout::kTransposed},
    {"attn_output.bias", "h.{n}.attn.c_proj.bias"},
    {"ffn_norm.weight", "h.{n}.ln_2.weight"},
    {"ffn_norm.bias", "h.{n}.ln_2.bias"},
    {"ffn_up.weight", "h.{n}.mlp.c_fc.weight", HfLayout::kTransposed},
    {"ffn_up.bias", "h.{n}.mlp.c_fc.bias"},
    {"ffn_down.weight", "h.{n}.mlp.c_proj.weight", HfLayout::kTransposed},
    {"ffn_down.bias", "h.{n}.mlp.c_proj.bias"},
};

constexpr HfName kStarCoder2Names[] = {
    {"ffn_up.weight", "layers.{n}.mlp.c_fc.weight"},
    {"ffn_up.bias", "layers.{n}.mlp.c_fc.bias"},
    {"ffn_down.weight", "layers.{n}.mlp.c_proj.weight"},
    {"ffn_down.bias", "layers.{n}.mlp.c_proj.bias"},
};

}  // namespace

constexpr Architecture kGpt2 = {.name = "gpt2",
                                .hf_classes = kGpt2Classes,
                                .required = kRoles,
                                .learned_positions = true,
                                .configure = configure_gpt2,
                                .hf_names = kGpt2Names,
                                .hf_type = "gpt2",
                                .hf_prefix = "transformer.",
                                .hf_write = write_gpt2};

constexpr Architecture kStarCoder2 = {.name = "starcoder2",
                                      .hf_classes = kStarCoder2Classes,
                                      .required = kRoles,
                                      .configure = configure_starcoder2,
                                      .hf_names = kStarCoder2Names,
                                      .hf_type = "starcoder2",
                                      .hf_write = write_starcoder2};

}  // namespace rival::model
