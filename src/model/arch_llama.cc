// Llama 1 to 3, and what has its shape: Mistral (with its window), Mixtral (experts), SmolLM2, and with small
// differences SmolLM3 and Granite.
#include "model/architectures.h"

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

constexpr std::string_view kLlamaClasses[] = {"LlamaForCausalLM", "MistralForCausalLM", "MixtralForCausalLM",
                                              "LlamaModel", "MistralModel"};
constexpr std::string_view kSmolLm3Classes[] = {"SmolLM3ForCausalLM"};
constexpr std::string_view kGraniteClasses[] = {"GraniteForCausalLM", "GraniteMoeForCausalLM"};

}  // namespace

constexpr Architecture kLlama = {.name = "llama",
                                 .hf_classes = kLlamaClasses,
                                 .gguf_rope = RopeStyle::kAdjacent,
                                 .required = kGatedRoles,
                                 .configure = configure_llama};

constexpr Architecture kSmolLm3 = {.name = "smollm3",
                                   .hf_classes = kSmolLm3Classes,
                                   .gguf_rope = RopeStyle::kAdjacent,
                                   .required = kGatedRoles,
                                   .configure = configure_smollm3};

constexpr Architecture kGranite = {.name = "granite",
                                   .hf_classes = kGraniteClasses,
                                   .gguf_rope = RopeStyle::kAdjacent,
                                   .required = kGatedRoles,
                                   .configure = configure_granite};

}  // namespace rival::model
