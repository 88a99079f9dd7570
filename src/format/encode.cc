#include "format/encode.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "format/byte_reader.h"
#include "tensor/dequantize.h"
#include "tensor/quantize.h"

namespace rival::format {
namespace {

constexpr uint64_t kPieceBytes = 8u << 20;  // encoded before it is written

bool is_encodable(const float* row, uint64_t elements) {
  for (uint64_t i = 0; i < elements; ++i)
    if (!(std::abs(row[i]) <= kQuantizeMagnitudeMax)) return false;
  return true;
}

// The importance of each matrix's columns, or nothing.
Result<std::vector<std::vector<float>>> matrix_importance(const TensorSource& source,
                                                          const Importance* importance) {
  std::vector<std::vector<float>> means;
  if (!importance) return means;
  const uint64_t matrices = source.shape.dims[2], given = importance->counts.size();
  if (importance->columns != source.shape.row() || (given != 1 && given != matrices))
    return make_error(ErrorCode::kInvalidArgument,
                      "the importance matrix has {} columns and {} matrices for tensor {}; "
                      "expected {} and {}",
                      importance->columns, given, quote_name(source.name), source.shape.row(), matrices);
  for (uint64_t i = 0; i < matrices; ++i) means.push_back(importance->mean_squares(given == 1 ? 0 : i));
  return means;
}

Status copy_rows(const TensorSource& source, const TensorSink& sink) {
  for (uint64_t at = 0; at < source.bytes.size(); at += kPieceBytes)
    RIVAL_RETURN_IF_ERROR(
        sink(source.bytes.subspan(at, std::min<uint64_t>(kPieceBytes, source.bytes.size() - at))));
  return {};
}

}  // namespace

TensorSource make_source(std::string name, const TensorView& view, const MappedFile* file) {
  TensorSource source{.name = std::move(name),
                      .shape = view.shape,
                      .type = view.type,
                      .bytes = view.bytes,
                      .decode_row = {},
                      .release = {}};
  source.decode_row = [type = view.type, bytes = view.bytes, elements = view.shape.row()](uint64_t row,
                                                                                          float* out) {
    dequantize_row(type, bytes.data() + row * row_bytes(type, elements), out, elements);
  };
  if (file) source.release = [file, bytes = view.bytes] { file->release(bytes); };
  return source;
}

Status encode_tensor(const TensorSource& source, DType type, const Importance* importance, ThreadTeam& team,
                     const TensorSink& sink) {
  if (!source.bytes.empty() && source.type == type) return copy_rows(source, sink);
  RIVAL_ASSIGN_OR_RETURN(const auto means, matrix_importance(source, importance));
  const uint64_t elements = source.shape.row(), rows = source.shape.rows();
  const uint64_t encoded_bytes = row_bytes(type, elements);
  const uint64_t piece_rows = std::clamp<uint64_t>(kPieceBytes / encoded_bytes, 1, rows);
  std::vector<std::byte> piece(piece_rows * encoded_bytes);
  std::atomic<uint64_t> bad_row = UINT64_MAX;
  for (uint64_t begin = 0; begin < rows; begin += piece_rows) {
    const uint64_t count = std::min(piece_rows, rows - begin);
    team.run([&](uint32_t thread) {
      std::vector<float> row(elements);
      for (uint64_t i = thread; i < count; i += team.size()) {
        source.decode_row(begin + i, row.data());
        if (!is_encodable(row.data(), elements)) {
          bad_row = begin + i;
          return;
        }
        const uint64_t matrix = (begin + i) / source.shape.dims[1];
        quantize_row(type, row.data(), piece.data() + i * encoded_bytes, elements,
                     means.empty() ? nullptr : means[matrix].data());
      }
    });
    if (bad_row != UINT64_MAX)
      return make_error(ErrorCode::kCorrupt,
                        "tensor {} has a weight in row {} that is not finite, or above {:g}",
                        quote_name(source.name), bad_row.load(), kQuantizeMagnitudeMax);
    RIVAL_RETURN_IF_ERROR(sink(std::span(piece).first(count * encoded_bytes)));
  }
  return {};
}

Status encode_gguf(const std::filesystem::path& path, const MetadataBuilder& metadata,
                   std::span<const TensorJob> jobs, ThreadTeam& team,
                   const std::function<void(uint64_t)>& on_bytes) {
  std::vector<TensorPlan> plan;
  for (const TensorJob& job : jobs) plan.push_back({job.source.name, job.type, job.source.shape});
  RIVAL_ASSIGN_OR_RETURN(GgufWriter writer, GgufWriter::create(path, metadata, std::move(plan)));
  uint64_t written = 0;
  const auto append = [&](std::span<const std::byte> bytes) {
    written += bytes.size();
    if (on_bytes) on_bytes(written);
    return writer.append(bytes);
  };
  for (const TensorJob& job : jobs) {
    RIVAL_RETURN_IF_ERROR(encode_tensor(job.source, job.type, job.importance, team, append));
    if (job.source.release) job.source.release();
  }
  return writer.finish();
}

}  // namespace rival::format
