#include "serve/generation.h"

#include <charconv>
#include <cmath>

#include "base/limits.h"
#include "text/tokenizer.h"

namespace rival::serve {
namespace {

void read_sampler(Fields& f, engine::SamplerParams& s) {
  const auto set = [&](std::string_view name, double min, double max, float& out) {
    if (const auto x = f.number(name, min, max)) out = static_cast<float>(*x);
  };
  set("temperature", 0, 2, s.temperature);
  set("top_p", 1e-6, 1, s.top_p);
  set("min_p", 0, 1, s.min_p);
  set("typical_p", 1e-6, 1, s.typical_p);
  set("repetition_penalty", 0.01, 10, s.repetition_penalty);
  set("presence_penalty", -2, 2, s.presence_penalty);
  set("frequency_penalty", -2, 2, s.frequency_penalty);
  if (const auto k = f.integer("top_k", -1, INT32_MAX)) s.top_k = *k < 0 ? 0 : static_cast<uint32_t>(*k);
  if (const auto seed = f.integer("seed", -(int64_t{1} << 53), int64_t{1} << 53)) s.seed = static_cast<uint64_t>(*seed);
}

void read_bias(Fields& f, const ServedModel& model, engine::SamplerParams& s) {
  const json::object* bias = f.object("logit_bias");
  if (!bias) return;
  for (const auto& [key, value] : *bias) {
    int64_t id = -1;
    const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), id);
    const bool whole = code == std::errc() && end == key.data() + key.size();
    if (!whole || id < 0 || id >= static_cast<int64_t>(model.config().vocabulary_size))
      return f.fail("logit_bias", fmt::format("'{}' is not a token id below {}", std::string_view(key), model.config().vocabulary_size));
    const double x = value.is_number() ? value.to_number<double>() : NAN;
    if (!(x >= -100 && x <= 100)) return f.fail("logit_bias", fmt::format("the bias of {} is not a number between -100 and 100", id));
    s.logit_bias.emplace_back(static_cast<text::TokenId>(id), x == -100 ? -INFINITY : static_cast<float>(x));
  }
}

void read_stops(Fields& f, engine::Request& r) {
  const json::value* stop = f.find("stop");
  if (!stop) return;
  const auto add = [&](const json::value& v) {
    if (!v.is_string() || v.get_string().empty()) return f.fail("stop", "expected strings that are not empty");
    r.stop.emplace_back(v.get_string());
  };
  if (!stop->is_array()) return add(*stop);
  if (stop->get_array().size() > limits::kStopStringsMax) return f.fail("stop", fmt::format("at most {} strings", limits::kStopStringsMax));
  for (const json::value& v : stop->get_array()) add(v);
}

}  // namespace

void read_generation(Fields& f, const ServedModel& model, engine::Request& r) {
  r.sampler = model.default_sampling();
  read_sampler(f, r.sampler);
  read_bias(f, model, r.sampler);
  read_stops(f, r);
  if (const auto n = f.integer("n", 1, 64)) r.n = static_cast<uint32_t>(*n);
  for (const char* name : {"max_completion_tokens", "max_tokens"})
    if (const auto count = f.integer(name, 0, limits::kAnswerTokensMax); count && !r.max_tokens) r.max_tokens = static_cast<uint32_t>(*count);
  if (const auto count = f.integer("min_tokens", 0, limits::kAnswerTokensMax)) r.min_tokens = static_cast<uint32_t>(*count);
  r.ignore_eos = f.boolean("ignore_eos", false);
  r.reuse_prefix = f.boolean("cache_prompt", true);
  r.speculate = f.boolean("speculate", true);
}

std::optional<ApiError> check_prompt_size(ServedModel& model, size_t tokens) {
  const uint32_t context = model.engine().context_limit();
  if (tokens < context) return std::nullopt;
  return context_exceeded(tokens, context);
}

ApiError submit_error(const Error& error) {
  return error.code == ErrorCode::kLimit ? queue_full(error.message) : to_api_error(error);
}

const char* openai_finish_reason(engine::FinishReason reason) {
  return reason == engine::FinishReason::kLength || reason == engine::FinishReason::kContext ? "length" : "stop";
}

json::object openai_usage(const engine::Usage& usage, uint64_t completion_tokens) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", completion_tokens},
          {"total_tokens", usage.prompt_tokens + completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

}  // namespace rival::serve
