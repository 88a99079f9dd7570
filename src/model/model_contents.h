// A model on its way to another file: metadata and tensors, from GGUF or from a Hugging Face folder, named
// and laid out as in GGUF.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/thread_team.h"
#include "format/encode.h"
#include "format/gguf_writer.h"
#include "format/importance.h"
#include "model/mixture.h"

namespace rival::model {

struct ModelContents {
  format::MetadataBuilder metadata;
  std::vector<format::TensorSource> tensors;
  MixtureModel mixture_model;
  std::shared_ptr<const void> owner;  // of what the tensors read from
};

// `path` is a GGUF file (or any shard of a split one) or a Hugging Face folder.
// Errors: those of reading; kUnsupported for a tokenizer that GGUF cannot describe.
Result<ModelContents> read_contents(const std::filesystem::path& path);

struct WriteOptions {
  std::optional<Mixture> mixture;  // absent: tensors keep their types
  const format::ImportanceMatrix* importance = nullptr;
  // Bytes written and bytes in all, for a progress bar. May be empty.
  std::function<void(uint64_t done, uint64_t total)> on_progress;
};

struct WriteReport {
  std::map<DType, uint64_t> tensors;  // how many of each type were written
  uint64_t weights = 0;
  uint64_t bytes_before = 0, bytes_after = 0;  // of tensors
};

// Writes a GGUF file. Tensors that already have their type are copied; general.file_type says the mixture.
// `out` may be the file that `contents` came from. Errors: those of encoding and writing; then `out` is as it
// was.
Result<WriteReport> write_contents(const ModelContents& contents, const std::filesystem::path& out,
                                   ThreadTeam& team, const WriteOptions& options);

// What the mixture's rules ask of a model, from its metadata and tensors.
// Errors: kCorrupt for metadata of a wrong type, kLimit.
Result<MixtureModel> read_mixture_model(const format::Metadata& metadata,
                                        std::span<const TensorView> tensors);

}  // namespace rival::model
