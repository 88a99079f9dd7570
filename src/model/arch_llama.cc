// Llama 1 to 3, and what has its shape: Mistral (with its window), Mixtral (experts), SmolLM2, and with small
// differences SmolLM3 and Granite.
#include <algorithm>
#include <cmath>

#include "model/architectures.h"
#include "model/hf_config_writer.h"

namespace rival::model {
namespace {

Status configure_llama(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(use_norm(p, NormKind::kRms, config));
  RIVAL_RETURN_IF_ERROR(use_activation(p, Activation::kSilu, config));
  RIVAL_RETURN_IF_ERROR(use_windows(p, 0, 0, config));
  RIVAL_ASSIGN_OR_RETURN(config.attention_scale, p.f32_or("attention.scale", 0.0f));
  RIVAL_ASSIGN_OR_RETURN(const uint32_t experts, p.u32_or("expert_count", 0, {}));
  if (experts == 0) return {};
  config.experts.normalize_weights = true;
  return use_experts(p, config);
}

// Every fourth layer goes without RoPE, unless the file says which.
Status configure_smollm3(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(configure_llama(p, config));
  const size_t count = config.layers.size();
  for (size_t layer = 0; layer < count; ++layer) config.layers[layer].rope = (layer + 1) % 4 != 0;
  if (!p.contains("attention.rope_pattern")) return {};
  RIVAL_ASSIGN_OR_RETURN(const auto rope, p.per_layer("attention.rope_pattern", count, {0, 1}));
  for (size_t layer = 0; layer < count; ++layer) config.layers[layer].rope = rope[layer] != 0;
  return {};
}

// Multipliers on embeddings, residuals and logits; the stored logit_scale divides.
Status configure_granite(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(configure_llama(p, config));
  RIVAL_ASSIGN_OR_RETURN(config.embedding_scale, p.f32_or("embedding_scale", 1.0f));
  RIVAL_ASSIGN_OR_RETURN(config.residual_scale, p.f32_or("residual_scale", 1.0f));
  RIVAL_ASSIGN_OR_RETURN(const float divisor, p.f32("logit_scale"));
  if (divisor == 0.0f)
    return make_error(ErrorCode::kCorrupt, "{} is 0, expected a divisor of the logits",
                      p.spelled("logit_scale"));
  config.logit_scale = 1.0f / divisor;
  return {};
}

void write_llama(const ModelSource& model, json::object& out) {
  const ModelConfig& c = model.config;
  const bool window = std::ranges::any_of(c.layers, [](const LayerConfig& layer) { return layer.window > 0; });
  const bool experts = c.experts.n_expert > 0;
  if (experts) write_experts(c, out);
  if (window) out["sliding_window"] = c.layers[0].window;
  if (!window && !experts) return;
  out["architectures"] = json::array{experts ? "MixtralForCausalLM" : "MistralForCausalLM"};
  out["model_type"] = experts ? "mixtral" : "mistral";
  if (!window) out["sliding_window"] = nullptr;
}

void write_smollm3(const ModelSource& model, json::object& out) {
  json::array rope;
  for (const LayerConfig& layer : model.config.layers) rope.emplace_back(layer.rope ? 1 : 0);
  out["no_rope_layers"] = std::move(rope);
  out["use_sliding_window"] = false;
}

void write_granite(const ModelSource& model, json::object& out) {
  const ModelConfig& c = model.config;
  out["embedding_multiplier"] = shortest(c.embedding_scale);
  out["residual_multiplier"] = shortest(c.residual_scale);
  out["logits_scaling"] = shortest(1.0f / c.logit_scale);
  out["attention_multiplier"] =
      c.attention_scale > 0.0f ? shortest(c.attention_scale) : 1.0 / std::sqrt(static_cast<double>(c.head_dim_k));
  if (c.experts.n_expert == 0) return;
  write_experts(c, out);
  out["architectures"] = json::array{"GraniteMoeForCausalLM"};
  out["model_type"] = "granitemoe";
}

constexpr HfName kMixtralNames[] = {
    {"ffn_gate_inp.weight", "layers.{n}.block_sparse_moe.gate.weight"},
    {"ffn_gate_exps.weight", "layers.{n}.block_sparse_moe.experts.{e}.w1.weight", HfLayout::kEachExpert},
    {"ffn_down_exps.weight", "layers.{n}.block_sparse_moe.experts.{e}.w2.weight", HfLayout::kEachExpert},
    {"ffn_up_exps.weight", "layers.{n}.block_sparse_moe.experts.{e}.w3.weight", HfLayout::kEachExpert},
    {"ffn_gate_inp.weight", "layers.{n}.mlp.gate.weight"},
    {"ffn_gate_exps.weight", "layers.{n}.mlp.experts.gate_up_proj", HfLayout::kStackedFirst},
    {"ffn_up_exps.weight", "layers.{n}.mlp.experts.gate_up_proj", HfLayout::kStackedSecond},
    {"ffn_down_exps.weight", "layers.{n}.mlp.experts.down_proj", HfLayout::kStackedPlain},
};

constexpr HfName kGraniteNames[] = {
    {"ffn_gate_inp.weight", "layers.{n}.block_sparse_moe.router.layer.weight"},
    {"ffn_gate_exps.weight", "layers.{n}.block_sparse_moe.input_linear.weight", HfLayout::kStackedFirst},
    {"ffn_up_exps.weight", "layers.{n}.block_sparse_moe.input_linear.weight", HfLayout::kStackedSecond},
    {"ffn_down_exps.weight", "layers.{n}.block_sparse_moe.output_linear.weight", HfLayout::kStackedPlain},
};

constexpr std::string_view kLlamaClasses[] = {"LlamaForCausalLM", "MistralForCausalLM", "MixtralForCausalLM",
                                              "LlamaModel", "MistralModel"};
constexpr std::string_view kSmolLm3Classes[] = {"SmolLM3ForCausalLM"};
constexpr std::string_view kGraniteClasses[] = {"GraniteForCausalLM", "GraniteMoeForCausalLM"};

}  // namespace

constexpr Architecture kLlama = {.name = "llama",
                                 .hf_classes = kLlamaClasses,
                                 .gguf_rope = RopeStyle::kAdjacent,
                                 .required = kGatedRoles,
                                 .configure = configure_llama,
                                 .hf_names = kMixtralNames,
                                 .hf_type = "llama",
                                 .hf_write = write_llama};

constexpr Architecture kSmolLm3 = {.name = "smollm3",
                                   .hf_classes = kSmolLm3Classes,
                                   .gguf_rope = RopeStyle::kAdjacent,
                                   .required = kGatedRoles,
                                   .configure = configure_smollm3,
                                   .hf_type = "smollm3",
                                   .hf_write = write_smollm3};

constexpr Architecture kGranite = {.name = "granite",
                                   .hf_classes = kGraniteClasses,
                                   .gguf_rope = RopeStyle::kAdjacent,
                                   .required = kGatedRoles,
                                   .configure = configure_granite,
                                   .hf_names = kGraniteNames,
                                   .hf_type = "granite",
                                   .hf_write = write_granite};

}  // namespace rival::model
