// A model's configuration as a Hugging Face config.json, the inverse of hf_config.h.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "model/architecture.h"
#include "model/source.h"

namespace rival::model {

// Errors: kUnsupported for what config.json has no keys for (heads that differ by layer, RoPE divisors that follow no
// rule).
Result<json::object> write_hf_config(const Architecture& architecture, const ModelSource& model);

// Ids at which an answer ends, and the model's own way of sampling.
json::object write_hf_generation_config(const ModelSource& model);

// ---- parts for the rows ----------------------------------------------------------------------------------

// A float as the shortest decimal that is it: 1e-05, not 9.999999747e-06.
double shortest(float value);
// 1 / scale^2 where the model sets a scale, else the width of a head: whole where it nearly is.
json::value query_pre_attn_scalar(const ModelConfig& config);
// "layer_types" and "sliding_window".
void write_windows(const ModelConfig& config, json::object& out);
// "num_local_experts", "num_experts_per_tok".
void write_experts(const ModelConfig& config, json::object& out);

}  // namespace rival::model
