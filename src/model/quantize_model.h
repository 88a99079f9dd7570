// A model file written again with its weights in another type.
#pragma once

#include <filesystem>
#include <functional>
#include <map>

#include "base/result.h"
#include "base/thread_team.h"
#include "format/encode.h"
#include "format/importance.h"
#include "model/mixture.h"

namespace rival::model {

struct QuantizeOptions {
  const format::ImportanceMatrix* importance = nullptr;
  // Bytes written and bytes in all, for a progress bar. May be empty.
  std::function<void(uint64_t done, uint64_t total)> on_progress;
};

struct QuantizeReport {
  std::map<DType, uint64_t> tensors;  // how many of each type were written
  uint64_t weights = 0;
  uint64_t bytes_before = 0, bytes_after = 0;  // of tensors
};

// What the mixture's rules ask of a model, from its metadata and tensors.
// Errors: kCorrupt for metadata of a wrong type.
Result<MixtureModel> mixture_model(const format::Metadata& metadata, std::span<const TensorView> tensors);

// Reads the GGUF file `in` (or all shards of it), of any types, and writes `out` as `mixture` says; tensors
// that already have their type are copied. Metadata is kept, general.file_type is set anew. `out` may be
// `in`. Errors: those of reading, encoding and writing; then `out` is as it was.
Result<QuantizeReport> quantize_model(const std::filesystem::path& in, const std::filesystem::path& out,
                                      const Mixture& mixture, ThreadTeam& team,
                                      const QuantizeOptions& options);

}  // namespace rival::model
