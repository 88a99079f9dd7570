// POST /v1/chat/completions (OpenAI's chat API; shapes as its Python client's types have them).
#include <ctime>
#include <set>

#include "serve/answer_format.h"
#include "serve/generation.h"
#include "serve/openai_logprobs.h"
#include "serve/service.h"

namespace rival::serve {
namespace {

constexpr size_t kMessagesMax = 10'000;

// Fields that are not honoured are refused by name rather than ignored.
constexpr std::string_view kRefused[] = {"tools", "tool_choice", "functions", "function_call", "audio", "web_search_options", "prediction"};

// A content that is a list of text parts becomes one string.
std::optional<std::string> content_text(const json::value& content, Fields& fields, const std::string& path) {
  if (content.is_string()) return std::string(content.get_string());
  if (content.is_null()) return std::string();
  if (!content.is_array()) {
    fields.fail(path, fmt::format("expected a string or an array of parts, found {}", kind_of(content)));
    return std::nullopt;
  }
  std::string text;
  for (const json::value& part : content.get_array()) {
    const json::object* object = part.if_object();
    const json::value* type = object ? object->if_contains("type") : nullptr;
    const json::value* value = object ? object->if_contains("text") : nullptr;
    if (!type || !type->is_string() || type->get_string() != "text" || !value || !value->is_string()) {
      fields.fail(path, type && type->is_string() && type->get_string() != "text"
                            ? fmt::format("parts of type '{}' are not understood: this model reads text only", std::string_view(type->get_string()))
                            : std::string("each part is an object {\"type\": \"text\", \"text\": ...}"));
      return std::nullopt;
    }
    text += std::string_view(value->get_string());
  }
  return text;
}

json::array read_messages(Fields& fields) {
  static const std::set<std::string_view> kRoles = {"system", "developer", "user", "assistant"};
  json::array out;
  const json::array* messages = fields.list("messages");
  if (!messages || messages->empty() || messages->size() > kMessagesMax) {
    fields.fail("messages", fmt::format("expected an array of 1 to {} messages", kMessagesMax));
    return out;
  }
  for (size_t i = 0; i < messages->size(); ++i) {
    const std::string path = fmt::format("messages[{}]", i);
    const json::object* message = (*messages)[i].if_object();
    const json::value* role = message ? message->if_contains("role") : nullptr;
    const json::value* content = message ? message->if_contains("content") : nullptr;
    if (!role || !role->is_string() || !kRoles.contains(std::string_view(role->get_string()))) {
      fields.fail(path + ".role", "expected system, developer, user or assistant");
      return out;
    }
    if (!content) {
      fields.fail(path + ".content", "is missing");
      return out;
    }
    const auto text = content_text(*content, fields, path + ".content");
    if (!text) return out;
    const std::string_view name = role->get_string();
    out.push_back(json::object{{"role", name == "developer" ? "system" : name}, {"content", *text}});
  }
  return out;
}

struct ChatHead {
  std::string id, model;
  int64_t created;
  json::object object(std::string_view kind) const {
    return {{"id", id}, {"object", kind}, {"created", created}, {"model", model}};
  }
};

json::object chunk(const ChatHead& head, uint32_t index, json::object delta, json::value finish, json::value logprobs) {
  json::object out = head.object("chat.completion.chunk");
  out["choices"] = json::array{json::object{{"index", index}, {"delta", std::move(delta)}, {"logprobs", std::move(logprobs)}, {"finish_reason", std::move(finish)}}};
  return out;
}

void send_event(http::Exchange& exchange, const json::object& data) { exchange.write("data: " + to_json_text(data) + "\n\n"); }

// Streams the answers as server-sent events.
class ChatStream {
 public:
  ChatStream(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<const ServedModel> model, ChatHead head, uint32_t n, bool logprobs, bool usage)
      : exchange_(std::move(exchange)), model_(std::move(model)), head_(std::move(head)), begun_(n), open_(n), logprobs_(logprobs), usage_(usage) {}

  void take(ChatPiece piece) {
    if (!started_) exchange_->begin_stream(200, "text/event-stream", {{"Cache-Control", "no-cache"}});
    started_ = true;
    const uint32_t i = piece.index;
    if (!begun_[i]) send(chunk(head_, i, {{"role", "assistant"}, {"content", ""}}, nullptr, nullptr));
    begun_[i] = true;
    if (piece.finish) return finish(i, *piece.finish);
    json::value logprobs = nullptr;
    if (logprobs_ && !piece.tokens.empty()) logprobs = chat_logprobs(model_->tokenizer(), piece.tokens);
    if (!piece.text.empty() || !logprobs.is_null()) send(chunk(head_, i, {{"content", piece.text}}, nullptr, std::move(logprobs)));
  }

 private:
  void send(json::object data) {
    if (usage_ && !data.contains("usage")) data["usage"] = nullptr;
    send_event(*exchange_, data);
  }

  void finish(uint32_t index, const engine::Finish& finish) {
    completion_tokens_ += finish.usage.completion_tokens;
    if (finish.reason == engine::FinishReason::kError) {
      send_event(*exchange_, openai_error(to_api_error(finish.error)));
    } else {
      send(chunk(head_, index, {}, openai_finish_reason(finish.reason), nullptr));
    }
    if (--open_ > 0) return;
    if (usage_) {
      json::object last = head_.object("chat.completion.chunk");
      last["choices"] = json::array{};
      last["usage"] = openai_usage(finish.usage, completion_tokens_);
      send_event(*exchange_, last);
    }
    exchange_->write("data: [DONE]\n\n");
    exchange_->end();
  }

  const std::shared_ptr<http::Exchange> exchange_;
  const std::shared_ptr<const ServedModel> model_;
  const ChatHead head_;
  std::vector<bool> begun_;
  uint32_t open_;
  const bool logprobs_, usage_;
  bool started_ = false;
  uint64_t completion_tokens_ = 0;
};

void respond_chat(const std::shared_ptr<http::Exchange>& exchange, const ServedModel& model, const ChatHead& head, bool logprobs,
                  const std::vector<ChatAnswer>& answers) {
  json::object out = head.object("chat.completion");
  json::array choices;
  uint64_t completion_tokens = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    const ChatAnswer& a = answers[i];
    if (a.finish.reason == engine::FinishReason::kError) return respond_error(exchange, to_api_error(a.finish.error));
    completion_tokens += a.finish.usage.completion_tokens;
    choices.push_back(json::object{{"index", i},
                                   {"message", {{"role", "assistant"}, {"content", a.text}, {"refusal", nullptr}}},
                                   {"logprobs", logprobs ? json::value(chat_logprobs(model.tokenizer(), a.tokens)) : json::value(nullptr)},
                                   {"finish_reason", openai_finish_reason(a.finish.reason)}});
  }
  out["choices"] = std::move(choices);
  out["usage"] = openai_usage(answers.front().finish.usage, completion_tokens);
  respond_json(exchange, out);
}

}  // namespace

void chat_completions(Service& service, const std::shared_ptr<http::Exchange>& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  Fields fields(body);
  if (model->embeds()) fields.fail("model", "is an embedding model; use /v1/embeddings");
  for (std::string_view name : kRefused)
    if (const json::value* value = fields.find(name); value && !(value->is_array() && value->get_array().empty()))
      fields.fail(name, "is not supported by this server");
  ChatRequest chat;
  chat.messages = read_messages(fields);
  chat.format = read_answer_format(fields);
  engine::Request& request = chat.generation;
  read_generation(fields, *model, request);
  const bool logprobs = fields.boolean("logprobs", false);
  const auto top = fields.integer("top_logprobs", 0, 20);
  if (top && !logprobs) fields.fail("top_logprobs", "needs logprobs: true");
  request.sampler.want_logprobs = logprobs;
  request.sampler.logprobs = static_cast<uint32_t>(top.value_or(0));
  const bool stream = fields.boolean("stream", false);
  const json::object* stream_options = fields.object("stream_options");
  const bool usage = stream_options && Fields(*stream_options).boolean("include_usage", false);
  if (fields.error()) return respond_error(exchange, *fields.error());
  const ChatHead head{fmt::format("chatcmpl-{:x}{:x}", std::time(nullptr), service.requests()), model->name(), std::time(nullptr)};
  const uint32_t n = request.n;
  std::function<void(ChatPiece)> sink;
  if (stream) {
    const auto out = std::make_shared<ChatStream>(exchange, model, head, n, logprobs, usage);
    sink = [out](ChatPiece piece) { out->take(std::move(piece)); };
  } else {
    sink = collect_chat(n, [exchange, model, head, logprobs](std::vector<ChatAnswer> answers) {
      respond_chat(exchange, *model, head, logprobs, answers);
    });
  }
  const auto started = start_chat(model, std::move(chat), std::move(sink));
  if (const auto* error = std::get_if<ApiError>(&started)) return respond_error(exchange, *error);
  exchange->on_gone([model, id = std::get<engine::RequestId>(started)] { model->engine().cancel(id); });
}

}  // namespace rival::serve
