// Models that are on this machine already, for callers that pass on a stranger's words: a name is looked up in the
// catalogue, the store, the Hugging Face cache and the Ollama store. No path is opened for a name and nothing is
// fetched.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub.h"

namespace rival::hub {

struct LocalModel {
  std::string name;       // what find_local_model() takes
  std::string where;      // "store", "Hugging Face cache" or "Ollama store"
  uint64_t bytes = 0;     // 0: not known
  int64_t since_s = 0;    // Unix time; 0: not known
  std::optional<Row> row; // when the catalogue knows it
  std::string sha256 = {};  // of the weights; empty: not known
};

// Errors: kNotFound; kDenied for a licence that was not accepted.
Result<ResolvedModel> find_local_model(const Hub& hub, std::string_view name, bool accept_licence);

// By place, then by name.
std::vector<LocalModel> list_local_models(const Hub& hub);

// The SHA-256 of a model's weights where they lie in a store which names files by it: ours, the Hugging Face cache, the
// Ollama store; of several files the first one's. Empty for what lies elsewhere.
std::string known_sha256(const std::filesystem::path& path);

// Bytes of the weights that a resolved path stands for: all parts of a split GGUF, all safetensors of a folder.
uint64_t weights_bytes(const std::filesystem::path& path);

}  // namespace rival::hub
