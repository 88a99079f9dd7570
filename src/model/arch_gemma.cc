// Gemma 1 to 3: scaled embeddings, GELU gates; from 2 on norms after the blocks, windows and caps.
#include <cmath>

#include "model/architectures.h"
#include "model/hf_config_writer.h"

namespace rival::model {
namespace {

Status configure_gemma(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(use_norm(p, NormKind::kRms, config));
  RIVAL_RETURN_IF_ERROR(use_activation(p, Activation::kGeluTanh, config));
  config.embedding_scale = std::sqrt(static_cast<float>(config.d_model));
  return {};
}

// The scale of the 27B models differs, and GGUF files do not say it: they are known by their layers.
Status use_attention_scale(const HyperParameters& p, size_t layers_of_27b, ModelConfig& config) {
  const float fallback = config.layers.size() == layers_of_27b
                             ? 1.0f / std::sqrt(static_cast<float>(config.d_model / config.layers[0].n_head))
                             : 0.0f;
  RIVAL_ASSIGN_OR_RETURN(config.attention_scale, p.f32_or("attention.scale", fallback));
  return {};
}

Status configure_gemma2(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(configure_gemma(p, config));
  RIVAL_RETURN_IF_ERROR(use_attention_scale(p, 46, config));
  RIVAL_ASSIGN_OR_RETURN(config.attention_softcap, p.f32_or("attn_logit_softcapping", 50.0f));
  RIVAL_ASSIGN_OR_RETURN(config.final_softcap, p.f32_or("final_logit_softcapping", 30.0f));
  return use_windows(p, 4096, 2, config);
}

// Layers with a window turn at their own base and are never stretched.
Status configure_gemma3(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(configure_gemma(p, config));
  RIVAL_RETURN_IF_ERROR(use_attention_scale(p, 62, config));
  RIVAL_ASSIGN_OR_RETURN(config.attention_softcap, p.f32_or("attn_logit_softcapping", 0.0f));
  RIVAL_ASSIGN_OR_RETURN(config.final_softcap, p.f32_or("final_logit_softcapping", 0.0f));
  RIVAL_RETURN_IF_ERROR(use_windows(p, 0, 6, config));
  RIVAL_ASSIGN_OR_RETURN(const float local_base, p.f32_or("rope.freq_base_swa", 10000.0f));
  if (local_base <= 0.0f)
    return make_error(ErrorCode::kCorrupt, "{} is {}, expected a positive number",
                      p.spelled("rope.freq_base_swa"), local_base);
  for (LayerConfig& layer : config.layers) {
    if (layer.window == 0) continue;
    layer.rope_base = local_base;
    layer.rope_scaling = {};
  }
  return {};
}

void write_gemma(const ModelSource&, json::object& out) { out["hidden_activation"] = out["hidden_act"]; }

void write_gemma2(const ModelSource& model, json::object& out) {
  const ModelConfig& c = model.config;
  const auto cap = [](float value) { return value > 0.0f ? json::value(shortest(value)) : json::value(); };
  write_gemma(model, out);
  write_windows(c, out);
  out["query_pre_attn_scalar"] = query_pre_attn_scalar(c);
  out["attn_logit_softcapping"] = cap(c.attention_softcap);
  out["final_logit_softcapping"] = cap(c.final_softcap);
}

void write_gemma3(const ModelSource& model, json::object& out) {
  write_gemma2(model, out);
  for (const LayerConfig& layer : model.config.layers)
    if (layer.window > 0) out["rope_local_base_freq"] = shortest(layer.rope_base);
}

constexpr std::string_view kGemmaClasses[] = {"GemmaForCausalLM"};
constexpr std::string_view kGemma2Classes[] = {"Gemma2ForCausalLM"};
constexpr std::string_view kGemma3Classes[] = {"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"};
constexpr std::string_view kGemma2Roles[] = {"attn_norm.weight", "ffn_norm.weight", "ffn_gate.weight",
                                             "post_attention_norm.weight", "post_ffw_norm.weight"};
constexpr std::string_view kGemma3Roles[] = {
    "attn_norm.weight",     "ffn_norm.weight",    "ffn_gate.weight",   "post_attention_norm.weight",
    "post_ffw_norm.weight", "attn_q_norm.weight", "attn_k_norm.weight"};

constexpr HfName kNormNames[] = {
    {"post_attention_norm.weight", "layers.{n}.post_attention_layernorm.weight"},
    {"ffn_norm.weight", "layers.{n}.pre_feedforward_layernorm.weight"},
    {"post_ffw_norm.weight", "layers.{n}.post_feedforward_layernorm.weight"},
};

constexpr HfDefault kGemma3Defaults[] = {
    {"num_attention_heads", 8},     {"num_key_value_heads", 4},          {"head_dim", 256},
    {"rms_norm_eps", 1e-6},         {"max_position_embeddings", 131072}, {"rope_theta", 1e6},
    {"query_pre_attn_scalar", 256},
};

}  // namespace

constexpr Architecture kGemma = {.name = "gemma",
                                 .hf_classes = kGemmaClasses,
                                 .required = kGatedRoles,
                                 .configure = configure_gemma,
                                 .hf_norm_offset = 1.0f,
                                 .hf_type = "gemma",
                                 .hf_write = write_gemma};

constexpr Architecture kGemma2 = {.name = "gemma2",
                                  .hf_classes = kGemma2Classes,
                                  .required = kGemma2Roles,
                                  .configure = configure_gemma2,
                                  .hf_names = kNormNames,
                                  .hf_norm_offset = 1.0f,
                                  .hf_type = "gemma2",
                                  .hf_write = write_gemma2};

constexpr Architecture kGemma3 = {.name = "gemma3",
                                  .hf_classes = kGemma3Classes,
                                  .required = kGemma3Roles,
                                  .configure = configure_gemma3,
                                  .hf_names = kNormNames,
                                  .hf_norm_offset = 1.0f,
                                  .hf_defaults = kGemma3Defaults,
                                  .hf_type = "gemma3_text",
                                  .hf_write = write_gemma3};

}  // namespace rival::model
