// The weights of a model, packed for computing.
#pragma once

#include <memory>
#include <vector>

#include "base/thread_team.h"
#include "model/source.h"
#include "ops/experts.h"
#include "ops/linear.h"
#include "tensor/arena.h"

namespace rival::model {

struct LayerWeights {
  ops::PackedMatrix q, k, v, o, router;
  ops::GatedWeights ffn;
  ops::PackedMatrix down;
  std::vector<ops::Expert> experts;
  LayerSource vectors;  // its vectors only; the matrix views are cleared
};

// Rows of an embedding table that is not used as a matrix too: they stay in the mapped file.
struct EmbeddingRows {
  MatrixView view;
  void row(uint32_t index, float* out) const;
};

struct Weights {
  Arena arena;
  std::vector<LayerWeights> layers;
  ops::PackedMatrix output;       // absent in encoders
  bool tied = false;              // token rows are rows of `output`
  EmbeddingRows token_embedding, position_embedding, type_embedding;
  Vector embedding_norm, embedding_norm_bias, output_norm, output_norm_bias, rope_factors;
  std::vector<std::shared_ptr<const MappedFile>> files;

  uint64_t bytes_read_per_token(const ModelConfig& config) const;

  static Result<Weights> pack(const ModelSource& source, ThreadTeam& team);
};

}  // namespace rival::model
