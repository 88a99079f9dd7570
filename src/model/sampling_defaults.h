// How a model's makers advise to sample, where its files say: generation_config.json, or general.sampling.* of GGUF.
#pragma once

#include <cstdint>
#include <optional>

#include "base/json.h"
#include "format/gguf_writer.h"
#include "format/metadata.h"

namespace rival::model {

struct SamplingDefaults {
  std::optional<float> temperature;         // [0, 100]; 0: the likeliest token
  std::optional<uint32_t> top_k;            // 0: all
  std::optional<float> top_p;               // (0, 1]
  std::optional<float> min_p;               // [0, 1]
  std::optional<float> repetition_penalty;  // (0, 10]

  bool operator==(const SamplingDefaults&) const = default;
};

// Advice that is out of its range or of a wrong type is left out: it is no reason to refuse a model.
SamplingDefaults sampling_of(const json::object& generation_config);
SamplingDefaults sampling_of(const format::Metadata& metadata);

void write_sampling(const SamplingDefaults& sampling, json::object& generation_config);
void write_sampling(const SamplingDefaults& sampling, format::MetadataBuilder& metadata);

}  // namespace rival::model
