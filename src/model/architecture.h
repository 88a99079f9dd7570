// Architectures as rows. A row says how a family of models differs: how its hyper-parameters become a
// ModelConfig, which tensors it must have, and which of them its files name in their own way. Everything else
// (reading, bounds, shapes, the forward pass) is shared. A new architecture is one file arch_NAME.cc and one
// line in the table of architecture.cc.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/config.h"
#include "model/hf_names.h"
#include "model/hyper_parameters.h"

namespace rival::model {

// A layer's role that files of this architecture store under another name: role "ffn_norm" in
// "post_attention_norm". Names without "blk.N." and ".weight".
struct TensorAlias {
  std::string_view role;
  std::string_view name;
};

struct ModelSource;

struct Architecture {
  std::string_view name;                         // general.architecture
  std::span<const std::string_view> hf_classes;  // "architectures" of config.json
  RopeStyle gguf_rope = RopeStyle::kHalves;      // converters reorder the rows of q and k for kAdjacent
  std::span<const std::string_view> required;    // roles of a layer beyond q, k, v, o, up and down
  std::span<const TensorAlias> aliases;          // in GGUF files
  bool learned_positions = false;                // a position embedding of context_length rows
  bool encoder = false;                          // no output norm and no head
  bool dense_beside_experts = false;             // a layer with experts may have a dense block too
  bool norms_all_heads = false;                  // q and k are normed over all heads together, not each head
  bool fused_gate = false;                       // ffn_up holds the rows of gate, then those of up
  // Sets what differs from a plain decoder; `config` holds what configure_common read.
  Status (*configure)(const HyperParameters& parameters, ModelConfig& config) = nullptr;
  // The names of the architecture's tensors in Hugging Face folders.
  std::span<const HfName> hf_names;
  float hf_norm_offset = 0.0f;             // Gemma stores RMS gains less one
  std::span<const HfDefault> hf_defaults;  // what a config.json that is silent means
  // For writing: "model_type", what stands before a tensor's name (but the head's), and what differs from Llama's
  // keys in a config.json (hf_config_writer.h).
  std::string_view hf_type;
  std::string_view hf_prefix = "model.";
  void (*hf_write)(const ModelSource& model, boost::json::object& config) = nullptr;
};

std::span<const Architecture* const> architectures();
// Errors: kUnsupported, with the names that are known.
Result<const Architecture*> find_architecture(std::string_view name);
const Architecture* find_hf_architecture(std::string_view hf_class);  // nullptr if unknown

// Layers, heads, dimensions, RoPE and experts, each within limits.h; then the row's own part. The
// vocabulary's size comes from the embedding later. Errors: kCorrupt, kUnsupported; each names the key.
Result<ModelConfig> make_config(const Architecture& architecture, const HyperParameters& parameters);

// ---- parts for the rows
// --------------------------------------------------------------------------------------

// RMS or LayerNorm and its epsilon (attention.layer_norm_rms_epsilon, attention.layer_norm_epsilon).
Status use_norm(const HyperParameters& parameters, NormKind kind, ModelConfig& config);

// Sliding windows (attention.sliding_window): in the layers that attention.sliding_window_pattern marks when
// it is an array; else of every `pattern` layers (that key's number, or `pattern_default`) all but the last
// one. 1: no window anywhere, as in llama.cpp. 0: all layers.
Status use_windows(const HyperParameters& parameters, uint32_t window_default, uint32_t pattern_default,
                   ModelConfig& config);

// The experts of a mixture (expert_count, expert_used_count, expert_feed_forward_length or
// feed_forward_length).
Status use_experts(const HyperParameters& parameters, ModelConfig& config);

// The function of the feed-forward block: `usual`, unless the file names another (hidden_activation).
// Errors: kUnsupported.
Status use_activation(const HyperParameters& parameters, Activation usual, ModelConfig& config);

// The roles that most rows require.
inline constexpr std::string_view kGatedRoles[] = {"attn_norm.weight", "ffn_norm.weight", "ffn_gate.weight"};
inline constexpr std::string_view kUngatedRoles[] = {"attn_norm.weight", "ffn_norm.weight"};

}  // namespace rival::model
