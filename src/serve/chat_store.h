// The page's chats in the server's database: trees of messages, the pieces of answers that are being written, search.
//
// 1. An owner (a key's name; "" where there are no keys) sees its own chats only: every function that takes an owner
//    finds nothing of another's.
// 2. Messages are not changed once written, but for one that is `running`: its text grows in page_pieces, so that a
//    piece costs what it holds, and the pieces are joined to the message when it ends.
// 3. A message is in the search index when, and only when, it is not running.
//
// All functions run on the database's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "serve/database.h"

namespace rival::serve {

struct PageChat {
  std::string id, owner, title, title_by, folder, system;
  json::object settings;
  bool pinned = false;
  std::optional<int64_t> leaf;
  int64_t created = 0, updated = 0;  // milliseconds since 1970
  std::string origin = {};           // what an import knows it by
};

struct PageAttachment {
  std::string name;
  int64_t bytes = 0;
  std::string text;
};

// `more` holds the members that are passed through: group, error, settings, usage, timings, tool_calls, tool_call_id.
struct PageMessage {
  int64_t id = 0;
  std::string chat;
  std::optional<int64_t> parent;
  std::string role, state, text, reasoning, model;
  int64_t created = 0;
  json::object more;
  std::vector<PageAttachment> attachments;  // texts only where asked for
};

int64_t now_ms();
std::string new_chat_id();

// As docs/page-api.md has them; `running` is left to the caller.
json::object to_json(const PageChat& chat);
json::object to_json(const PageMessage& message, bool attachment_texts = false);

// ---- chats ----

Result<std::optional<PageChat>> find_page_chat(Connection& db, std::string_view owner, std::string_view id);
Status insert_page_chat(Connection& db, const PageChat& chat);
Status update_page_chat(Connection& db, const PageChat& chat);
Status touch_page_chat(Connection& db, std::string_view id, int64_t leaf, int64_t updated);

struct PageChatList {
  std::vector<PageChat> chats;
  std::optional<std::string> next;  // the cursor behind the last one
};
struct PageChatQuery {
  std::optional<std::string> before = {};  // a cursor
  std::optional<std::string> folder = {};
  std::optional<bool> pinned = {};
  size_t limit = 50;
};
// Newest first. Error: kInvalidArgument for a cursor that is none.
Result<PageChatList> list_page_chats(Connection& db, std::string_view owner, const PageChatQuery& query);
Result<std::vector<std::string>> page_folders(Connection& db, std::string_view owner);

Result<std::vector<std::string>> all_page_chats(Connection& db, std::string_view owner);  // ids, oldest first

// Marks one chat, or all for an empty id, as deleted; the ids that were.
Result<std::vector<std::string>> delete_page_chats(Connection& db, std::string_view owner, std::string_view id, int64_t now);
Result<bool> restore_page_chat(Connection& db, std::string_view owner, std::string_view id);
// Removes for good what was deleted before `deleted_before`.
Status purge_page_chats(Connection& db, int64_t deleted_before);
Result<bool> has_page_origin(Connection& db, std::string_view owner, std::string_view origin);

// ---- messages ----

// Sets the id. Indexed unless it is running.
Status insert_page_message(Connection& db, PageMessage& message);
// Of a chat the caller has found for its owner.
Result<std::vector<PageMessage>> page_messages(Connection& db, std::string_view chat, bool attachment_texts);
Result<std::optional<PageMessage>> find_page_message(Connection& db, std::string_view owner, int64_t id, bool attachment_texts);

// A finished message runs again.
Status reopen_page_message(Connection& db, const PageMessage& message);
Status append_page_piece(Connection& db, int64_t message, std::string_view text, std::string_view reasoning);
Status update_page_message_more(Connection& db, const PageMessage& message);
// Joins the pieces; `message` brings state and `more`, and its text is set to the whole.
Status finish_page_message(Connection& db, PageMessage& message);
// What was running when the process ended is `interrupted`.
Status recover_page_messages(Connection& db);

// What each token of an answer could have been, a JSON array; older ones give way.
Status keep_page_tokens(Connection& db, int64_t message, const json::array& tokens);
Result<std::optional<json::array>> page_tokens(Connection& db, int64_t message);

// ---- search ----

struct PageHit {
  std::string chat;
  std::optional<int64_t> message;  // none: the title
  std::string role;
  std::vector<std::string> snippet;  // text, match, text, match, ...
};
// Words by their beginnings, all of them; titles first, then messages by rank.
Result<std::vector<PageHit>> search_page(Connection& db, std::string_view owner, std::string_view query, size_t limit);

// ---- sessions and preferences ----

Status insert_page_session(Connection& db, std::string_view token_hash, std::string_view owner, int64_t expires);
Status delete_page_session(Connection& db, std::string_view token_hash);
struct PageSession {
  std::string token_hash, owner;
  int64_t expires;
};
Result<std::vector<PageSession>> page_sessions(Connection& db, int64_t now);  // those that have not expired; the others go
Result<json::object> page_preferences(Connection& db, std::string_view owner);
Status set_page_preferences(Connection& db, std::string_view owner, const json::object& preferences);

}  // namespace rival::serve
