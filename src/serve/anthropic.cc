// POST /v1/messages and /v1/messages/count_tokens (Anthropic's API; shapes as its Python client's types have them).
#include <ctime>

#include "serve/anthropic_events.h"
#include "serve/anthropic_request.h"
#include "serve/fresh_id.h"
#include "serve/service.h"

namespace rival::serve {
namespace {

using Exchange = std::shared_ptr<http::Exchange>;

void start(const Exchange& exchange, const std::shared_ptr<ServedModel>& model, ChatRequest chat, std::function<void(ChatPiece)> sink) {
  chat.record = record_of(exchange);
  const auto started = start_chat(model, std::move(chat), std::move(sink));
  if (const ApiError* error = std::get_if<ApiError>(&started)) return respond_error(exchange, *error);
  exchange->on_gone([model, id = std::get<engine::RequestId>(started)] { model->engine().cancel(id); });
}

void answer_whole(const Exchange& exchange, const std::shared_ptr<ServedModel>& model, ChatRequest chat) {
  start(exchange, model, std::move(chat), collect_chat(1, [exchange, name = model->name()](std::vector<ChatAnswer> answers) {
    if (const auto error = finish_error(answers.front().finish)) return respond_error(exchange, *error);
    respond_json(exchange, anthropic_message(fresh_id("msg_"), name, answers.front()));
  }));
}

void answer_stream(const Exchange& exchange, const std::shared_ptr<ServedModel>& model, ChatRequest chat) {
  // The first event tells how long the prompt is, before any of it is computed.
  const auto prompt = chat_prompt(*model, chat);
  if (const ApiError* error = std::get_if<ApiError>(&prompt)) return respond_error(exchange, *error);
  const auto events = std::make_shared<AnthropicEvents>(
      AnthropicEvents::Message{fresh_id("msg_"), model->name(), request_id_of(exchange), std::get<0>(prompt).size()}, [exchange](json::object event) {
        exchange->write(fmt::format("event: {}\ndata: {}\n\n", std::string_view(event.at("type").as_string()), to_json_text(event)));
      });
  start(exchange, model, std::move(chat), [exchange, events, begun = false](ChatPiece piece) mutable {
    if (!begun) exchange->begin_stream(200, "text/event-stream", {{"Cache-Control", "no-cache"}});
    begun = true;
    events->take(piece);
    if (piece.finish) exchange->end();
  });
}

}  // namespace

void anthropic_messages(Service&, const Exchange& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  auto read = read_anthropic(body, AnthropicUse::kAnswer);
  if (const ApiError* error = std::get_if<ApiError>(&read)) return respond_error(exchange, *error);
  AnthropicRequest& request = std::get<AnthropicRequest>(read);
  (request.stream ? answer_stream : answer_whole)(exchange, model, std::move(request.chat));
}

void anthropic_count_tokens(Service&, const Exchange& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  const auto read = read_anthropic(body, AnthropicUse::kCount);
  if (const ApiError* error = std::get_if<ApiError>(&read)) return respond_error(exchange, *error);
  const auto prompt = chat_prompt(*model, std::get<AnthropicRequest>(read).chat);
  if (const ApiError* error = std::get_if<ApiError>(&prompt)) return respond_error(exchange, *error);
  respond_json(exchange, json::object{{"input_tokens", std::get<0>(prompt).size()}});
}

}  // namespace rival::serve
