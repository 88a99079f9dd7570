// The routes of the page that add messages and answers to a chat's tree.
#include <algorithm>

#include "base/limits.h"
#include "serve/page.h"

namespace rival::serve {
namespace {

constexpr size_t kModelsAtOnce = 4;  // answers side by side

// What the body asks of an answer.
struct AnswerWish {
  std::vector<std::string> models;
  json::object settings;
  bool allow_drop = false;
  std::shared_ptr<CallRecord> record;  // of the request, whose key pays
};

std::variant<AnswerWish, ApiError> read_wish(Page& page, const PageCall& call, const json::object& body, const PageChat& chat) {
  AnswerWish wish;
  wish.record = record_of(call.exchange);
  Fields fields(body);
  const json::object* settings = fields.object("settings");
  if (settings) {
    if (auto error = check_page_settings(*settings)) return std::move(*error);
    wish.settings = *settings;
  }
  wish.allow_drop = fields.boolean("allow_drop", false);
  const json::object all = merged_settings(chat.settings, wish.settings);
  if (const json::array* models = fields.list("models")) {
    if (models->empty() || models->size() > kModelsAtOnce) return bad_field("models", fmt::format("expected 1 to {} names", kModelsAtOnce));
    for (const json::value& name : *models) {
      if (!name.is_string()) return bad_field("models", "expected names");
      wish.models.emplace_back(name.get_string());
    }
  } else if (const auto model = fields.text("model")) {
    wish.models.push_back(*model);
  } else {
    Fields own(all);
    wish.models.push_back(own.text("model").value_or(""));
    if (own.error()) return *own.error();
  }
  if (fields.error()) return *fields.error();
  if (auto refused = page.service().charge(call.exchange, call.owner)) return std::move(*refused);
  return wish;
}

using ModelList = std::vector<std::shared_ptr<ServedModel>>;

// All models of these names, then `use` on the database's thread; else the exchange is answered with the error.
void with_models(Page& page, const std::shared_ptr<http::Exchange>& exchange, std::vector<std::string> names, std::shared_ptr<ModelList> models,
                 std::function<PageReply(Connection& db, const ModelList& models)> use) {
  if (models->size() == names.size())
    return page.database().post([exchange, models, use = std::move(use)](Connection& db) { use(db, *models).send(exchange); });
  const std::string name = names[models->size()];
  with_model(page.service(), exchange, name, [&page, exchange, names = std::move(names), models, use = std::move(use)](const std::shared_ptr<ServedModel>& model) mutable {
    models->push_back(model);
    with_models(page, exchange, std::move(names), models, std::move(use));
  });
}

json::array ids_of(const std::vector<PageMessage>& branch, const std::vector<size_t>& places) {
  json::array out;
  for (size_t place : places) out.push_back(branch[place].id);
  return out;
}

// Begins one answer for each model below the last message of the branch. In a transaction; what had begun is dropped
// where an error is returned.
std::optional<ApiError> begin_answers(Page& page, Connection& db, const PageChat& chat, const std::vector<PageMessage>& branch, const AnswerWish& wish,
                                      const ModelList& models, std::vector<PageMessage>& begun) {
  const auto fail = [&](ApiError error) {
    for (const PageMessage& message : begun) page.answers().drop(message.id);
    return error;
  };
  if (page.answers().running_of(chat.owner) + models.size() > limits::kPageRunningMax)
    return ApiError{429, "rate_limit_error", "too many answers are being written", "", "rate_limit_exceeded"};
  const std::string group = models.size() > 1 ? new_chat_id() : "";
  for (const auto& model : models) {
    auto prompt = make_page_prompt(model, branch, {.system = chat.system, .settings = merged_settings(chat.settings, wish.settings), .allow_drop = wish.allow_drop});
    if (auto* error = std::get_if<ApiError>(&prompt)) return fail(std::move(*error));
    auto& made = std::get<PagePrompt>(prompt);
    PageMessage message;
    message.chat = chat.id;
    message.parent = branch.back().id;
    message.role = "assistant";
    message.model = model->name();
    message.created = now_ms();
    if (!wish.settings.empty()) message.more["settings"] = wish.settings;
    if (!group.empty()) message.more["group"] = group;
    if (!made.dropped.empty()) message.more["usage"] = json::object{{"dropped", ids_of(branch, made.dropped)}};
    made.request.record = wish.record;
    if (auto error = page.answers().begin(db, chat.owner, message, model, std::move(made.request))) return fail(std::move(*error));
    begun.push_back(std::move(message));
  }
  return std::nullopt;
}

// Does `work` in a transaction that an ApiError undoes.
std::optional<ApiError> try_all(Connection& db, const std::function<std::optional<ApiError>()>& work) {
  std::optional<ApiError> refused;
  const Status done = db.transaction([&]() -> Status {
    refused = work();
    return refused ? Status(make_error(ErrorCode::kInvalidArgument, "{}", refused->message)) : Status();
  });
  if (refused) return refused;
  return done.ok() ? std::nullopt : std::optional(to_api_error(done.error()));
}

void tell_messages(Page& page, Connection& db, const PageChat& chat, const std::vector<PageMessage>& messages) {
  for (const PageMessage& message : messages) page.events().publish(chat.owner, {{"type", "message"}, {"message", to_json(message)}});
  if (auto now = find_page_chat(db, chat.owner, chat.id); now.ok() && *now) page.tell_chat(**now);
}

json::array messages_json(const std::vector<PageMessage>& messages) {
  json::array out;
  for (const PageMessage& message : messages) out.push_back(to_json(message));
  return out;
}

std::variant<PageMessage, ApiError> read_new_message(Connection& db, const json::object& body, const PageChat& chat) {
  Fields fields(body);
  PageMessage message;
  message.chat = chat.id;
  message.state = "done";
  message.created = now_ms();
  message.parent = fields.integer("parent", 1, INT64_MAX);
  message.role = fields.text("role").value_or("user");
  message.text = fields.text("text").value_or("");
  if (const auto id = fields.text("tool_call_id")) message.more["tool_call_id"] = *id;
  const json::array* attachments = fields.list("attachments");
  if (fields.error()) return *fields.error();
  if (message.role != "user" && message.role != "assistant" && message.role != "tool") return bad_field("role", "expected user, assistant or tool");
  auto read = read_page_attachments(&db, chat.owner, attachments);
  if (auto* error = std::get_if<ApiError>(&read)) return std::move(*error);
  message.attachments = std::move(std::get<0>(read));
  if (message.text.empty() && message.attachments.empty()) return bad_field("text", "is empty");
  return message;
}

enum class ChatIs : uint8_t { kStored, kNew };

// A message of the user's and the answers to it, stored and begun together or not at all; a new chat with them.
PageReply add_message(Page& page, Connection& db, const PageChat& chat, ChatIs is, PageMessage message, const AnswerWish& wish, const ModelList& models) {
  RIVAL_ASSIGN_OR_RETURN(std::vector<PageMessage> all, page_messages(db, chat.id, true));
  if (all.size() >= limits::kPageMessagesMax) return bad_field("parent", "this chat is full");
  auto branch = page_branch(all, message.parent);
  if (auto* error = std::get_if<ApiError>(&branch)) return *error;
  std::vector<PageMessage> begun;
  auto refused = try_all(db, [&]() -> std::optional<ApiError> {
    Status stored = is == ChatIs::kNew ? insert_page_chat(db, chat) : Status();
    if (stored.ok()) stored = insert_page_message(db, message);
    if (!stored.ok()) return to_api_error(stored.error());
    auto& path = std::get<0>(branch);
    path.push_back(message);
    if (!models.empty())
      if (auto error = begin_answers(page, db, chat, path, wish, models, begun)) return error;
    const Status touched = touch_page_chat(db, chat.id, begun.empty() ? message.id : begun.front().id, now_ms());
    return touched.ok() ? std::nullopt : std::optional(to_api_error(touched.error()));
  });
  if (refused) return *refused;
  std::vector<PageMessage> told = begun;
  told.insert(told.begin(), message);
  tell_messages(page, db, chat, told);
  json::object reply{{"message", to_json(message)}, {"answers", messages_json(begun)}};
  if (is == ChatIs::kStored) return reply;
  RIVAL_ASSIGN_OR_RETURN(const auto now, find_page_chat(db, chat.owner, chat.id));
  reply["chat"] = page.chat_json(now.value_or(chat));
  return reply;
}

PageReply take_message(Page& page, Connection& db, const PageCall& call, const json::object& body, const PageChat& chat, ChatIs is) {
  auto read = read_new_message(db, body, chat);
  if (auto* error = std::get_if<ApiError>(&read)) return *error;
  Fields fields(body);
  const json::object* answer = fields.object("answer");
  if (fields.error()) return *fields.error();
  if (!answer) return add_message(page, db, chat, is, std::move(std::get<0>(read)), {}, {});
  auto wish = read_wish(page, call, *answer, chat);
  if (auto* error = std::get_if<ApiError>(&wish)) return *error;
  auto names = std::get<AnswerWish>(wish).models;
  with_models(page, call.exchange, std::move(names), std::make_shared<ModelList>(),
              [&page, chat, is, message = std::move(std::get<0>(read)), wish = std::get<AnswerWish>(wish)](Connection& db, const ModelList& models) {
                return add_message(page, db, chat, is, message, wish, models);
              });
  return PageLater{};
}

PageReply add_answers(Page& page, Connection& db, const PageChat& chat, int64_t parent, const AnswerWish& wish, const ModelList& models) {
  RIVAL_ASSIGN_OR_RETURN(std::vector<PageMessage> all, page_messages(db, chat.id, true));
  if (all.size() >= limits::kPageMessagesMax) return bad_field("parent", "this chat is full");
  auto branch = page_branch(all, parent);
  if (auto* error = std::get_if<ApiError>(&branch)) return *error;
  std::vector<PageMessage> begun;
  auto refused = try_all(db, [&]() -> std::optional<ApiError> {
    if (auto error = begin_answers(page, db, chat, std::get<0>(branch), wish, models, begun)) return error;
    const Status touched = touch_page_chat(db, chat.id, begun.front().id, now_ms());
    return touched.ok() ? std::nullopt : std::optional(to_api_error(touched.error()));
  });
  if (refused) return *refused;
  tell_messages(page, db, chat, begun);
  return json::object{{"answers", messages_json(begun)}};
}

PageReply go_on(Page& page, Connection& db, const PageChat& chat, int64_t id, const AnswerWish& wish, const std::shared_ptr<ServedModel>& model) {
  RIVAL_ASSIGN_OR_RETURN(std::vector<PageMessage> all, page_messages(db, chat.id, true));
  auto branch = page_branch(all, id);
  if (auto* error = std::get_if<ApiError>(&branch)) return *error;
  auto& path = std::get<0>(branch);
  if (path.back().role != "assistant") return bad_field("message", "is no answer");
  if (path.back().text.empty() && path.back().reasoning.empty()) return bad_field("message", "is empty: ask for another answer");
  auto prompt = make_page_prompt(model, path, {.system = chat.system, .settings = merged_settings(chat.settings, wish.settings), .allow_drop = wish.allow_drop, .continue_last = true});
  if (auto* error = std::get_if<ApiError>(&prompt)) return *error;
  auto& made = std::get<PagePrompt>(prompt);
  PageMessage message = path.back();
  message.more.erase("error");
  message.more.erase("usage");
  if (!made.dropped.empty()) message.more["usage"] = json::object{{"dropped", ids_of(path, made.dropped)}};
  made.request.record = wish.record;
  auto refused = try_all(db, [&] { return page.answers().begin(db, chat.owner, message, model, std::move(made.request)); });
  if (refused) return *refused;
  tell_messages(page, db, chat, {message});
  return json::object{{"answers", messages_json({message})}};
}

}  // namespace

PageReply send_message(Page& page, Connection& db, PageCall& call) {
  auto found = wanted_chat(db, call);
  if (auto* error = std::get_if<ApiError>(&found)) return *error;
  return take_message(page, db, call, call.body, std::get<PageChat>(found), ChatIs::kStored);
}

PageReply send_first_message(Page& page, Connection& db, const PageCall& call, const PageChat& chat, const json::object& message) {
  return take_message(page, db, call, message, chat, ChatIs::kNew);
}

PageReply answer_again(Page& page, Connection& db, PageCall& call) {
  auto found = wanted_chat(db, call);
  if (auto* error = std::get_if<ApiError>(&found)) return *error;
  const PageChat chat = std::get<PageChat>(found);
  Fields fields(call.body);
  const auto parent = fields.integer("parent", 1, INT64_MAX);
  if (!parent) return fields.error() ? *fields.error() : bad_field("parent", "is missing");
  auto wish = read_wish(page, call, call.body, chat);
  if (auto* error = std::get_if<ApiError>(&wish)) return *error;
  auto names = std::get<AnswerWish>(wish).models;
  with_models(page, call.exchange, std::move(names), std::make_shared<ModelList>(),
              [&page, chat, parent = *parent, wish = std::get<AnswerWish>(wish)](Connection& db, const ModelList& models) {
                return add_answers(page, db, chat, parent, wish, models);
              });
  return PageLater{};
}

PageReply continue_answer(Page& page, Connection& db, PageCall& call) {
  auto found = wanted_chat(db, call);
  if (auto* error = std::get_if<ApiError>(&found)) return *error;
  const PageChat chat = std::get<PageChat>(found);
  Fields fields(call.body);
  const auto id = fields.integer("message", 1, INT64_MAX);
  if (!id) return fields.error() ? *fields.error() : bad_field("message", "is missing");
  auto wish = read_wish(page, call, call.body, chat);
  if (auto* error = std::get_if<ApiError>(&wish)) return *error;
  RIVAL_ASSIGN_OR_RETURN(const auto message, find_page_message(db, call.owner, *id, false));
  if (!message || message->chat != chat.id) return ApiError{404, "not_found_error", "there is no such message in this chat", "message", "not_found"};
  with_models(page, call.exchange, {message->model}, std::make_shared<ModelList>(),
              [&page, chat, id = *id, wish = std::get<AnswerWish>(wish)](Connection& db, const ModelList& models) { return go_on(page, db, chat, id, wish, models.front()); });
  return PageLater{};
}

PageReply stop_answers(Page& page, Connection& db, PageCall& call) {
  auto found = wanted_chat(db, call);
  if (auto* error = std::get_if<ApiError>(&found)) return *error;
  Fields fields(call.body);
  const auto message = fields.integer("message", 1, INT64_MAX);
  if (fields.error()) return *fields.error();
  page.answers().stop(call.path[0], message);
  return json::object();
}

PageReply show_attachment(Page&, Connection& db, PageCall& call) {
  const auto id = call.id(0), place = call.id(1);
  RIVAL_ASSIGN_OR_RETURN(const auto message, find_page_message(db, call.owner, id.value_or(0), true));
  if (!message || !place || *place < 0 || static_cast<size_t>(*place) >= message->attachments.size())
    return ApiError{404, "not_found_error", "there is no such attachment", "", "not_found"};
  call.exchange->respond(200, "text/plain; charset=utf-8", message->attachments[static_cast<size_t>(*place)].text,
                         {{"X-Content-Type-Options", "nosniff"}, {"Content-Security-Policy", "sandbox; default-src 'none'"}, {"Cache-Control", "no-store"}});
  return PageLater{};
}

PageReply show_tokens(Page&, Connection& db, PageCall& call) {
  RIVAL_ASSIGN_OR_RETURN(const auto message, find_page_message(db, call.owner, call.id(0).value_or(0), false));
  if (!message) return ApiError{404, "not_found_error", "there is no such message", "", "not_found"};
  RIVAL_ASSIGN_OR_RETURN(auto tokens, page_tokens(db, message->id));
  if (!tokens) return ApiError{404, "not_found_error", "what else this answer could have been is not kept", "", "not_found"};
  return json::object{{"tokens", std::move(*tokens)}};
}

PageReply count_tokens(Page& page, Connection& db, PageCall& call) {
  Fields fields(call.body);
  PageChat chat;
  std::vector<PageMessage> branch;
  const bool stored = fields.has("chat");
  if (stored) {
    call.path = {fields.text("chat").value_or("")};
    auto found = wanted_chat(db, call);
    if (auto* error = std::get_if<ApiError>(&found)) return *error;
    chat = std::get<PageChat>(found);
    RIVAL_ASSIGN_OR_RETURN(std::vector<PageMessage> all, page_messages(db, chat.id, true));
    auto path = page_branch(all, fields.integer("parent", 1, INT64_MAX));
    if (auto* error = std::get_if<ApiError>(&path)) return *error;
    branch = std::move(std::get<0>(path));
  } else if (const json::array* rows = fields.list("messages")) {
    auto read = read_page_messages(*rows);
    if (auto* error = std::get_if<ApiError>(&read)) return *error;
    branch = std::move(std::get<0>(read));
  }
  if (const auto system = fields.text("system")) chat.system = *system;
  auto attachments = read_page_attachments(&db, call.owner, fields.list("attachments"));
  if (auto* error = std::get_if<ApiError>(&attachments)) return *error;
  PageMessage draft;
  draft.role = "user", draft.state = "done";
  draft.text = fields.text("text").value_or("");
  draft.attachments = std::move(std::get<0>(attachments));
  if (!draft.text.empty() || !draft.attachments.empty()) branch.push_back(std::move(draft));
  json::object settings = chat.settings;
  if (const json::object* given = fields.object("settings")) {
    if (auto error = check_page_settings(*given)) return *error;
    settings = merged_settings(settings, *given);
  }
  if (const auto max = fields.integer("max_tokens", 0, 1 << 24)) settings["max_tokens"] = *max;
  if (const auto model = fields.text("model")) settings["model"] = *model;
  if (fields.error()) return *fields.error();
  Fields own(settings);
  with_models(page, call.exchange, {own.text("model").value_or("")}, std::make_shared<ModelList>(),
              [branch = std::move(branch), system = chat.system, settings, stored](Connection&, const ModelList& models) -> PageReply {
                const uint32_t context = models.front()->engine().context_limit();
                if (branch.empty() && system.empty()) return json::object{{"tokens", 0}, {"context", context}, {"room", context}, {"dropped", json::array()}};
                auto prompt = make_page_prompt(models.front(), branch, {.system = system, .settings = settings, .allow_drop = true, .count_only = true});
                if (auto* error = std::get_if<ApiError>(&prompt)) return *error;
                const auto& made = std::get<PagePrompt>(prompt);
                json::array dropped;
                for (size_t place : made.dropped) dropped.push_back(stored ? json::value(branch[place].id) : json::value(place));
                return json::object{{"tokens", made.tokens}, {"context", context}, {"room", context > made.tokens ? context - made.tokens : 0}, {"dropped", std::move(dropped)}};
              });
  return PageLater{};
}

}  // namespace rival::serve
