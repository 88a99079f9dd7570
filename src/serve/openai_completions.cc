// POST /v1/completions: OpenAI's older API, a text in and its continuation out.
#include <ctime>

#include "serve/answer_format.h"
#include "serve/generation.h"
#include "serve/openai_logprobs.h"
#include "serve/service.h"
#include "text/tokenizer.h"

namespace rival::serve {
namespace {

constexpr std::string_view kRefused[] = {"suffix", "best_of"};

struct Head {
  std::string id, model;
  int64_t created;
  json::object object() const {
    return {{"id", id}, {"object", "text_completion"}, {"created", created}, {"model", model}};
  }
};

json::object choice(uint32_t index, const std::string& text, json::value logprobs, json::value finish) {
  return {{"index", index}, {"text", text}, {"logprobs", std::move(logprobs)}, {"finish_reason", std::move(finish)}};
}

// A string, an array of token ids, or an array that holds one of these.
std::optional<std::vector<text::TokenId>> read_prompt(Fields& fields, const ServedModel& model) {
  const json::value* prompt = fields.find("prompt");
  if (prompt && prompt->is_array() && prompt->get_array().size() == 1 && !prompt->get_array()[0].is_number())
    prompt = &prompt->get_array()[0];
  if (prompt && prompt->is_string()) {
    auto ids = model.tokenizer().encode(std::string_view(prompt->get_string()));
    if (ids.ok()) return std::move(ids).value();
    fields.fail("prompt", ids.error().message);
    return std::nullopt;
  }
  if (!prompt || !prompt->is_array()) {
    fields.fail("prompt", "expected a string or an array of token ids; one prompt a request");
    return std::nullopt;
  }
  std::vector<text::TokenId> ids;
  for (const json::value& id : prompt->get_array()) {
    const int64_t x = id.is_int64() ? id.get_int64() : -1;
    if (x < 0 || x >= static_cast<int64_t>(model.config().vocabulary_size)) {
      fields.fail("prompt", "holds something that is not a token id of this model; one prompt a request");
      return std::nullopt;
    }
    ids.push_back(static_cast<text::TokenId>(x));
  }
  return ids;
}

class CompletionStream {
 public:
  CompletionStream(std::shared_ptr<http::Exchange> exchange, const ServedModel& model, Head head, uint32_t n, bool logprobs, bool usage)
      : exchange_(std::move(exchange)), model_(model), head_(std::move(head)), offsets_(n), open_(n), logprobs_(logprobs), usage_(usage) {}

  void take(engine::Output output) {
    if (!started_) exchange_->begin_stream(200, "text/event-stream", {{"Cache-Control", "no-cache"}});
    started_ = true;
    if (!output.text.empty() || (logprobs_ && !output.tokens.empty())) {
      json::value logprobs = nullptr;
      if (logprobs_) logprobs = completion_logprobs(model_.tokenizer(), output.tokens, offsets_[output.index]);
      send(choice(output.index, output.text, std::move(logprobs), nullptr));
    }
    if (!output.finish) return;
    tokens_ += output.finish->usage.completion_tokens;
    if (output.finish->reason == engine::FinishReason::kError) {
      exchange_->write("data: " + to_json_text(openai_error(to_api_error(output.finish->error))) + "\n\n");
    } else {
      send(choice(output.index, "", nullptr, openai_finish_reason(output.finish->reason)));
    }
    if (--open_ > 0) return;
    if (usage_) {
      json::object last = head_.object();
      last["choices"] = json::array{};
      last["usage"] = openai_usage(output.finish->usage, tokens_);
      exchange_->write("data: " + to_json_text(last) + "\n\n");
    }
    exchange_->write("data: [DONE]\n\n");
    exchange_->end();
  }

 private:
  void send(json::object one) {
    json::object data = head_.object();
    data["choices"] = json::array{std::move(one)};
    exchange_->write("data: " + to_json_text(data) + "\n\n");
  }

  const std::shared_ptr<http::Exchange> exchange_;
  const ServedModel& model_;
  const Head head_;
  std::vector<size_t> offsets_;
  uint32_t open_;
  const bool logprobs_, usage_;
  bool started_ = false;
  uint64_t tokens_ = 0;
};

void respond_completion(const std::shared_ptr<http::Exchange>& exchange, const ServedModel& model, const Head& head, bool logprobs,
                        const std::string& echo, const std::vector<AnswerText>& answers) {
  json::object out = head.object();
  json::array choices;
  uint64_t tokens = 0;
  for (uint32_t i = 0; i < answers.size(); ++i) {
    const AnswerText& a = answers[i];
    if (a.finish.reason == engine::FinishReason::kError) return respond_error(exchange, to_api_error(a.finish.error));
    tokens += a.finish.usage.completion_tokens;
    size_t offset = echo.size();
    choices.push_back(choice(i, echo + a.text, logprobs ? json::value(completion_logprobs(model.tokenizer(), a.tokens, offset)) : json::value(nullptr),
                             openai_finish_reason(a.finish.reason)));
  }
  out["choices"] = std::move(choices);
  out["usage"] = openai_usage(answers.front().finish.usage, tokens);
  respond_json(exchange, out);
}

}  // namespace

void completions(Service& service, const std::shared_ptr<http::Exchange>& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  Fields fields(body);
  if (model->embeds()) fields.fail("model", "is an embedding model; use /v1/embeddings");
  for (std::string_view name : kRefused)
    if (fields.has(name)) fields.fail(name, "is not supported by this server");
  engine::Request request;
  request.max_tokens = static_cast<uint32_t>(fields.integer("max_tokens", 0, 1 << 24).value_or(16));  // OpenAI's default
  if (!fields.error()) read_generation(fields, *model, request);
  const auto logprobs = fields.integer("logprobs", 0, 20);
  request.sampler.want_logprobs = logprobs.has_value();
  request.sampler.logprobs = static_cast<uint32_t>(logprobs.value_or(0));
  const bool stream = fields.boolean("stream", false), echo = fields.boolean("echo", false);
  if (echo && (stream || logprobs)) fields.fail("echo", "is possible without stream and logprobs only");
  const json::object* stream_options = fields.object("stream_options");
  const bool usage = stream_options && Fields(*stream_options).boolean("include_usage", false);
  const AnswerFormat format = read_answer_format(fields);
  auto prompt = read_prompt(fields, *model);
  const auto grammar = compile_format(*model, format);
  if (!grammar.ok()) fields.fail(format.param, grammar.error().message);
  if (fields.error()) return respond_error(exchange, *fields.error());
  if (*grammar) request.constraint = constrain(*grammar);
  const std::string echoed = echo ? model->tokenizer().decode(*prompt, {.skip_special = true}) : "";
  request.prompt = std::move(*prompt);
  if (const auto error = check_prompt_size(*model, request.prompt.size())) return respond_error(exchange, *error);
  const Head head{fmt::format("cmpl-{:x}{:x}", std::time(nullptr), service.requests()), model->name(), std::time(nullptr)};
  const uint32_t n = request.n;
  std::function<void(engine::Output)> sink;
  if (stream) {
    const auto out = std::make_shared<CompletionStream>(exchange, *model, head, n, logprobs.has_value(), usage);
    sink = [out](engine::Output output) { out->take(std::move(output)); };
  } else {
    sink = collect_answers(n, [exchange, model, head, want = logprobs.has_value(), echoed](std::vector<AnswerText> answers) {
      respond_completion(exchange, *model, head, want, echoed, answers);
    });
  }
  const Status started = start_generation(*model, std::move(request), exchange, std::move(sink));
  if (!started.ok()) respond_error(exchange, submit_error(started.error()));
}

}  // namespace rival::serve
