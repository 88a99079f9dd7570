// Writing safetensors: one file, or shards with an index as Hugging Face names them.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/safetensors.h"

namespace rival::format {

// A tensor to be written. `shape` is as Hugging Face has it, slowest first; empty for a scalar.
struct SafetensorsPlan {
  std::string name;
  DType type = DType::kF32;  // F32, F16, BF16, F64 or an integer
  std::vector<uint64_t> shape;
};

struct SafetensorsOptions {
  uint64_t shard_bytes_max = 5'000'000'000;  // of data; a larger tensor gets a file of its own
  SafetensorsMetadata metadata = {{"format", "pt"}};
};

// Gives the bytes of tensor `index` of the plan to `sink`, in pieces of any length.
using TensorSink = std::function<Status(std::span<const std::byte>)>;
using TensorProducer = std::function<Status(size_t index, const TensorSink& sink)>;

// Writes model.safetensors into `folder`, or model-00001-of-0000N.safetensors and
// model.safetensors.index.json when it does not fit into one shard. Every file is written beside its name and
// renamed; the index comes last. Calls `produce` once a tensor, in the plan's order. Errors: kIo, those of
// `produce`, kInternal if it gives fewer or more bytes than the shape says.
Status write_safetensors(const std::filesystem::path& folder, std::span<const SafetensorsPlan> tensors,
                         const TensorProducer& produce, const SafetensorsOptions& options = {});

}  // namespace rival::format
