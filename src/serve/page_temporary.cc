// Chats that are never stored: the conversation comes with the request, and the answer lives in its stream alone.
#include "serve/page.h"

namespace rival::serve {
namespace {

void send_event(http::Exchange& exchange, const json::object& event) { exchange.write("data: " + to_json_text(event) + "\n\n"); }

// Tells one answer as the page's events; used on the engine's thread.
class TemporaryAnswer {
 public:
  TemporaryAnswer(std::shared_ptr<http::Exchange> exchange, PageMessage message) : exchange_(std::move(exchange)), message_(std::move(message)) {
    if (const auto* calls = message_.more.if_contains("tool_calls"); calls && calls->is_array()) calls_ = calls->get_array();
  }

  void begin() {
    exchange_->begin_stream(200, "text/event-stream", {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}});
    send_event(*exchange_, {{"type", "message"}, {"message", to_json(message_)}});
  }

  void take(const ChatPiece& piece) {
    json::object event = {{"type", "delta"}, {"message", 0}};
    switch (piece.kind) {
      case ChatPiece::Kind::kReasoning:
        event["reasoning"] = piece.text, event["reasoning_at"] = utf16_length(message_.reasoning);
        message_.reasoning += piece.text;
        break;
      case ChatPiece::Kind::kText:
        event["text"] = piece.text, event["at"] = utf16_length(message_.text);
        message_.text += piece.text;
        break;
      case ChatPiece::Kind::kCallBegin:
        calls_.push_back(json::object{{"id", piece.id}, {"name", piece.name}, {"arguments", ""}});
        break;
      case ChatPiece::Kind::kCallArguments:
        if (!calls_.empty()) calls_.back().get_object()["arguments"].get_string() += piece.text;
        break;
      case ChatPiece::Kind::kCallEnd:
      case ChatPiece::Kind::kFinish: break;
    }
    if (piece.kind == ChatPiece::Kind::kCallBegin || piece.kind == ChatPiece::Kind::kCallArguments) event["tool_calls"] = calls_;
    const bool silent = piece.text.empty() && piece.kind != ChatPiece::Kind::kCallBegin;
    if (!silent) send_event(*exchange_, event);
    if (piece.finish) finish(*piece.finish);
  }

 private:
  void finish(const engine::Finish& finish) {
    message_.state = page_state(finish, true);
    json::object usage = page_usage(finish.usage);
    if (const auto* dropped = message_.more.if_contains("dropped")) usage["dropped"] = *dropped;
    message_.more.erase("dropped");
    message_.more["usage"] = std::move(usage);
    message_.more["timings"] = page_timings(finish);
    if (!calls_.empty()) message_.more["tool_calls"] = calls_;
    if (finish.reason == engine::FinishReason::kError) message_.more["error"] = finish.error.message;
    send_event(*exchange_, {{"type", "message"}, {"message", to_json(message_)}});
    exchange_->end();
  }

  const std::shared_ptr<http::Exchange> exchange_;
  PageMessage message_;
  json::array calls_;
};

struct Wanted {
  std::vector<PageMessage> branch;
  PagePromptOptions options;
  std::string model;
};

std::variant<Wanted, ApiError> read_wanted(const json::object& body) {
  Wanted wanted;
  Fields fields(body);
  const json::array* rows = fields.list("messages");
  if (!rows || rows->empty()) return bad_field("messages", "expected at least one message");
  auto read = read_page_messages(*rows);
  if (auto* error = std::get_if<ApiError>(&read)) return std::move(*error);
  wanted.branch = std::move(std::get<0>(read));
  wanted.options.system = fields.text("system").value_or("");
  wanted.options.allow_drop = fields.boolean("allow_drop", false);
  wanted.options.continue_last = fields.boolean("continue", false);
  if (const json::object* settings = fields.object("settings")) {
    if (auto error = check_page_settings(*settings)) return std::move(*error);
    wanted.options.settings = *settings;
  }
  Fields own(wanted.options.settings);
  wanted.model = fields.text("model").value_or(own.text("model").value_or(""));
  if (fields.error()) return *fields.error();
  if (own.error()) return *own.error();
  if (wanted.options.continue_last && wanted.branch.back().role != "assistant") return bad_field("continue", "the last message is no answer");
  return wanted;
}

void answer(const std::shared_ptr<http::Exchange>& exchange, const Wanted& wanted, const std::shared_ptr<ServedModel>& model) {
  auto prompt = make_page_prompt(model, wanted.branch, wanted.options);
  if (auto* error = std::get_if<ApiError>(&prompt)) return respond_error(exchange, *error);
  PageMessage message;
  if (wanted.options.continue_last) message = wanted.branch.back();
  message.role = "assistant", message.state = "running", message.model = model->name(), message.created = now_ms();
  const auto& dropped = std::get<PagePrompt>(prompt).dropped;
  if (!dropped.empty()) message.more["dropped"] = json::array(dropped.begin(), dropped.end());
  std::get<PagePrompt>(prompt).request.record = record_of(exchange);
  const auto answer = std::make_shared<TemporaryAnswer>(exchange, std::move(message));
  // The stream begins with the first piece: until then an error can still be told by its status.
  auto begun = std::make_shared<bool>(false);
  auto started = start_chat(model, std::move(std::get<PagePrompt>(prompt).request), [answer, begun](const ChatPiece& piece) {
    if (!std::exchange(*begun, true)) answer->begin();
    answer->take(piece);
  });
  if (auto* error = std::get_if<ApiError>(&started)) return respond_error(exchange, *error);
  exchange->on_gone([model, id = std::get<engine::RequestId>(started)] { model->engine().cancel(id); });
}

}  // namespace

void answer_temporarily(Page& page, PageCall& call) {
  auto read = read_wanted(call.body);
  if (auto* error = std::get_if<ApiError>(&read)) return respond_error(call.exchange, *error);
  if (const auto refused = page.service().charge(call.exchange, call.owner)) return respond_error(call.exchange, *refused);
  auto wanted = std::make_shared<Wanted>(std::move(std::get<Wanted>(read)));
  with_model(page.service(), call.exchange, wanted->model, [exchange = call.exchange, wanted](const std::shared_ptr<ServedModel>& model) { answer(exchange, *wanted, model); });
}

}  // namespace rival::serve
