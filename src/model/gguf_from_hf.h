// A Hugging Face folder as the metadata and tensors of a GGUF file.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "format/gguf_writer.h"
#include "model/architecture.h"
#include "model/hyper_parameters.h"
#include "model/model_contents.h"

namespace rival::model {

// Opens and checks the folder as open_model does. q and k rows of architectures with adjacent RoPE pairs are
// reordered, norms that are stored less one are raised, experts stand in one tensor, Llama 3's RoPE scaling
// becomes rope_freqs. Errors: open_model's; kUnsupported for a tokenizer that GGUF cannot describe.
Result<ModelContents> convert_hf_folder(const std::filesystem::path& folder);

// ---- its parts -------------------------------------------------------------------------------------------

// The hyper-parameters as keys of the architecture, less those that only say what is assumed anyway.
Status set_parameters(const Architecture& architecture, HyperParameters parameters, const ModelConfig& config,
                      format::MetadataBuilder& metadata);

// Keys under "tokenizer." from tokenizer.json, tokenizer_config.json and generation_config.json. The list of
// tokens is filled up to `vocabulary_size`, the rows of the embedding. Nothing without a tokenizer.json.
Status set_tokenizer(const std::filesystem::path& folder, uint64_t vocabulary_size,
                     format::MetadataBuilder& metadata);

}  // namespace rival::model
