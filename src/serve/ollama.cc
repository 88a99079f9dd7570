// POST /api/chat and /api/generate (Ollama's API; shapes as its documentation and its Python client's types have them).
#include "serve/answer_format.h"
#include "serve/completion_prompt.h"
#include "serve/generation.h"
#include "serve/ollama_lines.h"
#include "serve/ollama_request.h"
#include "serve/openai_logprobs.h"
#include "serve/service.h"
#include "serve/submit.h"
#include "text/tokenizer.h"

namespace rival::serve {
namespace {

using Exchange = std::shared_ptr<http::Exchange>;
using Model = std::shared_ptr<ServedModel>;
using Sink = std::function<void(ChatPiece)>;

// The lines of an answer as they come, or one object.
Sink make_sink(const Exchange& exchange, const Model& model, OllamaShape shape, const OllamaRequest& request) {
  OllamaLines::Logprobs logprobs;
  if (request.chat.generation.sampler.want_logprobs)
    logprobs = [model](std::span<const engine::SampledToken> tokens) { return chat_logprobs(model->tokenizer(), tokens).at("content"); };
  if (!request.stream) {
    const auto lines = std::make_shared<OllamaLines>(shape, request.model, true, std::move(logprobs),
                                                     [exchange](json::object line) { respond_json(exchange, line); });
    return [exchange, lines](const ChatPiece& piece) {
      const auto error = piece.finish ? finish_error(*piece.finish) : std::nullopt;
      if (error) return respond_error(exchange, *error);
      lines->take(piece);
    };
  }
  const auto lines = std::make_shared<OllamaLines>(shape, request.model, false, std::move(logprobs),
                                                   [exchange](json::object line) { exchange->write(to_json_text(line) + "\n"); });
  return [exchange, lines, begun = false](const ChatPiece& piece) mutable {
    if (!begun) exchange->begin_stream(200, "application/x-ndjson");
    begun = true;
    lines->take(piece);
    if (piece.finish) exchange->end();
  };
}

// num_ctx bounds prompt and answer together where the model would take more.
std::optional<ApiError> bound_context(ServedModel& model, const OllamaRequest& request, size_t prompt_tokens, engine::Request& r) {
  if (!request.context || *request.context >= model.engine().context_limit()) return std::nullopt;
  if (prompt_tokens >= *request.context)
    return context_exceeded(prompt_tokens, *request.context);
  const uint32_t room = *request.context - static_cast<uint32_t>(prompt_tokens);
  r.max_tokens = std::min(r.max_tokens.value_or(room), room);
  return std::nullopt;
}

std::variant<engine::RequestId, ApiError> start_on_template(const Model& model, OllamaRequest& request, Sink sink) {
  if (request.context) {
    const auto prompt = chat_prompt(*model, request.chat);
    if (const ApiError* error = std::get_if<ApiError>(&prompt)) return *error;
    if (const auto error = bound_context(*model, request, std::get<0>(prompt).size(), request.chat.generation)) return *error;
  }
  return start_chat(model, std::move(request.chat), std::move(sink));
}

// The prompt as it was sent, without a template, or with what comes behind the answer.
std::variant<engine::RequestId, ApiError> start_raw(const Model& model, OllamaRequest& request, Sink sink) {
  engine::Request r = std::move(request.chat.generation);
  const auto fill = request.suffix ? fill_tokens(model->tokenizer()) : std::nullopt;
  if (request.suffix && !fill) return bad_field("suffix", fmt::format("{} cannot fill in the middle", model->name()));
  auto prompt = fill ? fill_prompt(model->tokenizer(), *fill, *request.raw, *request.suffix) : model->tokenizer().encode(*request.raw);
  if (!prompt.ok()) return to_api_error(prompt.error());
  if (fill) r.stop_tokens = fill->ends;
  r.prompt = std::move(prompt).value();
  if (const auto error = bound_context(*model, request, r.prompt.size(), r)) return *error;
  const bool cut = r.overflow == engine::OverflowPolicy::kTruncateLeft;
  if (auto error = cut ? std::nullopt : check_prompt_size(*model, r.prompt.size())) return *error;
  const auto grammar = compile_format(*model, request.chat.format);
  if (!grammar.ok()) return bad_field("format", grammar.error().message);
  if (*grammar) r.constraint = constrain(text::GrammarState(*grammar));
  r.on_output = [model, sink = std::move(sink)](engine::Output output) {
    sink({.index = output.index, .text = std::move(output.text), .tokens = std::move(output.tokens)});
    if (output.finish) sink({.index = output.index, .kind = ChatPiece::Kind::kFinish, .finish = std::move(output.finish)});
  };
  const auto id = submit(model, std::move(r), request.chat.record);
  if (!id.ok()) return submit_error(id.error());
  return *id;
}

// Nothing is loaded only to be unloaded.
void let_go(Service& service, const Exchange& exchange, const OllamaRequest& request, OllamaShape shape) {
  const auto found = service.known_models().look_up(ollama_model_name(request.model));
  if (const ApiError* error = std::get_if<ApiError>(&found)) return respond_error(exchange, *error);
  service.known_models().keep(std::get<FoundModel>(found).name, 0);
  respond_json(exchange, ollama_nothing(shape, request.model, "unload"));
}

using Read = std::variant<OllamaRequest, ApiError> (*)(const json::object& body);

void begin(const Exchange& exchange, const Model& model, OllamaShape shape, OllamaRequest& request) {
  if (request.load_only) return respond_json(exchange, ollama_nothing(shape, request.model, "load"));
  request.chat.record = record_of(exchange);
  const auto start = request.raw ? start_raw : start_on_template;
  const auto started = start(model, request, make_sink(exchange, model, shape, request));
  if (const ApiError* error = std::get_if<ApiError>(&started)) return respond_error(exchange, *error);
  exchange->on_gone([model, id = std::get<engine::RequestId>(started)] { model->engine().cancel(id); });
}

void answer(Service& service, const Exchange& exchange, const json::object& body, OllamaShape shape, Read read) {
  auto parsed = read(body);
  if (const ApiError* error = std::get_if<ApiError>(&parsed)) return respond_error(exchange, *error);
  const auto request = std::make_shared<OllamaRequest>(std::move(std::get<OllamaRequest>(parsed)));
  if (request->load_only && request->keep_s == 0) return let_go(service, exchange, *request, shape);
  with_model(service, exchange, ollama_model_name(request->model), [&service, exchange, shape, request, slow = takes_long(body)](const Model& model) {
    if (request->keep_s) service.known_models().keep(model->name(), *request->keep_s);
    service.prepare(slow, [exchange, shape, request, model] { begin(exchange, model, shape, *request); });
  });
}

}  // namespace

void ollama_chat(Service& service, const Exchange& exchange, const json::object& body) {
  answer(service, exchange, body, OllamaShape::kChat, read_ollama_chat);
}

void ollama_generate(Service& service, const Exchange& exchange, const json::object& body) {
  answer(service, exchange, body, OllamaShape::kGenerate, read_ollama_generate);
}

}  // namespace rival::serve
