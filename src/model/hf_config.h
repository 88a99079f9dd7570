// A Hugging Face config.json as hyper-parameters under GGUF's names, so that an architecture's row reads both
// alike.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "base/result.h"
#include "model/architecture.h"
#include "model/hyper_parameters.h"

namespace rival::model {

// Errors: kCorrupt, kUnsupported for a kind of RoPE or attention that Rival does not have; they name the key.
Result<HyperParameters> hf_parameters(const Architecture& architecture, const json::object& config);

// How a sentence-transformers folder (modules.json and the pooling module's config.json) pools and
// normalises. Nothing is set where it does not say.
Status read_hf_pooling(const std::filesystem::path& folder, HyperParameters& parameters);

}  // namespace rival::model
