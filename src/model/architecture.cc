#include "model/architecture.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/limits.h"
#include "model/architectures.h"

namespace rival::model {
namespace {

using Range = HyperParameters::Range;

Status check_divides(const HyperParameters& p, std::string_view key, uint32_t value, std::string_view of_key,
                     uint32_t of) {
  if (value != 0 && of % value == 0) return {};
  return make_error(ErrorCode::kCorrupt, "{} is {}, which does not divide {} = {}", p.spelled(key), value,
                    p.spelled(of_key), of);
}

Status read_layers(const HyperParameters& p, ModelConfig& config) {
  RIVAL_ASSIGN_OR_RETURN(const uint32_t count, p.u32("block_count", {1, limits::kLayersMax}));
  RIVAL_ASSIGN_OR_RETURN(const auto heads,
                         p.per_layer("attention.head_count", count, {1, limits::kHeadsMax}));
  auto heads_kv = heads;
  if (p.contains("attention.head_count_kv")) {
    RIVAL_ASSIGN_OR_RETURN(heads_kv, p.per_layer("attention.head_count_kv", count, {1, limits::kHeadsMax}));
  }
  std::vector<uint32_t> widths(count, 0);
  if (p.contains("feed_forward_length")) {
    RIVAL_ASSIGN_OR_RETURN(widths, p.per_layer("feed_forward_length", count, {0, limits::kFeedForwardMax}));
  }
  config.layers.resize(count);
  for (uint32_t layer = 0; layer < count; ++layer) {
    RIVAL_RETURN_IF_ERROR(
        check_divides(p, "attention.head_count_kv", heads_kv[layer], "attention.head_count", heads[layer]));
    config.layers[layer].n_head = heads[layer];
    config.layers[layer].n_head_kv = heads_kv[layer];
    config.layers[layer].feed_forward = widths[layer];
  }
  return {};
}

Status read_dimensions(const HyperParameters& p, ModelConfig& config) {
  RIVAL_ASSIGN_OR_RETURN(config.d_model, p.u32("embedding_length", {1, limits::kModelDimMax}));
  RIVAL_ASSIGN_OR_RETURN(config.context_length, p.u32("context_length", {1, limits::kContextMax}));
  if (!p.contains("attention.key_length") || !p.contains("attention.value_length")) {
    RIVAL_RETURN_IF_ERROR(check_divides(p, "attention.head_count", config.layers[0].n_head,
                                        "embedding_length", config.d_model));
  }
  const uint32_t even_share = config.d_model / config.layers[0].n_head;
  constexpr Range kHeadDim = {1, limits::kHeadDimMax};
  RIVAL_ASSIGN_OR_RETURN(config.head_dim_k, p.u32_or("attention.key_length", even_share, kHeadDim));
  RIVAL_ASSIGN_OR_RETURN(config.head_dim_v, p.u32_or("attention.value_length", even_share, kHeadDim));
  if (config.head_dim_k > limits::kHeadDimMax || config.head_dim_v > limits::kHeadDimMax)
    return make_error(ErrorCode::kCorrupt, "heads of {} dimensions ({} over {}); at most {} are supported",
                      even_share, p.spelled("embedding_length"), p.spelled("attention.head_count"),
                      limits::kHeadDimMax);
  return {};
}

Result<RopeScaling> read_rope_scaling(const HyperParameters& p, uint32_t context_length) {
  RopeScaling scaling;
  RIVAL_ASSIGN_OR_RETURN(const std::string kind, p.text_or("rope.scaling.type", "linear"));
  const auto* factor_key = p.contains("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";
  RIVAL_ASSIGN_OR_RETURN(const float factor, p.f32_or(factor_key, 1.0f));
  if (factor < 0.0f)
    return make_error(ErrorCode::kCorrupt, "{} is {}, expected a positive number", p.spelled(factor_key),
                      factor);
  scaling.factor = factor == 0.0f ? 1.0f : factor;                 // llama.cpp writes 0 for "none"
  if (kind == "none" || kind == "longrope") return RopeScaling{};  // longrope: its factors come as a tensor
  if (kind == "linear") {
    scaling.kind = scaling.factor == 1.0f ? RopeScalingKind::kNone : RopeScalingKind::kLinear;
    return scaling;
  }
  if (kind != "llama3" && kind != "yarn")
    return make_error(ErrorCode::kUnsupported,
                      "{} is '{}'; known are none, linear, llama3, yarn and longrope",
                      p.spelled("rope.scaling.type"), kind);
  scaling.kind = kind == "llama3" ? RopeScalingKind::kLlama3 : RopeScalingKind::kYarn;
  RIVAL_ASSIGN_OR_RETURN(scaling.original_context, p.u32_or("rope.scaling.original_context_length",
                                                            context_length, {1, limits::kContextMax}));
  RIVAL_ASSIGN_OR_RETURN(scaling.low_freq_factor, p.f32_or("rope.scaling.low_freq_factor", 1.0f));
  RIVAL_ASSIGN_OR_RETURN(scaling.high_freq_factor, p.f32_or("rope.scaling.high_freq_factor", 4.0f));
  RIVAL_ASSIGN_OR_RETURN(scaling.beta_fast, p.f32_or("rope.scaling.yarn_beta_fast", 32.0f));
  RIVAL_ASSIGN_OR_RETURN(scaling.beta_slow, p.f32_or("rope.scaling.yarn_beta_slow", 1.0f));
  RIVAL_ASSIGN_OR_RETURN(scaling.truncate, p.flag_or("rope.scaling.truncate", true));
  // GGUF stores a factor on top of YaRN's own; config.json the whole of it.
  RIVAL_ASSIGN_OR_RETURN(scaling.attention_factor, p.f32_or("rope.scaling.attention_factor", 0.0f));
  RIVAL_ASSIGN_OR_RETURN(const float on_top, p.f32_or("rope.scaling.attn_factor", 1.0f));
  if (scaling.kind == RopeScalingKind::kYarn && on_top != 1.0f)
    scaling.attention_factor = on_top * (0.1f * std::log(std::max(scaling.factor, 1.0f)) + 1.0f);
  return scaling;
}

Status read_rope(const HyperParameters& p, ModelConfig& config) {
  RIVAL_ASSIGN_OR_RETURN(config.rope_dim,
                         p.u32_or("rope.dimension_count", config.head_dim_k, {0, config.head_dim_k}));
  if (config.rope_dim % 2 != 0)
    return make_error(ErrorCode::kCorrupt, "{} is {}, expected an even number",
                      p.spelled("rope.dimension_count"), config.rope_dim);
  RIVAL_ASSIGN_OR_RETURN(const float base, p.f32_or("rope.freq_base", 10000.0f));
  if (base <= 0.0f)
    return make_error(ErrorCode::kCorrupt, "{} is {}, expected a positive number",
                      p.spelled("rope.freq_base"), base);
  RIVAL_ASSIGN_OR_RETURN(const RopeScaling scaling, read_rope_scaling(p, config.context_length));
  for (LayerConfig& layer : config.layers) {
    layer.rope_base = base;
    layer.rope_scaling = scaling;
  }
  return {};
}

}  // namespace

std::span<const Architecture* const> architectures() {
  static constexpr std::array kTable = {
      &kLlama, &kSmolLm3, &kQwen2, &kQwen3, &kQwen3Moe, &kGemma,   &kGemma2,     &kGemma3,
      &kGpt2,  &kGptOss,  &kGrok,  &kBert,  &kPhi3,     &kGranite, &kStarCoder2, &kOlmo2, &kQwen2Moe,
  };
  return kTable;
}

Result<const Architecture*> find_architecture(std::string_view name) {
  std::string known;
  for (const Architecture* row : architectures()) {
    if (row->name == name) return row;
    known += known.empty() ? "" : ", ";
    known += row->name;
  }
  return make_error(ErrorCode::kUnsupported, "general.architecture is {}; known are {}",
                    format::quote_name(name), known);
}

const Architecture* find_hf_architecture(std::string_view hf_class) {
  for (const Architecture* row : architectures()) {
    for (const std::string_view name : row->hf_classes)
      if (name == hf_class) return row;
  }
  return nullptr;
}

Result<ModelConfig> make_config(const Architecture& architecture, const HyperParameters& p) {
  ModelConfig config;
  config.architecture = architecture.name;
  RIVAL_RETURN_IF_ERROR(read_layers(p, config));
  RIVAL_RETURN_IF_ERROR(read_dimensions(p, config));
  RIVAL_RETURN_IF_ERROR(read_rope(p, config));
  RIVAL_RETURN_IF_ERROR(architecture.configure(p, config));
  return config;
}

// ---- parts for the rows
// --------------------------------------------------------------------------------------

Status use_norm(const HyperParameters& p, NormKind kind, ModelConfig& config) {
  const auto* key =
      kind == NormKind::kRms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
  config.norm = kind;
  RIVAL_ASSIGN_OR_RETURN(config.norm_eps, p.f32(key));
  if (config.norm_eps < 0.0f || config.norm_eps > 1.0f)
    return make_error(ErrorCode::kCorrupt, "{} is {}, expected a number from 0 to 1", p.spelled(key),
                      config.norm_eps);
  return {};
}

Status use_windows(const HyperParameters& p, uint32_t window_default, uint32_t pattern_default,
                   ModelConfig& config) {
  constexpr auto kPattern = "attention.sliding_window_pattern";
  RIVAL_ASSIGN_OR_RETURN(const uint32_t window,
                         p.u32_or("attention.sliding_window", window_default, {0, limits::kContextMax}));
  if (p.is_array(kPattern)) {
    RIVAL_ASSIGN_OR_RETURN(const auto marked, p.per_layer(kPattern, config.layers.size(), {0, 1}));
    for (size_t layer = 0; layer < marked.size(); ++layer)
      config.layers[layer].window = marked[layer] ? window : 0;
    return {};
  }
  RIVAL_ASSIGN_OR_RETURN(const uint32_t pattern,
                         p.u32_or(kPattern, pattern_default, {0, limits::kLayersMax}));
  for (size_t layer = 0; layer < config.layers.size(); ++layer)
    config.layers[layer].window = pattern == 0 || layer % pattern < pattern - 1 ? window : 0;
  return {};
}

Status use_activation(const HyperParameters& p, Activation usual, ModelConfig& config) {
  struct Name {
    std::string_view name;
    Activation activation;
  };
  constexpr Name kNames[] = {
      {"silu", Activation::kSilu},          {"swish", Activation::kSilu},
      {"gelu", Activation::kGeluErf},       {"gelu_new", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh}, {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"relu", Activation::kRelu},          {"relu2", Activation::kReluSquared},
  };
  config.activation = usual;
  RIVAL_ASSIGN_OR_RETURN(const std::string name, p.text_or("hidden_activation", ""));
  if (name.empty()) return {};
  for (const Name& row : kNames) {
    if (row.name != name) continue;
    config.activation = row.activation;
    return {};
  }
  return make_error(ErrorCode::kUnsupported, "{} is {}, which Rival does not have",
                    p.spelled("hidden_activation"), format::quote_name(name));
}

Status use_experts(const HyperParameters& p, ModelConfig& config) {
  ExpertsConfig& experts = config.experts;
  RIVAL_ASSIGN_OR_RETURN(experts.n_expert, p.u32("expert_count", {1, limits::kExpertsMax}));
  RIVAL_ASSIGN_OR_RETURN(experts.n_used, p.u32("expert_used_count", {1, experts.n_expert}));
  RIVAL_ASSIGN_OR_RETURN(
      experts.feed_forward,
      p.u32_or("expert_feed_forward_length", config.layers[0].feed_forward, {1, limits::kFeedForwardMax}));
  if (experts.feed_forward == 0)
    return make_error(ErrorCode::kCorrupt, "{} is 0, expected the width of an expert",
                      p.spelled("feed_forward_length"));
  RIVAL_ASSIGN_OR_RETURN(const float scale, p.f32_or("expert_weights_scale", 1.0f));
  experts.weights_scale = scale == 0.0f ? 1.0f : scale;
  std::vector<uint32_t> marked(config.layers.size(), 1);
  if (p.contains("expert_layers")) {  // of a config.json; GGUF files have experts in every layer
    RIVAL_ASSIGN_OR_RETURN(marked, p.per_layer("expert_layers", marked.size(), {0, 1}));
  }
  for (size_t layer = 0; layer < marked.size(); ++layer) {
    if (marked[layer] == 0) continue;
    config.layers[layer].experts = true;
    config.layers[layer].feed_forward = 0;
  }
  return {};
}

}  // namespace rival::model
