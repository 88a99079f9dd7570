// The stored tensors of a model by role, whichever format holds them.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "format/gguf.h"
#include "format/safetensors.h"
#include "model/architecture.h"
#include "tensor/tensor.h"

namespace rival::model {

// A tensor as it lies in the file: one matrix, or one for each expert. A vector has one row.
struct StoredTensor {
  std::string name;  // as the file spells it
  DType type = DType::kF32;
  std::vector<const std::byte*> matrices;
  uint64_t rows = 0;
  uint64_t cols = 0;
  uint64_t row_stride = 0;  // in elements; block types have whole rows and col_stride 1
  uint64_t col_stride = 1;
  float offset = 0.0f;  // to be added to every value (Gemma's norms in Hugging Face folders)

  MatrixView matrix(size_t index = 0) const {
    return {matrices[index], type, rows, cols, row_stride, col_stride};
  }
};

class WeightFile {
 public:
  virtual ~WeightFile() = default;

  // `role` is GGUF's name: "token_embd.weight", "blk.3.attn_q.bias". nullopt if the file has no such tensor.
  virtual Result<std::optional<StoredTensor>> find(std::string_view role) = 0;

  // The name of a tensor that no role asked for, or empty: a part of the model that Rival does not know.
  virtual std::string unused() const = 0;

  virtual std::vector<std::shared_ptr<const MappedFile>> files() const = 0;
  virtual std::vector<std::shared_ptr<const std::vector<std::byte>>> buffers() const { return {}; }
  virtual uint64_t bytes() const = 0;  // of all tensors
};

// Row `row` of all matrices one after the other, as cols floats.
void decode_row(const StoredTensor& stored, uint64_t row, float* out);

// Where row `row` of GGUF lies in Hugging Face's order, for q and k of architectures with adjacent RoPE pairs. There
// the first half of a head's turning dimensions meets the second half, in GGUF's adjacent style neighbours meet.
uint64_t hf_row(uint64_t row, uint32_t head_dim, uint32_t rope_dim);

// The roles of the architecture, each once: those of the whole model and those of a layer.
struct Roles {
  std::vector<std::string_view> model, layer;
};
Roles roles_of(const Architecture& architecture);

std::unique_ptr<WeightFile> gguf_weights(std::shared_ptr<const format::GgufFile> file,
                                         const Architecture& architecture);

std::unique_ptr<WeightFile> hf_weights(std::shared_ptr<const format::SafetensorsFile> file,
                                       const Architecture& architecture);

}  // namespace rival::model
