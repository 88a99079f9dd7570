// Opening a Hugging Face folder: config.json, safetensors, tokenizer.json, chat template.
#pragma once

#include <filesystem>

#include "model/source.h"

namespace rival::model {

constexpr const char* kHfTokenizer = "tokenizer.json";

// Errors as open_model's.
Result<ModelSource> open_hf_folder(const std::filesystem::path& folder);
// `tokenizer`: the name of its file in the folder.
Result<ModelSource> open_hf_texts(const std::filesystem::path& folder,
                                  const std::filesystem::path& tokenizer = kHfTokenizer);

}  // namespace rival::model
