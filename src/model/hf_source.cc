#include "model/hf_source.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/limits.h"
#include "format/safetensors.h"
#include "model/gguf_vocabulary.h"
#include "model/hf_config.h"
#include "model/source_builder.h"

namespace rival::model {
namespace {

// "chat_template": a text, or a list of named ones of which "default" is meant.
std::string template_text(const json::object& config) {
  const json::value* value = config.if_contains("chat_template");
  if (value == nullptr) return "";
  if (value->is_string()) return std::string(value->get_string());
  if (!value->is_array()) return "";
  std::string first;
  for (const json::value& item : value->get_array()) {
    if (!item.is_object()) continue;
    const std::string text = hf_special_text(item.get_object(), "template");
    if (hf_special_text(item.get_object(), "name") == "default") return text;
    if (first.empty()) first = text;
  }
  return first;
}

// eos_token_id of config.json or generation_config.json: one id or several.
void add_eos_ids(const json::object& config, ModelSource& source) {
  const json::value* value = config.if_contains("eos_token_id");
  if (value == nullptr) return;
  const size_t rows = source.config.vocabulary_size, tokens = source.tokenizer ? source.tokenizer->size() : 0;
  const auto limit = static_cast<int64_t>(rows > 0 ? rows : tokens);
  const auto add = [&](const json::value& id) {
    if (id.is_int64() && id.get_int64() >= 0 && id.get_int64() < limit)
      source.end_of_generation.push_back(static_cast<text::TokenId>(id.get_int64()));
  };
  if (value->is_array())
    for (const json::value& id : value->get_array()) add(id);
  else
    add(*value);
}

Status read_tokenizer(const std::filesystem::path& folder, const std::filesystem::path& name, ModelSource& source) {
  if (!file_exists(folder / name)) return {};
  RIVAL_ASSIGN_OR_RETURN(const std::string text, read_file(folder / name, limits::kJsonFileBytesMax));
  std::string config_text;
  if (file_exists(folder / "tokenizer_config.json")) {
    RIVAL_ASSIGN_OR_RETURN(config_text,
                           read_file(folder / "tokenizer_config.json", limits::kJsonFileBytesMax));
  }
  auto tokenizer = text::Tokenizer::from_json(text, config_text);
  if (!tokenizer.ok()) return with_context(tokenizer.error(), name.string());
  text::Vocabulary ends = {.tokens = tokenizer->vocabulary().tokens,
                           .types = tokenizer->vocabulary().types,
                           .eos = tokenizer->vocabulary().eos};
  find_end_tokens(ends);
  source.end_of_generation = ends.end_of_generation;
  source.tokenizer = std::move(*tokenizer);
  return {};
}

// One of the two lists of divisors of "longrope".
Status read_divisors(const json::object& rope, std::string_view key, size_t pairs, Vector& out) {
  const json::value* list = rope.if_contains(key);
  if (list == nullptr || !list->is_array() || list->get_array().size() != pairs)
    return make_error(ErrorCode::kCorrupt, "config.json: {} is no list of {} numbers", key, pairs);
  for (const json::value& item : list->get_array()) {
    const auto divisor = item.is_number() ? item.to_number<float>() : 0.0f;
    if (!std::isfinite(divisor) || divisor <= 0.0f)
      return make_error(ErrorCode::kCorrupt, "config.json: {} holds {}, expected positive numbers", key,
                        to_json_text(item));
    out.push_back(divisor);
  }
  return {};
}

Status read_longrope(const json::object& config, ModelSource& source) {
  const json::object* rope = hf_rope(config);
  if (rope == nullptr || rope->if_contains("long_factor") == nullptr) return {};
  const size_t pairs = source.config.rope_dim / 2;
  RIVAL_RETURN_IF_ERROR(read_divisors(*rope, "short_factor", pairs, source.rope_factors));
  if (source.config.context_length_long == 0) return {};
  return read_divisors(*rope, "long_factor", pairs, source.rope_factors_long);
}

Status read_texts(const std::filesystem::path& folder, const std::filesystem::path& tokenizer, const json::object& config,
                  ModelSource& source) {
  RIVAL_RETURN_IF_ERROR(read_tokenizer(folder, tokenizer, source));
  RIVAL_ASSIGN_OR_RETURN(const json::object tokenizer_config, read_hf_object(folder / "tokenizer_config.json"));
  RIVAL_ASSIGN_OR_RETURN(const json::object generation_config, read_hf_object(folder / "generation_config.json"));
  source.bos_text = hf_special_text(tokenizer_config, "bos_token");
  source.eos_text = hf_special_text(tokenizer_config, "eos_token");
  source.chat_template = template_text(tokenizer_config);
  if (file_exists(folder / "chat_template.jinja")) {
    RIVAL_ASSIGN_OR_RETURN(source.chat_template,
                           read_file(folder / "chat_template.jinja", limits::kTemplateBytesMax));
  }
  add_eos_ids(config, source);
  add_eos_ids(generation_config, source);
  source.sampling = sampling_of(generation_config);
  return {};
}

}  // namespace

Result<ModelSource> open_hf_texts(const std::filesystem::path& folder, const std::filesystem::path& tokenizer) {
  ModelSource source;
  RIVAL_ASSIGN_OR_RETURN(const json::object config, read_hf_object(folder / "config.json"));
  RIVAL_RETURN_IF_ERROR(read_texts(folder, tokenizer, config, source));
  return source;
}

Result<ModelSource> open_hf_folder(const std::filesystem::path& folder) {
  if (!file_exists(folder / "config.json"))
    return make_error(ErrorCode::kNotFound, "the folder holds no config.json, so it is no model");
  RIVAL_ASSIGN_OR_RETURN(const json::object config, read_hf_object(folder / "config.json"));
  RIVAL_ASSIGN_OR_RETURN(const Architecture* architecture, hf_architecture(config));
  RIVAL_ASSIGN_OR_RETURN(HyperParameters parameters, hf_parameters(*architecture, config));
  RIVAL_RETURN_IF_ERROR(read_hf_pooling(folder, parameters));
  RIVAL_ASSIGN_OR_RETURN(ModelConfig model_config, make_config(*architecture, parameters));
  RIVAL_ASSIGN_OR_RETURN(auto opened, format::SafetensorsFile::open(folder));
  const auto weights =
      hf_weights(std::make_shared<const format::SafetensorsFile>(std::move(opened)), *architecture);
  RIVAL_ASSIGN_OR_RETURN(ModelSource source, build_source(*architecture, std::move(model_config), *weights));
  source.weights_type = dtype_info(source.token_embedding.type).name;
  RIVAL_RETURN_IF_ERROR(read_longrope(config, source));
  RIVAL_RETURN_IF_ERROR(read_texts(folder, kHfTokenizer, config, source));
  return source;
}

}  // namespace rival::model
