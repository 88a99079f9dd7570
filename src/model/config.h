// What a model is, as plain numbers: every architecture that Rival runs is a setting of this struct. It is filled
// from GGUF metadata or from a Hugging Face config.json (source.h), and read by the decoder (decoder.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ops/rope.h"

namespace rival::model {

using ops::RopeScaling;
using ops::RopeScalingKind;
using ops::RopeStyle;

enum class NormKind : uint8_t { kRms, kLayer };
enum class Activation : uint8_t {
  kSilu,        // gated when the layer has a gate: act(gate) * up, else act(up)
  kGeluTanh,
  kGeluErf,
  kRelu,
  kReluSquared,
  kSwigluOai,   // gpt-oss: g = min(gate, 7), u = clamp(up, -7, 7); g * sigmoid(1.702 g) * (u + 1)
};
enum class Pooling : uint8_t { kNone, kMean, kCls, kLast };

struct LayerConfig {
  uint32_t n_head = 0;
  uint32_t n_head_kv = 0;
  uint32_t feed_forward = 0;  // width of the dense feed-forward block; 0 if the layer has experts only
  uint32_t window = 0;        // attend to the last `window` positions, the token itself included; 0 = all
  bool rope = true;
  float rope_base = 10000.0f;
  RopeScaling rope_scaling;
  bool experts = false;

  bool operator==(const LayerConfig&) const = default;
};

struct ExpertsConfig {
  uint32_t n_expert = 0;
  uint32_t n_used = 0;
  uint32_t feed_forward = 0;           // width of one expert
  bool softmax_before_topk = true;     // else softmax over the chosen ones (gpt-oss)
  bool normalize_weights = false;      // chosen weights are divided by their sum
  float weights_scale = 1.0f;
  float router_softcap = 0.0f;         // 0 = none; s * tanh(x / s)

  bool operator==(const ExpertsConfig&) const = default;
};

struct ModelConfig {
  std::string architecture;  // GGUF's name: "llama", "qwen3moe", ...
  std::string name;          // for people; may be empty
  uint32_t vocabulary_size = 0;
  uint32_t d_model = 0;
  uint32_t context_length = 0;  // as trained (after scaling)
  uint32_t context_length_long = 0;  // with Phi-3's second list of RoPE divisors (choose_context); 0 = there is none
  uint32_t head_dim_k = 0;      // of queries and keys
  uint32_t head_dim_v = 0;
  uint32_t rope_dim = 0;        // the first rope_dim dimensions of a head turn
  std::vector<LayerConfig> layers;
  ExpertsConfig experts;

  NormKind norm = NormKind::kRms;
  float norm_eps = 1e-5f;
  RopeStyle rope_style = RopeStyle::kHalves;
  Activation activation = Activation::kSilu;
  bool causal = true;
  bool post_norm_only = false;    // BERT: x = norm(x + f(x)) in place of x + f(norm(x))
  float embedding_scale = 1.0f;   // token rows are multiplied by it
  float attention_scale = 0.0f;   // of q.k; 0 = 1 / sqrt(head_dim_k)
  float attention_softcap = 0.0f; // 0 = none; s * tanh(x / s)
  float residual_scale = 1.0f;    // of each block's output before it is added
  float ffn_residual_scale = 1.0f;// Grok-2: the sum of dense block and experts is multiplied by it
  float logit_scale = 1.0f;       // logits are multiplied by it, before the cap
  float final_softcap = 0.0f;
  // Grok-2: capped scores of queries at positions beyond this length grow with the logarithm of the position; 0 = never.
  uint32_t attention_temperature_length = 0;
  Pooling pooling = Pooling::kNone;  // embedding models only
  bool normalize_embedding = false;

  bool operator==(const ModelConfig&) const = default;
};

}  // namespace rival::model
