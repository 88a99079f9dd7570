// safetensors model files, read in place (format: huggingface/safetensors, README "Format").
//
//   offset  size  meaning
//   0       8     N, the length of the header
//   8       N     JSON: {"NAME": {"dtype": "F16", "shape": [slowest, ..., fastest],
//                                 "data_offsets": [begin, end]}, ...}
//                 and optionally "__metadata__": {"key": "text", ...}; may end in spaces
//   8 + N         data; offsets count from here; tensors cover it without a gap or an overlap
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "format/tensor_table.h"

namespace rival::format {

using SafetensorsMetadata = std::vector<std::pair<std::string, std::string>>;

struct SafetensorsContents {
  SafetensorsMetadata metadata;
  std::vector<TensorView> tensors;
};

// Dimensions are turned round to fastest first. Unsigned and BOOL tensors come as the signed type of the same
// width, the same bytes; empty tensors are left out. A view's bytes may be unaligned.
// Errors: kCorrupt, kLimit; kUnsupported for 8-bit and smaller floats. They name the tensor and field.
Result<SafetensorsContents> parse_safetensors(std::span<const std::byte> bytes);

// The tensors of a Hugging Face checkpoint.
class SafetensorsFile {
 public:
  // `path` is a .safetensors file, a *.safetensors.index.json, or a folder that holds either. An index's
  // shards lie beside it; every name that it lists must be in the shard that it says. Errors: those of
  // parse_safetensors, kNotFound for a folder without safetensors or a missing shard.
  static Result<SafetensorsFile> open(const std::filesystem::path& path);

  const SafetensorsMetadata& metadata() const { return metadata_; }  // of the first file
  std::span<const TensorView> tensors() const { return table_.tensors(); }
  const TensorView* find_tensor(std::string_view name) const { return table_.find(name); }
  Result<TensorView> get_tensor(std::string_view name) const { return table_.get(name); }
  const MappedFile& file_of(const TensorView& tensor) const { return table_.file_of(tensor); }
  const TensorTable& table() const { return table_; }

 private:
  Status add(const std::filesystem::path& path);
  Status open_index(const std::filesystem::path& path);

  SafetensorsMetadata metadata_;
  TensorTable table_;
};

}  // namespace rival::format
