// Sums of squares of the activations that meet each weight matrix, gathered in the forward pass: what an importance
// matrix (format/importance.h) is made of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "format/encode.h"
#include "format/importance.h"
#include "model/config.h"

namespace rival::model {

// The input of one matrix, or of each expert's: the float activations, before they are quantised.
struct InputSums {
  std::vector<double> squares;   // [matrices][columns]
  std::vector<uint64_t> counts;  // [matrices], activations summed

  void resize(uint64_t matrices, uint64_t columns);
};

struct LayerInputSums {
  InputSums heads;          // of q, k and v
  InputSums attended;       // of the output projection
  InputSums feed_forward;   // of gate and up
  InputSums hidden;         // of down
  InputSums expert;         // of each expert's gate and up
  InputSums expert_hidden;  // of each expert's down
};

struct ActivationSums {
  explicit ActivationSums(const ModelConfig& config);
  std::vector<LayerInputSums> layers;
};

// The sums under the names of the model's tensors, GGUF's. Matrices that are not in a layer have none.
format::ImportanceMatrix importance_of(const ActivationSums& sums, std::span<const format::TensorSource> tensors);

}  // namespace rival::model
