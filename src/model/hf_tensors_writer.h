// The tensors of a GGUF file as a Hugging Face folder names and lays them out: the inverse of gguf_from_hf.cc.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread_team.h"
#include "format/safetensors_writer.h"
#include "model/weight_file.h"

namespace rival::model {

// A stored tensor, or one of the two that share a tensor there (gate and up of stacked experts).
struct HfPart {
  StoredTensor stored;
  uint64_t first = 0, row_step = 0, col_step = 1;  // where its elements go in each matrix
  uint32_t head_dim = 0, rope_dim = 0;             // head_dim > 0: q or k whose rows move back
  float offset = 0.0f;                             // to be added to every value
};

struct HfTensor {
  std::string name;
  std::vector<uint64_t> shape;                 // slowest first
  uint64_t matrices = 1, rows = 1, cols = 1;   // a vector has one row
  bool by_rows = false;                        // one part that lies as it is stored: no need to hold a whole matrix
  std::vector<HfPart> parts;
};

// Every tensor of the file, in the order of the architecture's roles, the head's last. Errors: kUnsupported, with its
// name, for a tensor that has no place there; kCorrupt.
Result<std::vector<HfTensor>> hf_tensors(const Architecture& architecture, const ModelConfig& config, WeightFile& file);

// Gives the tensor's values as `type` (F32, F16, BF16) to `sink`, in pieces. Errors: those of `sink`.
Status write_hf_tensor(const HfTensor& tensor, DType type, ThreadTeam& team, const format::TensorSink& sink);

}  // namespace rival::model
