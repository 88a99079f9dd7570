// Fills a ModelSource from stored tensors: every role that the configuration asks for, with its shape
// checked.
#pragma once

#include "model/architecture.h"
#include "model/source.h"
#include "model/weight_file.h"

namespace rival::model {

// Sets config, all weights and files of a ModelSource; vocabulary_size and, where layers have a dense block
// beside experts, its width come from the tensors. Errors: kCorrupt for a missing tensor or a wrong shape,
// kUnsupported for a tensor that no role of the architecture explains, kLimit.
Result<ModelSource> build_source(const Architecture& architecture, ModelConfig config, WeightFile& weights);

}  // namespace rival::model
