#include "cmd/chat_report.h"

#include <fmt/format.h>

#include "base/units.h"

namespace rival::cmd {
namespace {

double rate(uint32_t tokens, double seconds) { return seconds > 0 ? tokens / seconds : 0; }

}  // namespace

void report_model(const ChatModel& model, const std::string& name) {
  engine::ModelHandle& handle = model.handle();
  const engine::LoadTimes& times = handle.times();
  fmt::print(stderr, "[{}: {} {}, {} of weights, {} threads]\n", name, model.config().architecture,
             handle.weights_type(), format_bytes(handle.decoder().weight_bytes()), handle.threads());
  fmt::print(stderr, "[context {} tokens, at most {} for its keys and values]\n", model.context(),
             format_bytes(handle.kv_bytes()));
  fmt::print(stderr, "[ready in {:.3f} s: open {:.3f}, weights {:.3f}, engine {:.3f}]\n",
             times.open_s + times.pack_s + times.start_s, times.open_s, times.pack_s, times.start_s);
}

void report_end(const Answer& answer, const ChatModel& model) {
  const engine::Finish& finish = answer.finish;
  if (finish.reason == engine::FinishReason::kLength)
    fmt::print(stderr, "[cut after {} tokens; --max-tokens allows more]\n", finish.usage.completion_tokens);
  if (finish.reason == engine::FinishReason::kContext)
    fmt::print(stderr, "[cut: the context of {} tokens is full{}]\n", model.context(),
               model.context() < model.config().context_length
                   ? fmt::format("; this model can have {}: --context, --memory", model.config().context_length)
                   : "");
}

void report_rates(const Answer& answer) {
  const engine::Usage& usage = answer.finish.usage;
  const engine::Timings& timings = answer.finish.timings;
  const uint32_t computed = usage.prompt_tokens - usage.cached_tokens;
  fmt::print(stderr, "[prompt {} tokens, {} of them cached, {:.0f} tokens/s]\n", usage.prompt_tokens,
             usage.cached_tokens, rate(computed, timings.prefill_s));
  fmt::print(stderr, "[answer {} tokens, {:.1f} tokens/s, the first after {:.3f} s]\n", usage.completion_tokens,
             rate(usage.completion_tokens > 0 ? usage.completion_tokens - 1 : 0, timings.decode_s),
             timings.first_token_s);
  if (usage.drafted_tokens > 0)
    fmt::print(stderr, "[{} of {} drafted tokens were right]\n", usage.accepted_tokens, usage.drafted_tokens);
}

}  // namespace rival::cmd
