// A GGUF file as a Hugging Face folder: model.safetensors (or shards with an index), config.json, tokenizer.json,
// tokenizer_config.json and generation_config.json.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "base/result.h"
#include "base/thread_team.h"
#include "model/model_contents.h"

namespace rival::model {

struct HfFolderOptions {
  std::optional<DType> type;  // F32, F16 or BF16; absent: the file's own where it is one of these, else BF16
  uint64_t shard_bytes_max = 5'000'000'000;
  std::function<void(uint64_t done, uint64_t total)> on_progress;
};

// Makes the folder if it is not there. Errors: those of open_model; kInvalidArgument for a type that is no float;
// kUnsupported for what such a folder cannot say (a tokenizer of an unusual kind, tensors of an unknown role); kIo.
Result<WriteReport> write_hf_folder(const std::filesystem::path& gguf, const std::filesystem::path& folder,
                                    ThreadTeam& team, const HfFolderOptions& options);

}  // namespace rival::model
