// Opening a Hugging Face folder: config.json, safetensors, tokenizer.json, chat template.
#pragma once

#include <filesystem>

#include "model/source.h"

namespace rival::model {

// Errors as open_model's.
Result<ModelSource> open_hf_folder(const std::filesystem::path& folder);
Result<ModelSource> open_hf_texts(const std::filesystem::path& folder);

}  // namespace rival::model
