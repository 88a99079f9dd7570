#include "model/gguf_from_hf.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "format/safetensors.h"
#include "model/hf_config.h"
#include "model/hf_source.h"
#include "model/weight_file.h"
#include "ops/rope.h"

namespace rival::model {
namespace {

struct Folder {
  const Architecture* architecture = nullptr;
  HyperParameters parameters;
  ModelConfig config;
  std::shared_ptr<WeightFile> weights;
};

// All bytes of the tensor, if they lie one row after the other as they are to be written.
std::span<const std::byte> plain_bytes(const StoredTensor& stored) {
  if (stored.col_stride != 1 || stored.row_stride != stored.cols || stored.offset != 0.0f) return {};
  const uint64_t matrix_bytes = stored.rows * row_bytes(stored.type, stored.cols);
  for (size_t i = 0; i < stored.matrices.size(); ++i)
    if (stored.matrices[i] != stored.matrices[0] + i * matrix_bytes) return {};
  return {stored.matrices[0], stored.matrices.size() * matrix_bytes};
}

format::TensorSource make_source(std::string name, StoredTensor stored) {
  format::TensorSource source;
  source.name = std::move(name);
  source.shape = Shape{{stored.cols, stored.rows, stored.matrices.size(), 1}};
  source.type = stored.type;
  source.bytes = plain_bytes(stored);
  // What is not quantised is small, and F32 in GGUF.
  if (!is_quantizable(source.name, source.shape) || source.type == DType::kF64) {
    source.type = DType::kF32;
    if (stored.type != DType::kF32) source.bytes = {};
  }
  source.decode_row = [stored = std::move(stored)](uint64_t row, float* out) {
    decode_row(stored, row, out);
  };
  return source;
}

// q and k (their biases have one row whose elements move) in GGUF's order.
void reorder_rows(format::TensorSource& source, uint32_t head_dim, uint32_t rope_dim) {
  source.bytes = {};
  const auto decode = std::move(source.decode_row);
  if (source.shape.rows() > 1) {
    source.decode_row = [=](uint64_t row, float* out) { decode(hf_row(row, head_dim, rope_dim), out); };
    return;
  }
  source.decode_row = [=, size = source.shape.row()](uint64_t, float* out) {
    std::vector<float> stored(size);
    decode(0, stored.data());
    for (uint64_t i = 0; i < size; ++i) out[i] = stored[hf_row(i, head_dim, rope_dim)];
  };
}

// The name that GGUF files of this architecture give a role.
std::string_view gguf_name(const Architecture& architecture, std::string_view role) {
  for (const TensorAlias& alias : architecture.aliases)
    if (alias.role == role) return alias.name;
  return role;
}

Status add_layer(const Folder& folder, uint32_t layer, std::string_view role, ModelContents& model) {
  const std::string prefix = fmt::format("blk.{}.", layer);
  RIVAL_ASSIGN_OR_RETURN(auto stored, folder.weights->find(prefix + std::string(role)));
  if (!stored) return {};
  format::TensorSource source =
      make_source(prefix + std::string(gguf_name(*folder.architecture, role)), std::move(*stored));
  const bool turns = role.starts_with("attn_q.") || role.starts_with("attn_k.");
  if (turns && folder.architecture->gguf_rope == RopeStyle::kAdjacent)
    reorder_rows(source, folder.config.head_dim_k, folder.config.rope_dim);
  model.tensors.push_back(std::move(source));
  return {};
}

Status add_tensors(const Folder& folder, ModelContents& model) {
  const Roles roles = roles_of(*folder.architecture);
  for (const std::string_view role : roles.model) {
    RIVAL_ASSIGN_OR_RETURN(auto stored, folder.weights->find(role));
    if (stored) model.tensors.push_back(make_source(std::string(role), std::move(*stored)));
  }
  for (uint32_t layer = 0; layer < folder.config.layers.size(); ++layer)
    for (const std::string_view role : roles.layer)
      RIVAL_RETURN_IF_ERROR(add_layer(folder, layer, role, model));
  return {};
}

void add_divisors(const char* name, Vector divisors, ModelContents& model) {
  if (divisors.empty()) return;
  format::TensorSource source;
  source.name = name;
  source.shape = Shape{{divisors.size(), 1, 1, 1}};
  source.decode_row = [divisors = std::move(divisors)](uint64_t, float* out) { std::ranges::copy(divisors, out); };
  model.tensors.push_back(std::move(source));
}

void add_rope_divisors(const ModelSource& checked, ModelContents& model) {
  const LayerConfig& layer = checked.config.layers[0];
  if (layer.rope_scaling.kind == RopeScalingKind::kLlama3)
    add_divisors("rope_freqs.weight", ops::llama3_divisors(checked.config.rope_dim, layer.rope_base, layer.rope_scaling),
                 model);
  add_divisors("rope_factors_short.weight", checked.rope_factors, model);
  add_divisors("rope_factors_long.weight", checked.rope_factors_long, model);
}

// general.file_type where every matrix keeps its type.
uint32_t stored_file_type(std::span<const format::TensorSource> tensors) {
  for (const format::TensorSource& tensor : tensors) {
    if (tensor.shape.dims[2] == 1 && !is_quantizable(tensor.name, tensor.shape)) continue;
    for (const Mixture& mixture : mixtures())
      if (mixture.base == tensor.type) return mixture.file_type;
  }
  return 0;
}

void describe(const std::filesystem::path& path, const Folder& folder, ModelContents& model) {
  const ModelConfig& config = folder.config;
  model.metadata.set_string("general.architecture", folder.architecture->name);
  model.metadata.set_string("general.type", "model");
  model.metadata.set_string("general.name", std::filesystem::weakly_canonical(path).filename().string());
  model.metadata.set_u32("general.file_type", stored_file_type(model.tensors));
  const bool output =
      std::ranges::any_of(model.tensors, [](const auto& t) { return t.name == "output.weight"; });
  model.mixture_model = {.layers = static_cast<uint32_t>(config.layers.size()),
                         .experts = config.experts.n_expert,
                         .heads_per_kv = config.layers[0].n_head / config.layers[0].n_head_kv,
                         .tied_output = !output && !folder.architecture->encoder};
}

}  // namespace

Result<ModelContents> convert_hf_folder(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(const ModelSource checked, open_hf_folder(path));
  RIVAL_ASSIGN_OR_RETURN(const json::object config_json, read_hf_object(path / "config.json"));
  Folder folder;
  RIVAL_ASSIGN_OR_RETURN(folder.architecture, hf_architecture(config_json));
  RIVAL_ASSIGN_OR_RETURN(folder.parameters, hf_parameters(*folder.architecture, config_json));
  RIVAL_RETURN_IF_ERROR(read_hf_pooling(path, folder.parameters));
  folder.config = checked.config;
  ModelContents model;
  RIVAL_ASSIGN_OR_RETURN(auto file, format::SafetensorsFile::open(path));
  folder.weights =
      hf_weights(std::make_shared<const format::SafetensorsFile>(std::move(file)), *folder.architecture);
  model.owner = folder.weights;
  RIVAL_RETURN_IF_ERROR(add_tensors(folder, model));
  add_rope_divisors(checked, model);
  describe(path, folder, model);
  RIVAL_RETURN_IF_ERROR(
      set_parameters(*folder.architecture, folder.parameters, folder.config, model.metadata));
  RIVAL_RETURN_IF_ERROR(set_tokenizer(path, folder.config.vocabulary_size, model.metadata));
  if (!checked.chat_template.empty())
    model.metadata.set_string("tokenizer.chat_template", checked.chat_template);
  write_sampling(checked.sampling, model.metadata);
  return model;
}

}  // namespace rival::model
