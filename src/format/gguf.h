// GGUF model files, versions 2 and 3, read in place (specification: ggml-org/ggml docs/gguf.md).
//
//   offset  size  meaning
//   0       4     "GGUF"
//   4       4     version
//   8       8     number of tensors
//   16      8     number of metadata keys
//   24            metadata: key (u64 length + bytes), u32 type, value
//                 tensor infos: name, u32 number of dimensions, u64 each dimension (fastest first), u32 type,
//                 u64 offset from the start of the data
//                 padding to the alignment (general.alignment, else 32), then the data
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "format/metadata.h"
#include "format/tensor_table.h"

namespace rival::format {

constexpr uint32_t kGgufVersion = 3;
constexpr uint64_t kGgufAlignment = 32;    // where general.alignment is missing
constexpr uint64_t kGgufAlignmentMin = 8;  // the specification asks for multiples of 8

// One file's content as views of `bytes`.
struct GgufContents {
  uint32_t version = kGgufVersion;
  uint64_t alignment = kGgufAlignment;
  Metadata metadata;
  std::vector<TensorView> tensors;
};

// Checks everything that can be checked without reading tensor data: counts, lengths, types, dimensions,
// offsets aligned, inside the bytes and not overlapping. Errors: kCorrupt, kLimit, kUnsupported (a tensor
// type or version that Rival does not read); each names the field, what was found and what was expected.
Result<GgufContents> parse_gguf(std::span<const std::byte> bytes);

// A model in one file, or in several named NAME-00001-of-0000N.gguf.
class GgufFile {
 public:
  // Maps and parses `path`; if it is a shard, all shards of its set, whichever was named. The metadata is the
  // first shard's. Errors: those of parse_gguf and MappedFile::open; kCorrupt when shards do not fit
  // together.
  static Result<GgufFile> open(const std::filesystem::path& path);

  uint32_t version() const { return version_; }
  const Metadata& metadata() const { return metadata_; }
  std::span<const TensorView> tensors() const { return table_.tensors(); }
  const TensorView* find_tensor(std::string_view name) const { return table_.find(name); }
  Result<TensorView> get_tensor(std::string_view name) const { return table_.get(name); }
  const MappedFile& file_of(const TensorView& tensor) const { return table_.file_of(tensor); }
  const TensorTable& table() const { return table_; }

 private:
  uint32_t version_ = kGgufVersion;
  Metadata metadata_;
  TensorTable table_;
};

// The name of shard `index` (from 0) of `count`: PREFIX-00001-of-00003.gguf.
std::string gguf_shard_name(std::string_view prefix, uint32_t index, uint32_t count);

}  // namespace rival::format
