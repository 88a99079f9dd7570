// Operations and bytes that computing with a model takes, and the time that a machine cannot do it under.
#pragma once

#include <cstdint>
#include <vector>

#include "eval/machine_limits.h"
#include "model/decoder.h"

namespace rival::engine {
class LoadedModel;
}

namespace rival::eval {

// What computing with a model takes, from its shape.
struct ModelWork {
  double body_ops = 0.0;       // of one token in all layers, matrices only: two a weight
  double head_ops = 0.0;       // of one row of logits
  double weight_bytes = 0.0;   // that a step of one token reads
  std::vector<double> kv_bytes;       // of one position, by layer
  std::vector<uint32_t> kv_window;    // positions that a layer looks at; 0 = all
  bool int8 = true;            // products of bytes; else of floats

  double kv_bytes_at(uint32_t positions) const;  // that the token after so many positions reads
};

ModelWork work_of(engine::LoadedModel& loaded, model::KvType kv);

// Seconds that a step cannot fall below: `tokens` computed at `depth` positions each, `rows` of logits.
double least_seconds(const ModelWork& work, const MachineLimits& limits, uint32_t tokens, uint32_t sequences,
                     uint32_t rows, uint32_t depth);

}  // namespace rival::eval
