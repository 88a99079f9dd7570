// What `rival quantize` and `rival convert` share.
#pragma once

#include <optional>
#include <string>

#include "model/model_contents.h"

namespace rival::cmd {

// "F32 F16 ...": the names that find_type knows.
std::string type_list();
Result<model::Mixture> find_type(const std::string& name);

// Reads the model named `in`, from wherever it is, and writes a GGUF file, with a progress bar. 0 threads:
// one a CPU.
Result<model::WriteReport> write_model(const std::string& in, const std::string& out, uint32_t threads,
                                       model::WriteOptions options);

// The same as a Hugging Face folder; `in` is then a GGUF file. See model::write_hf_folder.
Result<model::WriteReport> write_folder(const std::string& in, const std::string& out, uint32_t threads,
                                        std::optional<DType> type);

// "103.7 MB (was 96.6 MB), 6.17 bits a weight; tensors: 61 F32, ..."
std::string summary(const model::WriteReport& report);

}  // namespace rival::cmd
