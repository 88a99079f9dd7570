// POST /v1/completions: OpenAI's older API, texts in and their continuations out.
#include <algorithm>
#include <ctime>
#include <mutex>

#include "base/limits.h"
#include "serve/answer_format.h"
#include "serve/completion_prompt.h"
#include "serve/fresh_id.h"
#include "serve/generation.h"
#include "serve/openai_chat_request.h"
#include "serve/openai_logprobs.h"
#include "serve/service.h"
#include "serve/submit.h"

namespace rival::serve {
namespace {

constexpr uint32_t kTokensDefault = 16;  // OpenAI's

struct CompletionRequest {
  std::vector<std::vector<text::TokenId>> prompts;
  std::vector<std::string> echoes;      // put before each answer; one a prompt, empty without echo
  bool echo = false;
  uint32_t n = 1, best_of = 1;          // answers a prompt: told, and written
  std::optional<uint32_t> logprobs;
  bool stream = false, include_usage = false;
};

// One answer as it has grown.
struct AnswerText {
  std::string text;
  std::vector<engine::SampledToken> tokens;
  engine::Finish finish;
};

double mean_logprob(const AnswerText& answer) {
  double sum = 0;
  for (const engine::SampledToken& token : answer.tokens) sum += token.logprob.value_or(0.0f);
  return answer.tokens.empty() ? 0.0 : sum / static_cast<double>(answer.tokens.size());
}

// All answers of a request: those of prompt p have the places p * best_of and on.
class Completions {
 public:
  Completions(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<ServedModel> model, CompletionRequest request)
      : exchange_(std::move(exchange)), model_(std::move(model)), request_(std::move(request)), id_(fresh_id("cmpl-")), created_(std::time(nullptr)),
        scores_(request_.prompts.size()), answers_(request_.prompts.size() * request_.best_of), echoed_(answers_.size()), offsets_(answers_.size()),
        open_(answers_.size()) {}

  const CompletionRequest& request() const { return request_; }

  void take(size_t prompt, engine::Output output) {
    const std::lock_guard lock(mutex_);
    if (failed_) return;
    const size_t place = prompt * request_.best_of + output.index;
    if (output.finish) {
      if (const auto error = finish_error(*output.finish)) return fail_locked(*error);
      usage_.prompt_tokens += output.index == 0 ? output.finish->usage.prompt_tokens : 0;
      usage_.cached_tokens += output.index == 0 ? output.finish->usage.cached_tokens : 0;
      completion_tokens_ += output.finish->usage.completion_tokens;
    }
    if (!output.prompt.empty()) scores_[prompt] = prompt_logprobs(model_->tokenizer(), output.prompt);
    if (request_.stream) tell(prompt, place, output);
    AnswerText& answer = answers_[place];
    if (!request_.stream) {
      answer.text += output.text;
      answer.tokens.insert(answer.tokens.end(), output.tokens.begin(), output.tokens.end());
    }
    if (!output.finish) return;
    answer.finish = std::move(*output.finish);
    if (--open_ == 0) request_.stream ? end_stream() : respond();
  }

  void fail(const ApiError& error) {
    const std::lock_guard lock(mutex_);
    if (!failed_) fail_locked(error);
  }

 private:
  json::object head() const { return {{"id", id_}, {"object", "text_completion"}, {"created", created_}, {"model", model_->name()}}; }

  json::object choice(size_t index, std::string text, json::value logprobs, json::value finish) const {
    return {{"index", index}, {"text", std::move(text)}, {"logprobs", std::move(logprobs)}, {"finish_reason", std::move(finish)}};
  }

  // With those of the prompt, where it is echoed in this piece.
  json::value logprobs(const std::vector<engine::SampledToken>& tokens, size_t& offset, const json::object* before = nullptr) const {
    if (!request_.logprobs) return nullptr;
    json::object own = completion_logprobs(model_->tokenizer(), tokens, offset);
    if (!before || before->empty()) return own;
    json::object all = *before;
    for (auto& [name, list] : all)
      for (json::value& value : own[name].get_array()) list.get_array().push_back(std::move(value));
    return all;
  }

  void fail_locked(const ApiError& error) {
    failed_ = true;
    if (!started_) return respond_error(exchange_, error);
    exchange_->write("event: error\ndata: " + to_json_text(openai_error(error)) + "\n\n");
    exchange_->end();
  }

  void tell(size_t prompt, size_t place, const engine::Output& output) {
    if (!started_) exchange_->begin_stream(200, "text/event-stream", {{"Cache-Control", "no-cache"}});
    started_ = true;
    std::string text = output.text;
    const bool echoes = request_.echo && !echoed_[place];
    if (echoes) {
      text = echoed(prompt) + text;
      offsets_[place] = echoed(prompt).size();
      echoed_[place] = true;
    }
    if (!text.empty() || (request_.logprobs && !output.tokens.empty()))
      send(choice(place, text, logprobs(output.tokens, offsets_[place], echoes ? &scores_[prompt] : nullptr), nullptr));
    if (output.finish) send(choice(place, "", nullptr, openai_finish_reason(output.finish->reason)));
  }

  const std::string& echoed(size_t prompt) const { return request_.echoes[prompt]; }

  void send(json::object one) {
    json::object data = head();
    data["choices"] = json::array{std::move(one)};
    if (request_.include_usage) data["usage"] = nullptr;
    exchange_->write("data: " + to_json_text(data) + "\n\n");
  }

  void end_stream() {
    if (request_.include_usage) {
      json::object last = head();
      last["choices"] = json::array{};
      last["usage"] = openai_usage(usage_, completion_tokens_);
      exchange_->write("data: " + to_json_text(last) + "\n\n");
    }
    exchange_->write("data: [DONE]\n\n");
    exchange_->end();
  }

  void respond() {
    json::array choices;
    for (size_t prompt = 0; prompt < request_.prompts.size(); ++prompt) {
      const auto begin = answers_.begin() + static_cast<ptrdiff_t>(prompt * request_.best_of);
      if (request_.best_of > request_.n)
        std::stable_sort(begin, begin + request_.best_of, [](const AnswerText& a, const AnswerText& b) { return mean_logprob(a) > mean_logprob(b); });
      for (uint32_t i = 0; i < request_.n; ++i) {
        const AnswerText& a = begin[i];
        size_t offset = echoed(prompt).size();
        choices.push_back(choice(prompt * request_.n + i, echoed(prompt) + a.text, logprobs(a.tokens, offset, request_.echo ? &scores_[prompt] : nullptr),
                                 openai_finish_reason(a.finish.reason)));
      }
    }
    json::object out = head();
    out["choices"] = std::move(choices);
    out["usage"] = openai_usage(usage_, completion_tokens_);
    respond_json(exchange_, out);
  }

  const std::shared_ptr<http::Exchange> exchange_;
  const std::shared_ptr<ServedModel> model_;
  const CompletionRequest request_;
  const std::string id_;
  const int64_t created_;
  std::mutex mutex_;  // everything below
  std::vector<json::object> scores_;    // of each prompt that is echoed with logprobs
  std::vector<AnswerText> answers_;
  std::vector<bool> echoed_;            // answers whose prompt is told, where it streams
  std::vector<size_t> offsets_;  // of the text that comes next, where it streams
  size_t open_;
  engine::Usage usage_;
  uint64_t completion_tokens_ = 0;
  bool started_ = false, failed_ = false;
};

CompletionRequest read_request(Fields& fields, const ServedModel& model) {
  CompletionRequest out;
  if (model.embeds()) fields.fail("model", "is an embedding model; use /v1/embeddings");
  out.prompts = read_prompts(fields, model.tokenizer(), model.config().vocabulary_size);
  out.n = static_cast<uint32_t>(fields.integer("n", 1, limits::kAnswersMax).value_or(1));
  out.best_of = static_cast<uint32_t>(fields.integer("best_of", 1, limits::kAnswersMax).value_or(out.n));
  if (out.best_of < out.n) fields.fail("best_of", fmt::format("is {}, less than n, {}", out.best_of, out.n));
  if (const auto count = fields.integer("logprobs", 0, 20)) out.logprobs = static_cast<uint32_t>(*count);
  read_streaming(fields, out.stream, out.include_usage);
  if (out.stream && out.best_of > out.n) fields.fail("best_of", "is possible without stream only");
  out.echo = fields.boolean("echo", false);
  if (out.echo && fields.has("suffix")) fields.fail("echo", "is possible without suffix only");
  for (const auto& prompt : out.prompts) out.echoes.push_back(out.echo ? model.tokenizer().decode(prompt, {.skip_special = true}) : "");
  return out;
}

engine::Request make_request(Fields& fields, const ServedModel& model, const CompletionRequest& request, const std::vector<text::TokenId>& prompt) {
  engine::Request out;
  read_generation(fields, model, out);
  if (!out.max_tokens) out.max_tokens = kTokensDefault;
  out.n = request.best_of;
  out.prompt = prompt;
  out.sampler.want_logprobs = request.logprobs || request.best_of > request.n;
  out.sampler.logprobs = request.logprobs.value_or(0);
  out.score_prompt = request.echo && request.logprobs;
  if (fields.has("suffix"))
    if (const auto fill = fill_tokens(model.tokenizer())) out.stop_tokens = fill->ends;
  return out;
}

}  // namespace

void completions(Service&, const std::shared_ptr<http::Exchange>& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  Fields fields(body);
  CompletionRequest request = read_request(fields, *model);
  const AnswerFormat format = read_answer_format(fields);
  std::shared_ptr<const text::Grammar> grammar;
  if (!fields.error()) {
    auto compiled = compile_format(*model, format);
    if (compiled.ok()) grammar = *compiled;
    else fields.fail(format.param, compiled.error().message);
  }
  std::vector<engine::Request> requests;
  for (const auto& prompt : request.prompts) requests.push_back(make_request(fields, *model, request, prompt));
  if (fields.error()) return respond_error(exchange, *fields.error());
  for (const auto& prompt : request.prompts)
    if (auto error = check_prompt_size(*model, prompt.size())) {
      error->param = "prompt";
      return respond_error(exchange, *error);
    }
  const auto answers = std::make_shared<Completions>(exchange, model, std::move(request));
  std::vector<engine::RequestId> ids;
  const auto cancel = [weak = std::weak_ptr(model)](const std::vector<engine::RequestId>& ids) {
    if (const auto held = weak.lock())
      for (const engine::RequestId id : ids) held->engine().cancel(id);
  };
  for (size_t i = 0; i < requests.size(); ++i) {
    if (grammar) requests[i].constraint = constrain(text::GrammarState(grammar));
    requests[i].on_output = [answers, i](engine::Output output) { answers->take(i, std::move(output)); };
    const auto id = submit(model, std::move(requests[i]), record_of(exchange));
    if (!id.ok()) {
      cancel(ids);
      return answers->fail(submit_error(id.error()));
    }
    ids.push_back(*id);
  }
  exchange->on_gone([cancel, ids] { cancel(ids); });
}

}  // namespace rival::serve
