// set_parameters: a configuration as GGUF metadata that llama.cpp understands as well as we do.
#include <algorithm>
#include <array>
#include <memory>

#include "model/gguf_from_hf.h"

namespace rival::model {
namespace {

// Keys that readers of GGUF expect even where they say what is assumed.
constexpr std::array<std::string_view, 15> kAlways = {
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.layer_norm_rms_epsilon",
    "attention.layer_norm_epsilon",
    "rope.freq_base",
    "expert_count",
    "expert_used_count",
    "expert_feed_forward_length",
    "expert_shared_feed_forward_length",
};

// Keys that are f32 in GGUF, by their ends; a config.json may hold whole numbers.
constexpr std::array<std::string_view, 11> kFloatEnds = {
    "epsilon",   "freq_base",   "freq_base_swa",    "factor",           "scale", "softcapping", "beta_fast",
    "beta_slow", "attn_factor", "attention_factor", "temperature_scale"};

bool is_float(std::string_view key) {
  return std::ranges::any_of(kFloatEnds, [&](std::string_view end) { return key.ends_with(end); });
}

// Drops what changes nothing for a reader.
void drop_defaults(const Architecture& architecture, HyperParameters& parameters, const ModelConfig& config) {
  for (const std::string& key : parameters.keys()) {
    if (std::ranges::find(kAlways, key) != kAlways.end()) continue;
    HyperParameters without = parameters;
    without.erase(key);
    const auto same = make_config(architecture, without);
    if (same.ok() && *same == config) parameters = std::move(without);
  }
}

// Readers of GGUF know Llama 3's scaling as a tensor of divisors only.
void drop_llama3_scaling(HyperParameters& parameters, const ModelConfig& config) {
  if (config.layers[0].rope_scaling.kind != RopeScalingKind::kLlama3) return;
  for (const std::string& key : parameters.keys())
    if (key.starts_with("rope.scaling.")) parameters.erase(key);
}

void set_list(const std::string& key, const std::vector<int64_t>& values, format::MetadataBuilder& metadata) {
  if (key.ends_with("_pattern")) {
    const auto flags = std::make_unique<bool[]>(values.size());
    std::ranges::copy(values, flags.get());
    return metadata.set_bools(key, {flags.get(), values.size()});
  }
  metadata.set_i32s(key, std::vector<int32_t>(values.begin(), values.end()));
}

void set_value(const std::string& key, const HyperParameters::Value& value,
               format::MetadataBuilder& metadata) {
  if (const auto* real = std::get_if<double>(&value)) return metadata.set_f32(key, static_cast<float>(*real));
  if (const auto* flag = std::get_if<bool>(&value)) return metadata.set_bool(key, *flag);
  if (const auto* text = std::get_if<std::string>(&value)) return metadata.set_string(key, *text);
  if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) return set_list(key, *list, metadata);
  const auto* whole = std::get_if<int64_t>(&value);
  if (!whole) return;  // make_config has not asked for it
  if (is_float(key)) return metadata.set_f32(key, static_cast<float>(*whole));
  metadata.set_u32(key, static_cast<uint32_t>(*whole));
}

}  // namespace

Status set_parameters(const Architecture& architecture, HyperParameters parameters, const ModelConfig& config,
                      format::MetadataBuilder& metadata) {
  RIVAL_ASSIGN_OR_RETURN(const ModelConfig from_parameters, make_config(architecture, parameters));
  drop_defaults(architecture, parameters, from_parameters);
  drop_llama3_scaling(parameters, config);
  const std::string prefix = std::string(architecture.name) + ".";
  for (const std::string& key : parameters.keys()) set_value(prefix + key, parameters.value(key), metadata);
  metadata.set_u32(prefix + "vocab_size", config.vocabulary_size);
  if (!parameters.contains("attention.head_count_kv"))
    metadata.set_u32(prefix + "attention.head_count_kv", config.layers[0].n_head_kv);
  if (config.layers[0].rope) metadata.set_u32(prefix + "rope.dimension_count", config.rope_dim);
  if (!config.causal) metadata.set_bool(prefix + "attention.causal", false);
  if (config.pooling != Pooling::kNone)
    metadata.set_u32(prefix + "pooling_type", static_cast<uint32_t>(config.pooling));
  return {};
}

}  // namespace rival::model
