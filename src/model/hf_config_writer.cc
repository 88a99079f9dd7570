#include "model/hf_config_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>

#include "ops/rope.h"

namespace rival::model {
namespace {

std::string_view activation_name(Activation activation) {
  switch (activation) {
    case Activation::kGeluTanh: return "gelu_pytorch_tanh";
    case Activation::kGeluErf: return "gelu";
    case Activation::kRelu: return "relu";
    case Activation::kReluSquared: return "relu2";
    case Activation::kSilu:
    case Activation::kSwigluOai: break;
  }
  return "silu";
}

// The layer that attends to everything, if there is one: its RoPE is the model's.
const LayerConfig& main_layer(const ModelConfig& config) {
  const auto place = std::ranges::find_if(config.layers, [](const LayerConfig& l) { return l.window == 0 && l.rope; });
  return place == config.layers.end() ? config.layers[0] : *place;
}

bool gives(const RopeScaling& scaling, const Vector& divisors, uint32_t dim, float base) {
  const auto found = ops::llama3_divisors(dim, base, scaling);
  for (size_t i = 0; i < divisors.size(); ++i)
    if (!(std::abs(found[i] - divisors[i]) <= 1e-4f * divisors[i])) return false;
  return true;
}

// The scaling between two frequencies on the ramp is a line in 1 / wavelength: two of them say all of it, up to a
// common factor of original context, low and high, which is taken so that low = 1.
std::optional<RopeScaling> scaling_of_ramp(const Vector& divisors, uint32_t dim, float base, float factor) {
  struct Point {
    double turns, share;  // of one position; how much of the frequency is left as it is
  };
  std::vector<Point> points;
  for (size_t i = 0; i < divisors.size(); ++i) {
    if (divisors[i] < 1.0001f || divisors[i] > factor * 0.9999f) continue;
    const double frequency = std::pow(double{base}, -2.0 * static_cast<double>(i) / dim);
    points.push_back({frequency / (2 * std::numbers::pi), (1.0 / divisors[i] - 1.0 / factor) / (1.0 - 1.0 / factor)});
  }
  if (points.size() < 2) return std::nullopt;
  const Point &a = points.front(), &b = points.back();
  const double slope = (a.share - b.share) / (a.turns - b.turns), offset = slope * a.turns - a.share;
  if (!(slope > 0.0 && offset > 0.0)) return std::nullopt;
  const double width = 1.0 / offset;
  return RopeScaling{.kind = RopeScalingKind::kLlama3,
                     .factor = factor,
                     .original_context = static_cast<uint32_t>(std::lround(std::min(slope * width, 1e9))),
                     .low_freq_factor = 1.0f,
                     .high_freq_factor = static_cast<float>(1.0 + width)};
}

// Llama 3's scaling from its divisors, which is all that GGUF holds.
std::optional<RopeScaling> scaling_of_divisors(const Vector& divisors, uint32_t dim, float base) {
  const float factor = *std::ranges::max_element(divisors);
  if (factor <= 1.0f) return RopeScaling{};
  for (uint32_t original = 16; original <= 1u << 20; original *= 2) {
    const RopeScaling usual{.kind = RopeScalingKind::kLlama3, .factor = factor, .original_context = original};
    if (gives(usual, divisors, dim, base)) return usual;
  }
  const auto found = scaling_of_ramp(divisors, dim, base, factor);
  return found && gives(*found, divisors, dim, base) ? found : std::nullopt;
}

json::array divisor_list(const Vector& divisors) {
  json::array list;
  for (const float divisor : divisors) list.emplace_back(shortest(divisor));
  return list;
}

// Phi-3's two lists; the length of its first is original_max_position_embeddings.
json::object longrope_object(const ModelSource& model, const RopeScaling& scaling) {
  json::object out{{"rope_type", "longrope"},
                   {"short_factor", divisor_list(model.rope_factors)},
                   {"long_factor", divisor_list(model.rope_factors_long)}};
  out["attention_factor"] = scaling.kind == RopeScalingKind::kYarn ? shortest(scaling.attention_factor) : 1.0;
  return out;
}

json::object rope_object(const RopeScaling& s) {
  json::object out;
  const auto number = [&](const char* key, float value) { out[key] = shortest(value); };
  number("factor", s.factor);
  if (s.kind == RopeScalingKind::kLinear) {
    out["rope_type"] = "linear";
    return out;
  }
  out["original_max_position_embeddings"] = s.original_context;
  if (s.kind == RopeScalingKind::kLlama3) {
    out["rope_type"] = "llama3";
    number("low_freq_factor", s.low_freq_factor);
    number("high_freq_factor", s.high_freq_factor);
    return out;
  }
  out["rope_type"] = "yarn";
  number("beta_fast", s.beta_fast);
  number("beta_slow", s.beta_slow);
  if (!s.truncate) out["truncate"] = false;
  if (s.attention_factor > 0.0f) number("attention_factor", s.attention_factor);
  return out;
}

Status write_rope(const ModelSource& model, json::object& out) {
  const ModelConfig& c = model.config;
  const LayerConfig& layer = main_layer(c);
  RopeScaling scaling = layer.rope_scaling;
  out["rope_theta"] = shortest(layer.rope_base);
  if (c.rope_dim != c.head_dim_k)
    out["partial_rotary_factor"] = static_cast<double>(c.rope_dim) / static_cast<double>(c.head_dim_k);
  if (!model.rope_factors_long.empty()) {
    out["max_position_embeddings"] = c.context_length_long;
    out["rope_scaling"] = longrope_object(model, scaling);
    return {};
  }
  if (!model.rope_factors.empty()) {
    const auto found = scaling_of_divisors(model.rope_factors, c.rope_dim, layer.rope_base);
    if (!found || scaling.kind != RopeScalingKind::kNone)
      return make_error(ErrorCode::kUnsupported,
                        "rope_freqs.weight does not follow Llama 3's rule: config.json has no keys for it");
    scaling = *found;
  }
  if (scaling.kind != RopeScalingKind::kNone) out["rope_scaling"] = rope_object(scaling);
  return {};
}

Status check_layers(const ModelConfig& config) {
  for (const LayerConfig& layer : config.layers)
    if (layer.n_head != config.layers[0].n_head || layer.n_head_kv != config.layers[0].n_head_kv)
      return make_error(ErrorCode::kUnsupported, "heads differ by layer: config.json has no keys for it");
  if (config.head_dim_k != config.head_dim_v)
    return make_error(ErrorCode::kUnsupported, "keys of {} and values of {} dimensions: config.json has no keys for it",
                      config.head_dim_k, config.head_dim_v);
  return {};
}

uint32_t dense_width(const ModelConfig& config) {
  uint32_t width = 0;
  for (const LayerConfig& layer : config.layers) width = std::max(width, layer.feed_forward);
  return width > 0 ? width : config.experts.feed_forward;
}

void write_ids(const ModelSource& model, json::object& out) {
  if (!model.tokenizer) return;
  const text::Vocabulary& v = model.tokenizer->vocabulary();
  if (v.bos) out["bos_token_id"] = *v.bos;
  if (v.eos) out["eos_token_id"] = *v.eos;
  if (v.padding) out["pad_token_id"] = *v.padding;
}

}  // namespace

double shortest(float value) {
  char text[32];
  const auto written = std::to_chars(text, text + sizeof text, value);
  double out = value;
  std::from_chars(text, written.ptr, out);
  return out;
}

json::value query_pre_attn_scalar(const ModelConfig& config) {
  if (config.attention_scale <= 0.0f) return config.head_dim_k;
  const double scalar = 1.0 / (double{config.attention_scale} * config.attention_scale);
  const double whole = std::round(scalar);
  if (std::abs(scalar - whole) < 1e-5 * scalar) return static_cast<int64_t>(whole);
  return scalar;
}

void write_windows(const ModelConfig& config, json::object& out) {
  json::array types;
  for (const LayerConfig& layer : config.layers) {
    types.emplace_back(layer.window > 0 ? "sliding_attention" : "full_attention");
    if (layer.window > 0) out["sliding_window"] = layer.window;
  }
  out["layer_types"] = std::move(types);
}

void write_experts(const ModelConfig& config, json::object& out) {
  out["num_local_experts"] = config.experts.n_expert;
  out["num_experts_per_tok"] = config.experts.n_used;
}

Result<json::object> write_hf_config(const Architecture& architecture, const ModelSource& model) {
  const ModelConfig& c = model.config;
  RIVAL_RETURN_IF_ERROR(check_layers(c));
  const LayerSource& first = model.layers[0];
  json::object out = {{"architectures", json::array{architecture.hf_classes[0]}},
                      {"model_type", architecture.hf_type},
                      {"vocab_size", c.vocabulary_size},
                      {"hidden_size", c.d_model},
                      {"intermediate_size", dense_width(c)},
                      {"num_hidden_layers", c.layers.size()},
                      {"num_attention_heads", c.layers[0].n_head},
                      {"num_key_value_heads", c.layers[0].n_head_kv},
                      {"head_dim", c.head_dim_k},
                      {"hidden_act", activation_name(c.activation)},
                      {"max_position_embeddings", c.context_length},
                      {"rms_norm_eps", shortest(c.norm_eps)},
                      {"attention_bias", !first.q_bias.empty()},
                      {"mlp_bias", !first.up_bias.empty()},
                      {"tie_word_embeddings", model.output.rows == 0}};
  RIVAL_RETURN_IF_ERROR(write_rope(model, out));
  write_ids(model, out);
  if (architecture.hf_write) architecture.hf_write(model, out);
  return out;
}

json::object write_hf_generation_config(const ModelSource& model) {
  json::object out;
  write_ids(model, out);
  const auto& ends = model.end_of_generation;
  if (ends.size() > 1) out["eos_token_id"] = json::array(ends.begin(), ends.end());
  write_sampling(model.sampling, out);
  return out;
}

}  // namespace rival::model
