// Tensors on their way from one file to another: decoded row by row, encoded as the type that is wanted.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "base/thread_team.h"
#include "format/gguf_writer.h"
#include "format/importance.h"
#include "format/safetensors_writer.h"
#include "tensor/tensor.h"

namespace rival::format {

// A tensor that can be read row by row. Its rows may lie in a file as they are, or be put together from
// parts.
struct TensorSource {
  std::string name;  // as it will be written
  Shape shape;
  DType type = DType::kF32;  // as stored; what a plain copy keeps
  // Where not empty, the rows of `type` one after the other; they are copied when that type is wanted.
  std::span<const std::byte> bytes;
  // Writes row `row` (of shape.rows()) to out[shape.row()]. Called from several threads at once.
  std::function<void(uint64_t row, float* out)> decode_row;
  // Called when the tensor is done: its pages may leave memory. May be empty.
  std::function<void()> release;
};

// The rows of a view; `file`, where not null, is the map it lies in.
TensorSource make_source(std::string name, const TensorView& view, const MappedFile* file);

// Encodes all rows as `type` on the threads of `team` and gives them to `sink` in order. `importance`, where
// not null, must have the tensor's columns and one matrix, or one for each of shape.dims[2] matrices. Errors:
// those of `sink`; kCorrupt, with tensor and row, for a weight that is not finite or beyond
// kQuantizeMagnitudeMax; kInvalidArgument for an importance of another shape.
Status encode_tensor(const TensorSource& source, DType type, const Importance* importance, ThreadTeam& team,
                     const TensorSink& sink);

// A tensor and the type to write it in.
struct TensorJob {
  TensorSource source;
  DType type = DType::kF32;
  const Importance* importance = nullptr;
};

// Writes a GGUF file of these tensors. `on_bytes`, where given, hears how many bytes of tensors are written.
Status encode_gguf(const std::filesystem::path& path, const MetadataBuilder& metadata,
                   std::span<const TensorJob> jobs, ThreadTeam& team,
                   const std::function<void(uint64_t)>& on_bytes = {});

}  // namespace rival::format
