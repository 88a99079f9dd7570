#include "format/importance.h"

#include <cmath>
#include <cstring>

#include "format/gguf.h"
#include "format/gguf_writer.h"

namespace rival::format {
namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";

Result<std::vector<float>> read_floats(const TensorView& tensor) {
  if (tensor.type != DType::kF32)
    return make_error(ErrorCode::kCorrupt, "tensor {} is {}; expected F32", quote_name(tensor.name),
                      dtype_info(tensor.type).name);
  std::vector<float> values(tensor.shape.elements());
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  for (const float value : values)
    if (!(value >= 0.0f) || !std::isfinite(value))
      return make_error(ErrorCode::kCorrupt, "tensor {} holds {}; expected numbers from 0 up",
                        quote_name(tensor.name), value);
  return values;
}

Result<Importance> read_tensor(const GgufFile& file, const TensorView& sums, const std::string& name) {
  Importance importance;
  importance.columns = sums.shape.row();
  RIVAL_ASSIGN_OR_RETURN(importance.sums, read_floats(sums));
  RIVAL_ASSIGN_OR_RETURN(const TensorView counts, file.get_tensor(name + std::string(kCounts)));
  RIVAL_ASSIGN_OR_RETURN(importance.counts, read_floats(counts));
  if (importance.counts.size() != sums.shape.rows())
    return make_error(ErrorCode::kCorrupt, "tensor {} has {} values; expected {}", quote_name(counts.name),
                      importance.counts.size(), sums.shape.rows());
  return importance;
}

}  // namespace

std::vector<float> Importance::mean_squares(uint64_t index) const {
  std::vector<float> means(columns, 1.0f);
  if (counts[index] > 0.0f)
    for (uint64_t i = 0; i < columns; ++i) means[i] = sums[index * columns + i] / counts[index];
  return means;
}

const Importance* ImportanceMatrix::find(std::string_view tensor) const {
  const auto place = tensors.find(tensor);
  return place == tensors.end() ? nullptr : &place->second;
}

Result<ImportanceMatrix> read_importance(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::open(path));
  RIVAL_ASSIGN_OR_RETURN(const auto type, file.metadata().get_string_or("general.type", ""));
  if (type != "imatrix")
    return make_error(ErrorCode::kUnsupported,
                      "{} is no importance matrix: 'general.type' is {}; expected 'imatrix'", path.string(),
                      quote_name(type));
  ImportanceMatrix matrix;
  RIVAL_ASSIGN_OR_RETURN(matrix.chunks, file.metadata().get_u32_or("imatrix.chunk_count", 0));
  RIVAL_ASSIGN_OR_RETURN(matrix.chunk_tokens, file.metadata().get_u32_or("imatrix.chunk_size", 0));
  if (file.metadata().contains("imatrix.datasets")) {
    RIVAL_ASSIGN_OR_RETURN(const auto texts, file.metadata().get_strings("imatrix.datasets"));
    matrix.texts.assign(texts.begin(), texts.end());
  }
  for (const TensorView& tensor : file.tensors()) {
    if (!tensor.name.ends_with(kSums)) continue;
    const std::string name = tensor.name.substr(0, tensor.name.size() - kSums.size());
    auto importance = read_tensor(file, tensor, name);
    if (!importance.ok()) return with_context(importance.error(), path.string());
    matrix.tensors.emplace(name, std::move(*importance));
  }
  return matrix;
}

Status write_importance(const std::filesystem::path& path, const ImportanceMatrix& matrix) {
  MetadataBuilder metadata;
  metadata.set_string("general.type", "imatrix");
  metadata.set_strings("imatrix.datasets",
                       std::vector<std::string_view>(matrix.texts.begin(), matrix.texts.end()));
  metadata.set_u32("imatrix.chunk_count", matrix.chunks);
  metadata.set_u32("imatrix.chunk_size", matrix.chunk_tokens);
  std::vector<TensorPlan> plan;
  for (const auto& [name, importance] : matrix.tensors) {
    const uint64_t matrices = importance.counts.size();
    plan.push_back({name + std::string(kSums), DType::kF32, Shape{{importance.columns, matrices, 1, 1}}});
    plan.push_back({name + std::string(kCounts), DType::kF32, Shape{{1, matrices, 1, 1}}});
  }
  RIVAL_ASSIGN_OR_RETURN(GgufWriter writer, GgufWriter::create(path, metadata, std::move(plan)));
  for (const auto& [name, importance] : matrix.tensors) {
    RIVAL_RETURN_IF_ERROR(writer.append(std::as_bytes(std::span(importance.sums))));
    RIVAL_RETURN_IF_ERROR(writer.append(std::as_bytes(std::span(importance.counts))));
  }
  return writer.finish();
}

}  // namespace rival::format
