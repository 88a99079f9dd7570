// Files that come in and go out: attachments, export, import.
#include <algorithm>

#include "base/limits.h"
#include "base/log.h"
#include "serve/chat_file_text.h"
#include "serve/chat_import.h"
#include "serve/page.h"
#include "text/tokenizer.h"

namespace rival::serve {
namespace {

constexpr size_t kRowsAtOnce = 2000;  // messages in one job, so that running answers are not held up

ApiError attachment_error(const Error& error) {
  ApiError out = to_api_error(error);
  if (error.code == ErrorCode::kNotFound) out.status = 400, out.code = "pdf_needs_poppler", out.type = "invalid_request_error";
  if (error.code == ErrorCode::kUnsupported) out.code = "not_text";
  if (error.code == ErrorCode::kLimit) out.status = 413, out.code = "too_large";
  if (error.code == ErrorCode::kCorrupt) out.code = "broken_file";
  return out;
}

void respond_attachment(const std::shared_ptr<http::Exchange>& exchange, const std::string& name, const std::shared_ptr<ServedModel>& model) {
  const auto text = chat_file_text(exchange->request().body);
  if (!text.ok()) return respond_error(exchange, attachment_error(text.error()));
  const auto ids = model->tokenizer().encode(*text, {.add_special = false, .parse_special = false});
  PageReply(json::object{{"name", name}, {"text", *text}, {"bytes", exchange->request().body.size()}, {"tokens", ids.ok() ? ids->size() : 0}}).send(exchange);
}

// ---- export ----

struct Export {
  std::shared_ptr<http::Exchange> exchange;
  std::string owner, text = R"({"format": "rival-chats", "version": 1, "chats": [)";
  std::vector<std::string> ids;
  size_t next = 0;
};

Status add_chat(Connection& db, Export& out, const std::string& id, size_t& rows) {
  RIVAL_ASSIGN_OR_RETURN(const auto chat, find_page_chat(db, out.owner, id));
  if (!chat) return {};
  RIVAL_ASSIGN_OR_RETURN(const std::vector<PageMessage> messages, page_messages(db, id, true));
  rows += messages.size() + 1;
  json::object row = to_json(*chat);
  json::array list;
  for (const PageMessage& message : messages) {
    json::object one = to_json(message, true);
    one.erase("chat");
    list.push_back(std::move(one));
  }
  row["messages"] = std::move(list);
  out.text += (out.text.ends_with('[') ? "\n" : ",\n") + to_json_text(row);
  return {};
}

void go_on_exporting(Page& page, const std::shared_ptr<Export>& out, Connection& db) {
  size_t rows = 0;
  while (out->next < out->ids.size() && rows < kRowsAtOnce)
    if (const Status added = add_chat(db, *out, out->ids[out->next++], rows); !added.ok()) return respond_error(out->exchange, to_api_error(added.error()));
  if (out->next < out->ids.size()) return page.database().post([&page, out](Connection& again) { go_on_exporting(page, out, again); });
  out->text += "\n]}\n";
  out->exchange->respond(200, "application/json", std::move(out->text), {{"Content-Disposition", "attachment; filename=\"rival-chats.json\""}, {"Cache-Control", "no-store"}});
}

// ---- import ----

struct Import {
  std::shared_ptr<http::Exchange> exchange;
  std::string owner;
  std::vector<ImportedRow> rows;
  size_t next = 0;
  size_t imported = 0, skipped = 0;
  json::array failed, ids;
};

Result<bool> is_here(Connection& db, const std::string& owner, const std::string& origin) {
  if (origin.empty()) return false;
  if (origin.starts_with("rival:")) {
    RIVAL_ASSIGN_OR_RETURN(const auto chat, find_page_chat(db, owner, origin.substr(6)));
    if (chat) return true;
  }
  return has_page_origin(db, owner, origin);
}

Status store_chat(Connection& db, const std::string& owner, ImportedChat& in) {
  in.chat.id = new_chat_id();
  in.chat.owner = owner;
  RIVAL_RETURN_IF_ERROR(insert_page_chat(db, in.chat));
  for (size_t i = 0; i < in.messages.size(); ++i) {
    PageMessage& message = in.messages[i];
    message.chat = in.chat.id;
    if (in.parents[i]) message.parent = in.messages[*in.parents[i]].id;
    RIVAL_RETURN_IF_ERROR(insert_page_message(db, message));
  }
  if (in.leaf) in.chat.leaf = in.messages[*in.leaf].id;
  return update_page_chat(db, in.chat);
}

void import_one(Connection& db, Import& in, ImportedRow& row) {
  const auto fail = [&](const std::string& title, const std::string& reason) { in.failed.push_back(json::object{{"title", title}, {"reason", reason}}); };
  if (const auto* failure = std::get_if<ImportFailure>(&row)) return fail(failure->title, failure->reason);
  auto& chat = std::get<ImportedChat>(row);
  const auto here = is_here(db, in.owner, chat.chat.origin);
  if (!here.ok()) return fail(chat.chat.title, here.error().message);
  if (*here) {
    ++in.skipped;
    return;
  }
  const Status stored = db.transaction([&] { return store_chat(db, in.owner, chat); });
  if (!stored.ok()) return fail(chat.chat.title, stored.error().message);
  ++in.imported;
  in.ids.emplace_back(chat.chat.id);
}

void go_on_importing(Page& page, const std::shared_ptr<Import>& in, Connection& db) {
  for (size_t rows = 0; in->next < in->rows.size() && rows < kRowsAtOnce; ++in->next) {
    if (const auto* chat = std::get_if<ImportedChat>(&in->rows[in->next])) rows += chat->messages.size();
    import_one(db, *in, in->rows[in->next]);
  }
  if (in->next < in->rows.size()) return page.database().post([&page, in](Connection& again) { go_on_importing(page, in, again); });
  page.events().publish(in->owner, {{"type", "imported"}});
  PageReply(json::object{{"imported", in->imported}, {"skipped", in->skipped}, {"failed", std::move(in->failed)}, {"ids", std::move(in->ids)}}).send(in->exchange);
}

}  // namespace

void read_attachment(Page& page, PageCall& call) {
  const std::string name = call.parameter("name").value_or("");
  if (name.empty() || name.size() > limits::kPageNameBytesMax) return respond_error(call.exchange, bad_field("name", "expected the file's name"));
  with_model(page.service(), call.exchange, call.parameter("model").value_or(""), [&page, exchange = call.exchange, name](const std::shared_ptr<ServedModel>& model) {
    page.run_aside([exchange, name, model] { respond_attachment(exchange, name, model); });
  });
}

PageReply export_chats(Page& page, Connection& db, PageCall& call) {
  const auto out = std::make_shared<Export>();
  out->exchange = call.exchange;
  out->owner = call.owner;
  if (const auto id = call.parameter("chat")) {
    call.path = {*id};
    auto found = wanted_chat(db, call);
    if (auto* error = std::get_if<ApiError>(&found)) return *error;
    out->ids = {*id};
  } else {
    RIVAL_ASSIGN_OR_RETURN(out->ids, all_page_chats(db, call.owner));
  }
  go_on_exporting(page, out, db);
  return PageLater{};
}

PageReply import_chats(Page& page, Connection& db, PageCall& call) {
  auto rows = read_chat_file(call.exchange->request().body);
  if (!rows.ok()) {
    ApiError error = to_api_error(rows.error());
    error.code = "not_chats";
    return error;
  }
  const auto in = std::make_shared<Import>();
  in->exchange = call.exchange;
  in->owner = call.owner;
  in->rows = std::move(*rows);
  go_on_importing(page, in, db);
  return PageLater{};
}

}  // namespace rival::serve
