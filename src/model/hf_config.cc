#include "model/hf_config.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/file.h"
#include "base/limits.h"

namespace rival::model {
namespace {

// Numbers, texts and flags that keep their meaning; the first name that config.json has is taken.
struct Translation {
  std::string_view key;
  std::array<std::string_view, 3> names;
};

constexpr Translation kTranslations[] = {
    {"block_count", {"num_hidden_layers", "n_layer"}},
    {"embedding_length", {"hidden_size", "n_embd"}},
    {"context_length", {"max_position_embeddings", "n_positions", "n_ctx"}},
    {"feed_forward_length", {"intermediate_size", "n_inner"}},
    {"attention.head_count", {"num_attention_heads", "n_head"}},
    {"attention.head_count_kv", {"num_key_value_heads"}},
    {"attention.key_length", {"head_dim"}},
    {"attention.value_length", {"head_dim"}},
    {"attention.layer_norm_rms_epsilon", {"rms_norm_eps"}},
    {"attention.layer_norm_epsilon", {"layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"}},
    {"attention.scale", {"attention_multiplier"}},
    {"attention.output_scale", {"attn_output_multiplier"}},
    {"attention.temperature_length", {"attn_temperature_len"}},
    {"attention.sliding_window", {"sliding_window"}},
    {"attention.sliding_window_pattern", {"sliding_window_pattern", "_sliding_window_pattern"}},
    {"attn_logit_softcapping", {"attn_logit_softcapping", "max_attn_value"}},
    {"final_logit_softcapping", {"final_logit_softcapping"}},
    {"hidden_activation", {"hidden_activation", "hidden_act", "activation_function"}},
    {"embedding_scale", {"embedding_multiplier", "embedding_multiplier_scale"}},
    {"residual_scale", {"residual_multiplier"}},
    {"logit_scale", {"logits_scaling", "output_multiplier_scale"}},
    {"expert_count", {"num_local_experts", "num_experts"}},
    {"expert_used_count", {"num_experts_per_tok", "experts_per_token"}},
    {"expert_feed_forward_length", {"moe_intermediate_size"}},
    {"expert_shared_feed_forward_length", {"shared_expert_intermediate_size"}},
    {"expert_weights_norm", {"norm_topk_prob"}},
    {"rope.freq_base", {"rope_theta"}},
    {"rope.freq_base_swa", {"rope_local_base_freq"}},
};

// Keys of one RoPE dictionary (rope_parameters, formerly rope_scaling).
constexpr Translation kRopeTranslations[] = {
    {"rope.freq_base", {"rope_theta"}},
    {"rope.scaling.factor", {"factor"}},
    {"rope.scaling.low_freq_factor", {"low_freq_factor"}},
    {"rope.scaling.high_freq_factor", {"high_freq_factor"}},
    {"rope.scaling.original_context_length", {"original_max_position_embeddings"}},
    {"rope.scaling.yarn_beta_fast", {"beta_fast"}},
    {"rope.scaling.yarn_beta_slow", {"beta_slow"}},
    {"rope.scaling.truncate", {"truncate"}},
    {"rope.scaling.attention_factor", {"attention_factor"}},
};

// Switches that change what a model computes, with the one value that Rival has the computation for.
struct Switch {
  std::string_view architecture, name, supported;
};

constexpr Switch kSwitches[] = {
    {"gpt2", "scale_attn_weights", "true"},
    {"gpt2", "scale_attn_by_inverse_layer_idx", "false"},
    {"bert", "position_embedding_type", "absolute"},
    {"bert", "is_decoder", "false"},
    {"gemma3", "use_bidirectional_attention", "false"},
    {"gpt-oss", "swiglu_limit", "7"},
};

std::string plain_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_double()) return fmt::format("{}", value.get_double());
  return to_json_text(value);
}

class Translator {
 public:
  Translator(const Architecture& architecture, const json::object& config)
      : architecture_(architecture), outer_(config) {
    const json::value* inner = config.if_contains("text_config");
    inner_ = inner != nullptr && inner->is_object() ? &inner->get_object() : &config;
  }

  Result<HyperParameters> run() {
    for (const Translation& row : kTranslations) translate(row);
    for (const HfDefault& row : architecture_.hf_defaults) apply_default(row);
    RIVAL_RETURN_IF_ERROR(translate_rope());
    RIVAL_RETURN_IF_ERROR(translate_windows());
    RIVAL_RETURN_IF_ERROR(translate_experts());
    RIVAL_RETURN_IF_ERROR(check_switches());
    translate_rest();
    return std::move(result_);
  }

 private:
  // The value under a name, in the text model's part or else the whole; nullptr for null, too.
  const json::value* find(std::string_view name) const {
    for (const json::object* object : {inner_, &outer_}) {
      const json::value* value = object->if_contains(name);
      if (value != nullptr && !value->is_null()) return value;
    }
    return nullptr;
  }

  double number(std::string_view name, double fallback) const {
    const json::value* value = find(name);
    return value != nullptr && value->is_number() ? value->to_number<double>() : fallback;
  }

  void set(std::string_view key, HyperParameters::Value value, std::string_view name) {
    result_.set(std::string(key), std::move(value), fmt::format("config.json: {}", name));
  }

  void set_json(std::string_view key, const json::value& value, std::string_view name) {
    if (value.is_bool()) return set(key, value.get_bool(), name);
    if (value.is_int64()) return set(key, value.get_int64(), name);
    if (value.is_double()) return set(key, value.get_double(), name);
    if (value.is_string()) return set(key, std::string(value.get_string()), name);
    set(key, HyperParameters::Wrong{std::string(json::to_string(value.kind()))}, name);
  }

  void translate(const Translation& row) {
    for (const std::string_view name : row.names) {
      if (name.empty()) continue;
      if (const json::value* value = find(name)) return set_json(row.key, *value, name);
    }
  }

  void apply_default(const HfDefault& row) {
    if (find(row.key) != nullptr) return;
    for (const Translation& translation : kTranslations) {
      for (const std::string_view name : translation.names) {
        if (name != row.key) continue;
        const bool whole = row.value == std::floor(row.value);
        if (whole)
          set(translation.key, static_cast<int64_t>(row.value), name);
        else
          set(translation.key, row.value, name);
      }
    }
    if (row.key == "query_pre_attn_scalar") set("attention.scale", 1.0 / std::sqrt(row.value), row.key);
  }

  // rope_parameters is one dictionary, or one for each type of layer.
  Status translate_rope() {
    const json::value* value = find("rope_parameters");
    if (value == nullptr) value = find("rope_scaling");
    translate_partial_rotary(value);
    if (value == nullptr) return translate_grok_rope();
    if (!value->is_object())
      return make_error(ErrorCode::kCorrupt, "config.json: rope_parameters is {}, expected an object",
                        std::string_view(json::to_string(value->kind())));
    const json::object& rope = value->get_object();
    const json::value* full = rope.if_contains("full_attention");
    const json::value* sliding = rope.if_contains("sliding_attention");
    if (sliding != nullptr && sliding->is_object())
      if (const json::value* base = sliding->get_object().if_contains("rope_theta"))
        set_json("rope.freq_base_swa", *base, "rope_parameters.sliding_attention.rope_theta");
    if (full != nullptr && full->is_object()) return translate_rope_dictionary(full->get_object());
    return translate_rope_dictionary(rope);
  }

  Status translate_rope_dictionary(const json::object& rope) {
    for (const Translation& row : kRopeTranslations) {
      const json::value* value = rope.if_contains(row.names[0]);
      if (value != nullptr && !value->is_null()) set_json(row.key, *value, row.names[0]);
    }
    std::string kind = "default";
    for (const auto* name : {"type", "rope_type"})
      if (const json::value* value = rope.if_contains(name); value != nullptr && value->is_string())
        kind = value->get_string();
    if (kind == "su") kind = "longrope";
    if (kind == "default" || kind == "dynamic")
      kind = "none";  // dynamic: as trained up to the trained length
    if (kind == "mrope")
      return make_error(ErrorCode::kUnsupported, "config.json: rope type 'mrope' is not one that Rival has");
    set("rope.scaling.type", kind, "rope_type");
    if (kind == "yarn") translate_yarn(rope);
    if (kind == "longrope" && architecture_.name != "phi3")
      return make_error(ErrorCode::kUnsupported, "config.json: rope type 'longrope' is known of Phi-3 only");
    if (kind == "longrope") translate_longrope(rope);
    return {};
  }

  void translate_yarn(const json::object& rope) {
    if (!result_.contains("rope.scaling.truncate")) set("rope.scaling.truncate", true, "truncate");
    const auto value = [&](const char* name) {
      const json::value* found = rope.if_contains(name);
      return found != nullptr && found->is_number() ? found->to_number<double>() : 0.0;
    };
    const double context = number("max_position_embeddings", 0.0),
                 original = value("original_max_position_embeddings");
    double factor = value("factor");
    if (factor == 0.0 && original > 0.0) {
      factor = context / original;
      set("rope.scaling.factor", factor, "factor");
    }
    const double mscale = value("mscale"), mscale_all = value("mscale_all_dim");
    if (value("attention_factor") != 0.0 || mscale == 0.0 || mscale_all == 0.0 || factor <= 1.0) return;
    const double log_factor = 0.1 * std::log(factor);
    set("rope.scaling.attention_factor", (mscale * log_factor + 1.0) / (mscale_all * log_factor + 1.0),
        "mscale");
  }

  // The two lists of divisors are read with the weights.
  void translate_longrope(const json::object& rope) {
    const auto value = [&](const char* name, double fallback) {
      const json::value* found = rope.if_contains(name);
      return found != nullptr && found->is_number() ? found->to_number<double>() : fallback;
    };
    const double context = number("max_position_embeddings", 0.0);
    const double original =
        value("original_max_position_embeddings", number("original_max_position_embeddings", context));
    const double stretch = value("factor", original > 1.0 ? context / original : 1.0);
    const double usual = stretch > 1.0 ? std::sqrt(1.0 + std::log(stretch) / std::log(original)) : 1.0;
    set("rope.scaling.original_context_length", static_cast<int64_t>(std::min(original, 1e9)),
        "original_max_position_embeddings");
    result_.erase("rope.scaling.attention_factor");
    result_.erase("rope.scaling.factor");
    if (const double attention = value("attention_factor", usual); attention != 1.0)
      set("rope.scaling.attn_factor", attention, "rope_scaling");
  }

  void translate_partial_rotary(const json::value* rope) {
    double part = number("partial_rotary_factor", 1.0);
    if (rope != nullptr && rope->is_object())
      if (const json::value* value = rope->get_object().if_contains("partial_rotary_factor");
          value != nullptr && value->is_number())
        part = value->to_number<double>();
    if (part == 1.0) return;
    const double heads = number("num_attention_heads", 1.0);
    const double head = number("head_dim", heads > 0 ? std::floor(number("hidden_size", 0.0) / heads) : 0.0);
    set("rope.dimension_count", static_cast<int64_t>(head * part), "partial_rotary_factor");
  }

  // Grok keeps its RoPE keys at the top; its "original" is read as YaRN, as the converters to GGUF do.
  Status translate_grok_rope() {
    const json::value* kind = find("rope_type");
    if (kind == nullptr || !kind->is_string()) return {};
    if (kind->get_string() != "yarn" && kind->get_string() != "original") return {};
    set("rope.scaling.type", std::string("yarn"), "rope_type");
    constexpr Translation kRows[] = {
        {"rope.scaling.factor", {"scaling_factor"}},
        {"rope.scaling.original_context_length", {"original_max_position_embeddings"}},
        {"rope.scaling.yarn_beta_fast", {"beta_fast"}},
        {"rope.scaling.yarn_beta_slow", {"beta_slow"}},
    };
    for (const Translation& row : kRows) translate(row);
    return {};
  }

  // layer_types says which layers have the window; use_sliding_window: false says that none has.
  Status translate_windows() {
    const json::value* use = find("use_sliding_window");
    const bool qwen = find("max_window_layers") != nullptr;
    if ((use != nullptr && use->is_bool() && !use->get_bool()) || (use == nullptr && qwen)) {
      set("attention.sliding_window", int64_t{0}, "use_sliding_window");
      return {};
    }
    const json::value* types = find("layer_types");
    std::vector<int64_t> sliding;
    if (types == nullptr || !types->is_array()) {
      if (!qwen) return {};
      for (int64_t layer = 0; layer < layer_count(); ++layer)  // older files: all from this layer on
        sliding.push_back(static_cast<double>(layer) >= number("max_window_layers", 0.0) ? 1 : 0);
      set("attention.sliding_window_pattern", std::move(sliding), "max_window_layers");
      return {};
    }
    for (const json::value& type : types->get_array()) {
      const std::string_view name = type.is_string() ? std::string_view(type.get_string()) : "";
      if (name != "full_attention" && name != "sliding_attention")
        return make_error(
            ErrorCode::kUnsupported,
            "config.json: layer_types holds '{}'; known are full_attention and sliding_attention", name);
      sliding.push_back(name == "sliding_attention" ? 1 : 0);
    }
    set("attention.sliding_window_pattern", std::move(sliding), "layer_types");
    return {};
  }

  // How many layers there are; 0 where the number is out of bounds, which make_config refuses.
  int64_t layer_count() const {
    const double count = number("num_hidden_layers", 0.0);
    return count >= 1.0 && count <= limits::kLayersMax ? static_cast<int64_t>(count) : 0;
  }

  Status check_switches() const {
    for (const Switch& row : kSwitches) {
      const json::value* value = row.architecture == architecture_.name ? find(row.name) : nullptr;
      if (value != nullptr && plain_text(*value) != row.supported)
        return make_error(ErrorCode::kUnsupported, "config.json: {} is {}; Rival has {} only", row.name,
                          plain_text(*value), row.supported);
    }
    return {};
  }

  // Caps have defaults of their own: null says that there is none.
  void translate_absent_caps() {
    for (const auto* name : {"attn_logit_softcapping", "final_logit_softcapping"}) {
      const json::value* value = inner_->if_contains(name);
      if (value != nullptr && value->is_null()) set(name, 0.0, name);
    }
  }

  // mlp_only_layers and decoder_sparse_step leave some layers without experts.
  Status translate_experts() {
    const int64_t layers = layer_count();
    const auto step = static_cast<int64_t>(number("decoder_sparse_step", 1.0));
    const json::value* dense = find("mlp_only_layers");
    const bool some = dense != nullptr && dense->is_array() && !dense->get_array().empty();
    if ((step == 1 && !some) || layers < 1) return {};
    if (step < 1) return make_error(ErrorCode::kCorrupt, "config.json: decoder_sparse_step is {}", step);
    std::vector<int64_t> experts;
    for (int64_t layer = 0; layer < layers; ++layer) experts.push_back((layer + 1) % step == 0 ? 1 : 0);
    if (some)
      for (const json::value& layer : dense->get_array())
        if (layer.is_int64() && layer.get_int64() >= 0 && layer.get_int64() < layers)
          experts[static_cast<size_t>(layer.get_int64())] = 0;
    set("expert_layers", std::move(experts), "mlp_only_layers");
    return {};
  }

  void translate_rest() {
    translate_absent_caps();
    if (const double scalar = number("query_pre_attn_scalar", 0.0); scalar > 0.0)
      set("attention.scale", 1.0 / std::sqrt(scalar), "query_pre_attn_scalar");
    if (architecture_.name == "gpt-oss" && find("intermediate_size") != nullptr)  // llama.cpp asks for the key
      set_json("expert_feed_forward_length", *find("intermediate_size"), "intermediate_size");
    if (architecture_.name == "gpt2" && !result_.contains("feed_forward_length"))
      set("feed_forward_length", static_cast<int64_t>(4.0 * number("n_embd", 0.0)), "n_inner");
    if (architecture_.name == "gemma" && number("hidden_size", 0.0) > 0.0)
      set("hidden_activation", std::string("gelu_pytorch_tanh"), "hidden_act");  // "gelu" was always meant so
    if (const json::value* rope = find("no_rope_layers"); rope != nullptr && rope->is_array()) {
      std::vector<int64_t> layers;
      for (const json::value& layer : rope->get_array())
        layers.push_back(layer.is_int64() ? layer.get_int64() : -1);
      set("attention.rope_pattern", std::move(layers), "no_rope_layers");
    }
  }

  const Architecture& architecture_;
  const json::object& outer_;
  const json::object* inner_ = nullptr;
  HyperParameters result_;
};

Result<json::value> read_json(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(const std::string text, read_file(path, limits::kJsonFileBytesMax));
  auto parsed = parse_json(text);
  if (!parsed.ok()) return with_context(parsed.error(), path.filename().string());
  return parsed;
}

bool is_true(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace

Result<json::object> read_hf_object(const std::filesystem::path& path) {
  if (!file_exists(path)) return json::object();
  RIVAL_ASSIGN_OR_RETURN(const std::string text, read_file(path, limits::kJsonFileBytesMax));
  auto parsed = parse_json(text);
  if (!parsed.ok()) return with_context(parsed.error(), path.filename().string());
  if (!parsed->is_object())
    return make_error(ErrorCode::kCorrupt, "{} is no JSON object", path.filename().string());
  return parsed->get_object();
}

Result<const Architecture*> hf_architecture(const json::object& config) {
  const json::value* classes = config.if_contains("architectures");
  if (classes == nullptr || !classes->is_array() || classes->get_array().empty())
    return make_error(ErrorCode::kCorrupt, "config.json: architectures is missing, expected a list with a class name");
  const json::value& first = classes->get_array()[0];
  const std::string_view name = first.is_string() ? std::string_view(first.get_string()) : "";
  if (const Architecture* row = find_hf_architecture(name)) return row;
  return make_error(ErrorCode::kUnsupported, "config.json: architectures is {}, a class that Rival does not know",
                    format::quote_name(name));
}

std::string hf_special_text(const json::object& config, std::string_view key) {
  const json::value* value = config.if_contains(key);
  if (value != nullptr && value->is_object()) value = value->get_object().if_contains("content");
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

const json::object* hf_rope(const json::object& config) {
  for (const auto* name : {"rope_parameters", "rope_scaling"})
    if (const json::value* value = config.if_contains(name); value != nullptr && value->is_object())
      return &value->get_object();
  return nullptr;
}

Result<HyperParameters> hf_parameters(const Architecture& architecture, const json::object& config) {
  return Translator(architecture, config).run();
}

Status read_hf_pooling(const std::filesystem::path& folder, HyperParameters& parameters) {
  if (!file_exists(folder / "modules.json")) return {};
  RIVAL_ASSIGN_OR_RETURN(const json::value modules, read_json(folder / "modules.json"));
  if (!modules.is_array()) return make_error(ErrorCode::kCorrupt, "modules.json is no list of modules");
  bool normalize = false;
  for (const json::value& module : modules.get_array()) {
    const json::value* type = module.is_object() ? module.get_object().if_contains("type") : nullptr;
    if (type == nullptr || !type->is_string()) continue;
    normalize |= std::string_view(type->get_string()).ends_with(".Normalize");
  }
  parameters.set("normalize_embeddings", normalize, "modules.json");
  const auto pooling_path = folder / "1_Pooling" / "config.json";
  if (!file_exists(pooling_path)) return {};
  RIVAL_ASSIGN_OR_RETURN(const json::value pooling, read_json(pooling_path));
  if (!pooling.is_object()) return make_error(ErrorCode::kCorrupt, "1_Pooling/config.json is no object");
  int64_t id = 1;  // as in GGUF's pooling_type
  if (is_true(pooling.get_object(), "pooling_mode_cls_token")) id = 2;
  if (is_true(pooling.get_object(), "pooling_mode_lasttoken")) id = 3;
  parameters.set("pooling_type", id, "1_Pooling/config.json");
  return {};
}

}  // namespace rival::model
