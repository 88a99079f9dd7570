#include "model/quantize_model.h"

#include <algorithm>

#include "base/limits.h"
#include "format/gguf.h"
#include "format/gguf_writer.h"

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

format::MetadataBuilder new_metadata(const format::Metadata& old, const Mixture& mixture,
                                     const QuantizeOptions& options) {
  format::MetadataBuilder metadata;
  metadata.copy_all(old);
  for (const char* key : {"split.no", "split.count", "split.tensors.count"}) metadata.erase(key);
  metadata.set_u32("general.quantization_version", 2);
  metadata.set_u32("general.file_type", mixture.file_type);
  if (options.importance) {
    metadata.set_u32("quantize.imatrix.entries_count",
                     static_cast<uint32_t>(options.importance->tensors.size()));
    metadata.set_u32("quantize.imatrix.chunks_count", options.importance->chunks);
  }
  return metadata;
}

}  // namespace

Result<MixtureModel> mixture_model(const format::Metadata& metadata, std::span<const TensorView> tensors) {
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

Result<QuantizeReport> quantize_model(const std::filesystem::path& in, const std::filesystem::path& out,
                                      const Mixture& mixture, ThreadTeam& team,
                                      const QuantizeOptions& options) {
  RIVAL_ASSIGN_OR_RETURN(const auto file, format::GgufFile::open(in));
  RIVAL_ASSIGN_OR_RETURN(MixtureModel model, mixture_model(file.metadata(), file.tensors()));
  model.has_importance = options.importance != nullptr;

  QuantizeReport report;
  std::vector<format::TensorJob> jobs;
  for (const TensorView& tensor : file.tensors()) {
    const DType type = choose_type(mixture, model, tensor.name, tensor.shape, tensor.type);
    jobs.push_back({.source = format::make_source(tensor.name, tensor, &file.file_of(tensor)),
                    .type = type,
                    .importance = options.importance ? options.importance->find(tensor.name) : nullptr});
    ++report.tensors[type];
    report.weights += tensor.shape.elements();
    report.bytes_before += tensor.bytes.size();
    report.bytes_after += format::tensor_bytes(type, tensor.shape);
  }
  const auto on_bytes = [&](uint64_t done) {
    if (options.on_progress) options.on_progress(done, report.bytes_after);
  };
  RIVAL_RETURN_IF_ERROR(
      format::encode_gguf(out, new_metadata(file.metadata(), mixture, options), jobs, team, on_bytes));
  return report;
}

}  // namespace rival::model
