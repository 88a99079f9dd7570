#include "model/model_contents.h"

#include <algorithm>

#include "base/limits.h"
#include "format/gguf.h"
#include "model/gguf_from_hf.h"

namespace rival::model {
namespace {

// Query heads to key and value heads, of the first layer where they differ by layer.
Result<uint32_t> heads_per_kv(const format::Metadata& metadata, const std::string& prefix, uint32_t layers) {
  const std::string heads_key = prefix + "attention.head_count", kv_key = heads_key + "_kv";
  if (layers == 0 || !metadata.contains(heads_key) || !metadata.contains(kv_key)) return 1u;
  RIVAL_ASSIGN_OR_RETURN(const auto heads, metadata.get_u32_per_layer(heads_key, layers));
  RIVAL_ASSIGN_OR_RETURN(const auto kv_heads, metadata.get_u32_per_layer(kv_key, layers));
  return kv_heads[0] > 0 ? heads[0] / kv_heads[0] : 1u;
}

Result<ModelContents> read_gguf(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(auto opened, format::GgufFile::open(path));
  const auto file = std::make_shared<const format::GgufFile>(std::move(opened));
  ModelContents contents;
  contents.owner = file;
  RIVAL_ASSIGN_OR_RETURN(contents.mixture_model, read_mixture_model(file->metadata(), file->tensors()));
  contents.metadata.copy_all(file->metadata());
  for (const char* key : {"split.no", "split.count", "split.tensors.count"}) contents.metadata.erase(key);
  for (const TensorView& tensor : file->tensors())
    contents.tensors.push_back(format::make_source(tensor.name, tensor, &file->file_of(tensor)));
  return contents;
}

uint64_t stored_bytes(const format::TensorSource& tensor) {
  return format::tensor_bytes(tensor.type, tensor.shape);
}

format::MetadataBuilder new_metadata(const ModelContents& contents, const WriteOptions& options) {
  format::MetadataBuilder metadata = contents.metadata;
  metadata.set_u32("general.quantization_version", 2);
  if (options.mixture) metadata.set_u32("general.file_type", options.mixture->file_type);
  if (options.importance) {
    metadata.set_u32("quantize.imatrix.entries_count",
                     static_cast<uint32_t>(options.importance->tensors.size()));
    metadata.set_u32("quantize.imatrix.chunks_count", options.importance->chunks);
  }
  return metadata;
}

}  // namespace

Result<MixtureModel> read_mixture_model(const format::Metadata& metadata,
                                        std::span<const TensorView> tensors) {
  MixtureModel model;
  RIVAL_ASSIGN_OR_RETURN(const auto architecture, metadata.get_string_or("general.architecture", ""));
  const std::string prefix = std::string(architecture) + ".";
  RIVAL_ASSIGN_OR_RETURN(model.layers, metadata.get_u32_or(prefix + "block_count", 0));
  RIVAL_ASSIGN_OR_RETURN(model.experts, metadata.get_u32_or(prefix + "expert_count", 0));
  if (model.layers > limits::kLayersMax)
    return make_error(ErrorCode::kLimit, "metadata '{}block_count' is {}; at most {} layers are read", prefix,
                      model.layers, limits::kLayersMax);
  RIVAL_ASSIGN_OR_RETURN(model.heads_per_kv, heads_per_kv(metadata, prefix, model.layers));
  model.tied_output = std::none_of(tensors.begin(), tensors.end(),
                                   [](const TensorView& tensor) { return tensor.name == "output.weight"; });
  return model;
}

Result<ModelContents> read_contents(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return convert_hf_folder(path);
  return read_gguf(path);
}

Result<WriteReport> write_contents(const ModelContents& contents, const std::filesystem::path& out,
                                   ThreadTeam& team, const WriteOptions& options) {
  MixtureModel model = contents.mixture_model;
  model.has_importance = options.importance != nullptr;
  WriteReport report;
  std::vector<format::TensorJob> jobs;
  for (const format::TensorSource& tensor : contents.tensors) {
    const DType type = options.mixture
                           ? choose_type(*options.mixture, model, tensor.name, tensor.shape, tensor.type)
                           : tensor.type;
    jobs.push_back({.source = tensor,
                    .type = type,
                    .importance = options.importance ? options.importance->find(tensor.name) : nullptr});
    ++report.tensors[type];
    report.weights += tensor.shape.elements();
    report.bytes_before += stored_bytes(tensor);
    report.bytes_after += format::tensor_bytes(type, tensor.shape);
  }
  const auto on_bytes = [&](uint64_t done) {
    if (options.on_progress) options.on_progress(done, report.bytes_after);
  };
  RIVAL_RETURN_IF_ERROR(format::encode_gguf(out, new_metadata(contents, options), jobs, team, on_bytes));
  return report;
}

}  // namespace rival::model
