// A Hugging Face config.json as hyper-parameters under GGUF's names, so that an architecture's row reads both
// alike.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "base/result.h"
#include "model/architecture.h"
#include "model/hyper_parameters.h"

namespace rival::model {

// A JSON object in a file of the folder; an empty one if the file is not there. Errors: kCorrupt, kLimit.
Result<json::object> read_hf_object(const std::filesystem::path& path);

// The row for "architectures" of a config.json. Errors: kCorrupt, kUnsupported.
Result<const Architecture*> hf_architecture(const json::object& config);

// "bos_token" and the like of tokenizer_config.json: a text, or an object with its content. Empty if missing.
std::string hf_special_text(const json::object& config, std::string_view key);

// The dictionary that says how RoPE is scaled (rope_parameters, formerly rope_scaling); null if there is none.
const json::object* hf_rope(const json::object& config);

// Errors: kCorrupt, kUnsupported for a kind of RoPE or attention that Rival does not have; they name the key.
Result<HyperParameters> hf_parameters(const Architecture& architecture, const json::object& config);

// How a sentence-transformers folder (modules.json and the pooling module's config.json) pools and
// normalises. Nothing is set where it does not say.
Status read_hf_pooling(const std::filesystem::path& folder, HyperParameters& parameters);

}  // namespace rival::model
