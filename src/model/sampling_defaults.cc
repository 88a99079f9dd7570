#include "model/sampling_defaults.h"

#include <charconv>
#include <string>

namespace rival::model {
namespace {

struct Row {
  const char* hf;
  const char* gguf;
  std::optional<float> SamplingDefaults::*member;
  float min, max;
};

constexpr Row kRows[] = {
    {"temperature", "general.sampling.temp", &SamplingDefaults::temperature, 0.0f, 100.0f},
    {"top_p", "general.sampling.top_p", &SamplingDefaults::top_p, 1e-6f, 1.0f},
    {"min_p", "general.sampling.min_p", &SamplingDefaults::min_p, 0.0f, 1.0f},
    {"repetition_penalty", "general.sampling.penalty_repeat", &SamplingDefaults::repetition_penalty, 1e-2f, 10.0f},
};
constexpr auto kTopK = "general.sampling.top_k";
constexpr int64_t kTopKMax = 1 << 20;

void take(const Row& row, double value, SamplingDefaults& out) {
  if (value >= row.min && value <= row.max) out.*row.member = static_cast<float>(value);
}

void take_top_k(int64_t value, SamplingDefaults& out) {
  if (value >= -1 && value <= kTopKMax) out.top_k = value < 0 ? 0 : static_cast<uint32_t>(value);
}

// 0.6f as 0.6, not as 0.6000000238418579.
double as_written(float value) {
  char text[32];
  double out = value;
  std::from_chars(text, std::to_chars(text, text + sizeof text, value).ptr, out);
  return out;
}

}  // namespace

SamplingDefaults sampling_of(const json::object& config) {
  SamplingDefaults out;
  const json::value* sample = config.if_contains("do_sample");
  if (sample != nullptr && sample->is_bool() && !sample->get_bool()) {
    out.temperature = 0.0f;
    return out;
  }
  for (const Row& row : kRows)
    if (const json::value* value = config.if_contains(row.hf); value != nullptr && value->is_number())
      take(row, value->to_number<double>(), out);
  const json::value* top_k = config.if_contains("top_k");
  if (top_k != nullptr && top_k->is_int64()) take_top_k(top_k->get_int64(), out);
  return out;
}

SamplingDefaults sampling_of(const format::Metadata& metadata) {
  SamplingDefaults out;
  for (const Row& row : kRows)
    if (const auto value = metadata.get_f32(row.gguf); value.ok()) take(row, *value, out);
  if (const auto value = metadata.get_i64(kTopK); value.ok()) take_top_k(*value, out);
  return out;
}

void write_sampling(const SamplingDefaults& sampling, json::object& config) {
  if (sampling == SamplingDefaults()) return;
  config["do_sample"] = sampling.temperature != 0.0f;
  if (sampling.temperature == 0.0f) return;
  for (const Row& row : kRows)
    if (const auto value = sampling.*row.member) config[row.hf] = as_written(*value);
  if (sampling.top_k) config["top_k"] = *sampling.top_k;
}

void write_sampling(const SamplingDefaults& sampling, format::MetadataBuilder& metadata) {
  for (const Row& row : kRows)
    if (const auto value = sampling.*row.member) metadata.set_f32(row.gguf, *value);
  if (sampling.top_k) metadata.set_i32(kTopK, static_cast<int32_t>(*sampling.top_k));
}

}  // namespace rival::model
