#include "serve/openai_chat_request.h"

#include <algorithm>
#include <array>

#include "serve/answer_format.h"
#include "serve/generation.h"
#include "serve/openai_messages.h"

namespace rival::serve {
namespace {

// Every field that this API knows. What it does not know is passed over: clients of other servers send much.
enum class Treatment : uint8_t {
  kHonoured,  // read below or in the parts that are called there
  kIgnored,   // cannot change an answer
  kRefused,   // would change the answer if it were honoured
};
struct FieldRow {
  std::string_view name;
  Treatment treatment;
  std::string_view advice = {};  // of kRefused
};

constexpr FieldRow kFields[] = {
    {"model", Treatment::kHonoured}, {"messages", Treatment::kHonoured}, {"stream", Treatment::kHonoured}, {"stream_options", Treatment::kHonoured},
    {"temperature", Treatment::kHonoured}, {"top_p", Treatment::kHonoured}, {"top_k", Treatment::kHonoured}, {"min_p", Treatment::kHonoured},
    {"typical_p", Treatment::kHonoured}, {"repetition_penalty", Treatment::kHonoured}, {"presence_penalty", Treatment::kHonoured},
    {"frequency_penalty", Treatment::kHonoured}, {"seed", Treatment::kHonoured}, {"logit_bias", Treatment::kHonoured}, {"stop", Treatment::kHonoured},
    {"n", Treatment::kHonoured}, {"max_tokens", Treatment::kHonoured}, {"max_completion_tokens", Treatment::kHonoured},
    {"min_tokens", Treatment::kHonoured}, {"ignore_eos", Treatment::kHonoured}, {"cache_prompt", Treatment::kHonoured}, {"speculate", Treatment::kHonoured},
    {"response_format", Treatment::kHonoured}, {"grammar", Treatment::kHonoured}, {"tools", Treatment::kHonoured}, {"tool_choice", Treatment::kHonoured},
    {"parallel_tool_calls", Treatment::kHonoured}, {"logprobs", Treatment::kHonoured}, {"top_logprobs", Treatment::kHonoured},
    {"reasoning_effort", Treatment::kHonoured}, {"chat_template_kwargs", Treatment::kHonoured}, {"continue_final_message", Treatment::kHonoured},
    {"functions", Treatment::kHonoured}, {"function_call", Treatment::kHonoured},
    {"store", Treatment::kIgnored}, {"metadata", Treatment::kIgnored}, {"user", Treatment::kIgnored}, {"service_tier", Treatment::kIgnored},
    {"safety_identifier", Treatment::kIgnored}, {"prompt_cache_key", Treatment::kIgnored}, {"prompt_cache_retention", Treatment::kIgnored},
    {"audio", Treatment::kRefused, "this model writes text only"}, {"web_search_options", Treatment::kRefused, "there is no web search here"},
    {"prediction", Treatment::kRefused, "drafts come from the prompt by themselves"},
};

bool is_empty(const json::value& value) { return (value.is_array() && value.get_array().empty()) || (value.is_object() && value.get_object().empty()); }

void refuse_fields(Fields& fields) {
  for (const FieldRow& row : kFields) {
    const json::value* value = row.treatment == Treatment::kRefused ? fields.find(row.name) : nullptr;
    if (value && !is_empty(*value)) fields.fail(row.name, fmt::format("is not possible here: {}", row.advice));
  }
  if (const json::array* modalities = fields.list("modalities"))
    for (const json::value& modality : *modalities)
      if (modality != "text") fields.fail("modalities", "this model writes text only");
}

// For the template: what it does not ask for changes nothing.
void read_template_variables(Fields& fields, ChatRequest& chat) {
  if (const auto effort = fields.text("reasoning_effort")) {
    constexpr std::array<std::string_view, 6> kEfforts = {"none", "minimal", "low", "medium", "high", "xhigh"};
    if (std::find(kEfforts.begin(), kEfforts.end(), *effort) == kEfforts.end())
      fields.fail("reasoning_effort", fmt::format("'{}' is none of none, minimal, low, medium, high, xhigh", *effort));
    chat.template_variables["reasoning_effort"] = *effort;
    for (const char* name : {"enable_thinking", "thinking"}) chat.template_variables[name] = *effort != "none";
  }
  if (const json::object* given = fields.object("chat_template_kwargs"))
    for (const auto& [name, value] : *given) chat.template_variables[name] = value;
}

void read_logprobs(Fields& fields, OpenAiChat& out) {
  out.logprobs = fields.boolean("logprobs", false);
  const auto top = fields.integer("top_logprobs", 0, 20);
  if (top && !out.logprobs) fields.fail("top_logprobs", "needs logprobs: true");
  engine::SamplerParams& sampler = out.chat.generation.sampler;
  sampler.want_logprobs = out.logprobs;
  sampler.logprobs = static_cast<uint32_t>(top.value_or(0));
}

}  // namespace

void read_streaming(Fields& fields, bool& stream, bool& include_usage) {
  stream = fields.boolean("stream", false);
  const json::object* options = fields.object("stream_options");
  if (!options) return;
  if (!stream) fields.fail("stream_options", "is possible with stream: true only");
  Fields inner(*options);
  include_usage = inner.boolean("include_usage", false);
  if (inner.error()) fields.fail("stream_options", inner.error()->message);
}

OpenAiChat read_openai_chat(Fields& fields, const ServedModel& model) {
  OpenAiChat out;
  refuse_fields(fields);
  out.chat.messages = read_openai_messages(fields);
  out.functions = read_openai_tools(fields, out.chat);
  out.chat.format = read_answer_format(fields);
  read_generation(fields, model, out.chat.generation);
  read_template_variables(fields, out.chat);
  out.chat.continue_last = fields.boolean("continue_final_message", false);
  read_logprobs(fields, out);
  read_streaming(fields, out.stream, out.include_usage);
  return out;
}

}  // namespace rival::serve
