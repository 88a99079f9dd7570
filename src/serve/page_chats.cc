// The routes of the page that work on chats as a whole.
#include <algorithm>

#include "base/limits.h"
#include "serve/page.h"

namespace rival::serve {
namespace {

json::array chats_json(const Page& page, const std::vector<PageChat>& chats) {
  json::array out;
  for (const PageChat& chat : chats) out.push_back(page.chat_json(chat));
  return out;
}

int64_t limit_of(const PageCall& call, size_t otherwise) {
  const auto text = call.parameter("limit");
  const int64_t limit = text ? std::atoll(text->c_str()) : 0;
  return limit > 0 ? std::min<int64_t>(limit, limits::kPageListMax) : static_cast<int64_t>(otherwise);
}

void read_short_text(Fields& fields, std::string_view name, size_t bytes_max, std::string& out) {
  const auto text = fields.text(name);
  if (text && text->size() > bytes_max) return fields.fail(name, fmt::format("has {} bytes; at most {}", text->size(), bytes_max));
  if (text) out = *text;
}

// The members of a chat that a client may set.
std::optional<ApiError> read_chat(const json::object& body, PageChat& chat) {
  static constexpr std::string_view kMembers[] = {"title", "pinned", "folder", "system", "settings", "leaf"};
  for (const auto& [name, value] : body)
    if (std::find(std::begin(kMembers), std::end(kMembers), std::string_view(name)) == std::end(kMembers))
      return bad_field(std::string_view(name), "is no member of a chat that can be set");
  Fields fields(body);
  read_short_text(fields, "title", limits::kPageTitleBytesMax, chat.title);
  if (fields.has("title")) chat.title_by = chat.title.empty() ? "" : "user";
  read_short_text(fields, "folder", limits::kPageFolderBytesMax, chat.folder);
  read_short_text(fields, "system", limits::kPageSystemBytesMax, chat.system);
  chat.pinned = fields.boolean("pinned", chat.pinned);
  if (const auto leaf = fields.integer("leaf", 1, INT64_MAX)) chat.leaf = *leaf;
  if (const json::object* settings = fields.object("settings")) {
    if (auto error = check_page_settings(*settings)) return error;
    chat.settings = *settings;
  }
  return fields.error();
}

PageReply delete_chats(Page& page, Connection& db, PageCall& call, std::string_view id) {
  RIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> ids, delete_page_chats(db, call.owner, id, now_ms()));
  for (const std::string& gone : ids) page.answers().stop(gone, std::nullopt);
  const bool now = call.parameter("now") == "1";
  if (now) RIVAL_RETURN_IF_ERROR(purge_page_chats(db, now_ms() + 1));
  json::array list(ids.begin(), ids.end());
  if (!ids.empty()) page.events().publish(call.owner, {{"type", "deleted"}, {"ids", list}});
  return json::object{{"ids", std::move(list)}, {"undo_ms", now ? 0 : limits::kPageUndoMs}};
}

}  // namespace

PageReply list_chats(Page& page, Connection& db, PageCall& call) {
  PageChatQuery query{.before = call.parameter("before"), .folder = call.parameter("folder"), .limit = static_cast<size_t>(limit_of(call, 50))};
  const bool first = !query.before && !query.folder;
  if (!query.folder) query.pinned = false;
  RIVAL_ASSIGN_OR_RETURN(const PageChatList list, list_page_chats(db, call.owner, query));
  json::object out = {{"chats", chats_json(page, list.chats)}, {"next", list.next ? json::value(*list.next) : json::value(nullptr)}};
  if (!first) return out;
  RIVAL_ASSIGN_OR_RETURN(const PageChatList pinned, list_page_chats(db, call.owner, {.pinned = true, .limit = limits::kPageListMax}));
  RIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> folders, page_folders(db, call.owner));
  out["pinned"] = chats_json(page, pinned.chats);
  out["folders"] = json::array(folders.begin(), folders.end());
  return out;
}

PageReply create_chat(Page& page, Connection& db, PageCall& call) {
  Fields fields(call.body);
  const json::object* given = fields.object("message");
  if (fields.error()) return *fields.error();
  const json::object message = given ? *given : json::object();
  const bool begins = given != nullptr;
  call.body.erase("message");
  PageChat chat;
  if (auto error = read_chat(call.body, chat)) return *error;
  chat.id = new_chat_id();
  chat.owner = call.owner;
  chat.created = chat.updated = now_ms();
  chat.leaf = std::nullopt;
  if (begins) return send_first_message(page, db, call, chat, message);
  RIVAL_RETURN_IF_ERROR(insert_page_chat(db, chat));
  page.tell_chat(chat);
  return json::object{{"chat", page.chat_json(chat)}};
}

PageReply show_chat(Page& page, Connection& db, PageCall& call) {
  auto found = wanted_chat(db, call);
  if (auto* error = std::get_if<ApiError>(&found)) return *error;
  const PageChat& chat = std::get<PageChat>(found);
  RIVAL_ASSIGN_OR_RETURN(const std::vector<PageMessage> messages, page_messages(db, chat.id, false));
  json::array rows;
  rows.reserve(messages.size());
  for (const PageMessage& message : messages) rows.push_back(to_json(message));
  return json::object{{"chat", page.chat_json(chat)}, {"messages", std::move(rows)}, {"sequence", page.events().sequence()}};
}

PageReply change_chat(Page& page, Connection& db, PageCall& call) {
  auto found = wanted_chat(db, call);
  if (auto* error = std::get_if<ApiError>(&found)) return *error;
  PageChat& chat = std::get<PageChat>(found);
  const auto leaf = chat.leaf;
  if (auto error = read_chat(call.body, chat)) return *error;
  if (chat.leaf && chat.leaf != leaf) {
    RIVAL_ASSIGN_OR_RETURN(const auto message, find_page_message(db, call.owner, *chat.leaf, false));
    if (!message || message->chat != chat.id) return bad_field("leaf", "is no message of this chat");
  }
  RIVAL_RETURN_IF_ERROR(update_page_chat(db, chat));
  page.tell_chat(chat);
  return json::object{{"chat", page.chat_json(chat)}};
}

PageReply delete_chat(Page& page, Connection& db, PageCall& call) {
  auto found = wanted_chat(db, call);
  if (auto* error = std::get_if<ApiError>(&found)) return *error;
  return delete_chats(page, db, call, call.path[0]);
}

PageReply delete_all_chats(Page& page, Connection& db, PageCall& call) { return delete_chats(page, db, call, ""); }

PageReply restore_chats(Page& page, Connection& db, PageCall& call) {
  Fields fields(call.body);
  const json::array* ids = fields.list("ids");
  if (!ids) return bad_field("ids", "expected the ids of deleted chats");
  json::array chats;
  for (const json::value& id : *ids) {
    if (!id.is_string()) return bad_field("ids", "expected strings");
    RIVAL_ASSIGN_OR_RETURN(const bool back, restore_page_chat(db, call.owner, id.get_string()));
    RIVAL_ASSIGN_OR_RETURN(const auto chat, find_page_chat(db, call.owner, id.get_string()));
    if (!back || !chat) continue;
    page.tell_chat(*chat);
    chats.push_back(page.chat_json(*chat));
  }
  return json::object{{"chats", std::move(chats)}};
}

PageReply title_chat(Page& page, Connection& db, PageCall& call) {
  auto found = wanted_chat(db, call);
  if (auto* error = std::get_if<ApiError>(&found)) return *error;
  PageChat chat = std::get<PageChat>(found);
  const json::value* model = chat.settings.if_contains("model");
  with_model(page.service(), call.exchange, model && model->is_string() ? std::string(model->get_string()) : "",
             [&page, exchange = call.exchange, chat](const std::shared_ptr<ServedModel>& model) {
               page.database().post([&page, exchange, chat, model](Connection& db) {
                 page.make_title(db, chat, model);
                 PageReply(json::object(), 202).send(exchange);
               });
             });
  return PageLater{};
}

PageReply search_chats(Page& page, Connection& db, PageCall& call) {
  const std::string query = call.parameter("q").value_or("");
  RIVAL_ASSIGN_OR_RETURN(const std::vector<PageHit> hits, search_page(db, call.owner, query, static_cast<size_t>(limit_of(call, 30))));
  json::array rows;
  for (const PageHit& hit : hits) {
    RIVAL_ASSIGN_OR_RETURN(const auto chat, find_page_chat(db, call.owner, hit.chat));
    if (!chat) continue;
    rows.push_back(json::object{{"chat", page.chat_json(*chat)},
                                {"message", hit.message ? json::value(*hit.message) : json::value(nullptr)},
                                {"role", hit.role},
                                {"snippet", json::array(hit.snippet.begin(), hit.snippet.end())}});
  }
  return json::object{{"hits", std::move(rows)}};
}

PageReply show_preferences(Page&, Connection& db, PageCall& call) {
  RIVAL_ASSIGN_OR_RETURN(json::object preferences, page_preferences(db, call.owner));
  return preferences;
}

PageReply put_preferences(Page&, Connection& db, PageCall& call) {
  if (to_json_text(call.body).size() > limits::kPagePreferencesBytesMax)
    return ApiError{413, "invalid_request_error", fmt::format("preferences have at most {} bytes", limits::kPagePreferencesBytesMax), "", "too_large"};
  RIVAL_RETURN_IF_ERROR(set_page_preferences(db, call.owner, call.body));
  return call.body;
}

}  // namespace rival::serve
