// POST /v1/chat/completions (OpenAI's chat API; shapes as its Python client's types have them).
#include <ctime>

#include "serve/fresh_id.h"
#include "serve/generation.h"
#include "serve/openai_chat_request.h"
#include "serve/openai_logprobs.h"
#include "serve/service.h"

namespace rival::serve {
namespace {

using Kind = ChatPiece::Kind;

struct ChatHead {
  std::string id, model;
  int64_t created;
  json::object object(std::string_view kind) const {
    return {{"id", id}, {"object", kind}, {"created", created}, {"model", model}};
  }
};

// What a client wants of its answer beside its text.
struct Wishes {
  bool logprobs = false, functions = false, usage = false;
};

const char* finish_reason(const engine::Finish& finish, bool calls, bool functions) {
  if (!calls || finish.reason != engine::FinishReason::kStop) return openai_finish_reason(finish.reason);
  return functions ? "function_call" : "tool_calls";
}

json::object usage_of(const engine::Usage& usage, uint64_t completion_tokens, uint64_t reasoning_tokens) {
  json::object out = openai_usage(usage, completion_tokens);
  out["completion_tokens_details"] = json::object{{"reasoning_tokens", reasoning_tokens}};
  return out;
}

json::object call_delta(uint32_t call, json::object rest) {
  rest["index"] = call;
  return {{"tool_calls", json::array{std::move(rest)}}};
}

// What a piece adds to the message; empty: nothing.
json::object delta_of(const ChatPiece& piece, bool functions) {
  const auto function = [&](json::object what) { return json::object{{"function_call", std::move(what)}}; };
  switch (piece.kind) {
    case Kind::kReasoning: return {{"reasoning_content", piece.text}};
    case Kind::kText: return {{"content", piece.text}};
    case Kind::kCallBegin:
      if (functions) return function({{"name", piece.name}, {"arguments", ""}});
      return call_delta(piece.call, {{"id", piece.id}, {"type", "function"}, {"function", {{"name", piece.name}, {"arguments", ""}}}});
    case Kind::kCallArguments:
      if (functions) return function({{"arguments", piece.text}});
      return call_delta(piece.call, {{"function", {{"arguments", piece.text}}}});
    case Kind::kCallEnd:
    case Kind::kFinish: break;
  }
  return {};
}

// Streams the answers as server-sent events.
class ChatStream {
 public:
  ChatStream(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<const ServedModel> model, ChatHead head, uint32_t n, Wishes wishes)
      : exchange_(std::move(exchange)), model_(std::move(model)), head_(std::move(head)), begun_(n), open_(n), wishes_(wishes) {}

  void take(ChatPiece piece) {
    if (failed_) return;
    if (!started_) exchange_->begin_stream(200, "text/event-stream", {{"Cache-Control", "no-cache"}});
    started_ = true;
    if (piece.finish)
      if (const auto error = finish_error(*piece.finish)) return fail(*error);
    if (!begun_[piece.index]) send(piece.index, {{"role", "assistant"}, {"content", ""}}, nullptr, nullptr);
    begun_[piece.index] = true;
    json::object delta = delta_of(piece, wishes_.functions);
    json::value logprobs = nullptr;
    if (wishes_.logprobs && !piece.tokens.empty()) logprobs = chat_logprobs(model_->tokenizer(), piece.tokens);
    if (piece.finish) return finish(piece, std::move(logprobs));
    if (!delta.empty() || !logprobs.is_null()) send(piece.index, std::move(delta), nullptr, std::move(logprobs));
  }

 private:
  void send(uint32_t index, json::object delta, json::value finish, json::value logprobs) {
    json::object data = head_.object("chat.completion.chunk");
    data["choices"] = json::array{json::object{{"index", index}, {"delta", std::move(delta)}, {"logprobs", std::move(logprobs)}, {"finish_reason", std::move(finish)}}};
    if (wishes_.usage) data["usage"] = nullptr;
    exchange_->write("data: " + to_json_text(data) + "\n\n");
  }

  void finish(const ChatPiece& piece, json::value logprobs) {
    completion_tokens_ += piece.finish->usage.completion_tokens;
    reasoning_tokens_ += piece.reasoning_tokens;
    send(piece.index, {}, finish_reason(*piece.finish, piece.calls, wishes_.functions), std::move(logprobs));
    if (--open_ > 0) return;
    if (wishes_.usage) {
      json::object last = head_.object("chat.completion.chunk");
      last["choices"] = json::array{};
      last["usage"] = usage_of(piece.finish->usage, completion_tokens_, reasoning_tokens_);
      exchange_->write("data: " + to_json_text(last) + "\n\n");
    }
    exchange_->write("data: [DONE]\n\n");
    exchange_->end();
  }

  void fail(const ApiError& error) {
    failed_ = true;
    exchange_->write("event: error\ndata: " + to_json_text(openai_error(error)) + "\n\n");
    exchange_->end();
  }

  const std::shared_ptr<http::Exchange> exchange_;
  const std::shared_ptr<const ServedModel> model_;
  const ChatHead head_;
  std::vector<bool> begun_;
  uint32_t open_;
  const Wishes wishes_;
  bool started_ = false, failed_ = false;
  uint64_t completion_tokens_ = 0, reasoning_tokens_ = 0;
};

json::object message_of(const ChatAnswer& answer, bool functions) {
  json::object message{{"role", "assistant"}, {"content", answer.text}, {"refusal", nullptr}};
  if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
  if (answer.calls.empty()) return message;
  if (answer.text.empty()) message["content"] = nullptr;
  if (functions) {
    message["function_call"] = json::object{{"name", answer.calls.front().name}, {"arguments", answer.calls.front().arguments}};
    return message;
  }
  json::array calls;
  for (const ChatCall& call : answer.calls)
    calls.push_back(json::object{{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  message["tool_calls"] = std::move(calls);
  return message;
}

void respond_chat(const std::shared_ptr<http::Exchange>& exchange, const ServedModel& model, const ChatHead& head, Wishes wishes,
                  const std::vector<ChatAnswer>& answers) {
  json::object out = head.object("chat.completion");
  json::array choices;
  uint64_t completion_tokens = 0, reasoning_tokens = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    const ChatAnswer& a = answers[i];
    if (const auto error = finish_error(a.finish)) return respond_error(exchange, *error);
    completion_tokens += a.finish.usage.completion_tokens;
    reasoning_tokens += a.reasoning_tokens;
    choices.push_back(json::object{{"index", i},
                                   {"message", message_of(a, wishes.functions)},
                                   {"logprobs", wishes.logprobs ? json::value(chat_logprobs(model.tokenizer(), a.tokens)) : json::value(nullptr)},
                                   {"finish_reason", finish_reason(a.finish, !a.calls.empty(), wishes.functions)}});
  }
  out["choices"] = std::move(choices);
  out["usage"] = usage_of(answers.front().finish.usage, completion_tokens, reasoning_tokens);
  respond_json(exchange, out);
}

}  // namespace

void chat_completions(Service&, const std::shared_ptr<http::Exchange>& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  Fields fields(body);
  OpenAiChat request = read_openai_chat(fields, *model);
  if (fields.error()) return respond_error(exchange, *fields.error());
  request.chat.record = record_of(exchange);
  const ChatHead head{fresh_id("chatcmpl-"), model->name(), std::time(nullptr)};
  const uint32_t n = request.chat.generation.n;
  const Wishes wishes{.logprobs = request.logprobs, .functions = request.functions, .usage = request.include_usage};
  std::function<void(ChatPiece)> sink;
  if (request.stream) {
    const auto out = std::make_shared<ChatStream>(exchange, model, head, n, wishes);
    sink = [out](ChatPiece piece) { out->take(std::move(piece)); };
  } else {
    sink = collect_chat(n, [exchange, model, head, wishes](std::vector<ChatAnswer> answers) {
      respond_chat(exchange, *model, head, wishes, answers);
    });
  }
  const auto started = start_chat(model, std::move(request.chat), std::move(sink));
  if (const auto* error = std::get_if<ApiError>(&started)) return respond_error(exchange, *error);
  exchange->on_gone([weak = std::weak_ptr(model), id = std::get<engine::RequestId>(started)] {
    if (const auto held = weak.lock()) held->engine().cancel(id);
  });
}

}  // namespace rival::serve
