#include "serve/chat_store.h"

#include <openssl/rand.h>

#include <charconv>
#include <chrono>

#include "serve/schema.h"

namespace rival::serve {

const char kPageTables[] = R"sql(
CREATE TABLE page_chats (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  title TEXT NOT NULL,
  title_by TEXT NOT NULL,
  pinned INTEGER NOT NULL,
  folder TEXT NOT NULL,
  system TEXT NOT NULL,
  settings TEXT NOT NULL,
  leaf INTEGER,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  origin TEXT,
  deleted INTEGER
);
CREATE INDEX page_chats_recent ON page_chats (owner, updated DESC, id DESC);
CREATE INDEX page_chats_deleted ON page_chats (deleted) WHERE deleted IS NOT NULL;
CREATE INDEX page_chats_origin ON page_chats (owner, origin) WHERE origin IS NOT NULL;
CREATE TABLE page_messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  chat TEXT NOT NULL REFERENCES page_chats (id) ON DELETE CASCADE,
  parent INTEGER,
  role TEXT NOT NULL,
  state TEXT NOT NULL,
  text TEXT NOT NULL,
  reasoning TEXT NOT NULL,
  model TEXT NOT NULL,
  created INTEGER NOT NULL,
  more TEXT NOT NULL
);
CREATE INDEX page_messages_chat ON page_messages (chat, id);
CREATE INDEX page_messages_running ON page_messages (id) WHERE state = 'running';
CREATE TABLE page_pieces (
  id INTEGER PRIMARY KEY,
  message INTEGER NOT NULL REFERENCES page_messages (id) ON DELETE CASCADE,
  text TEXT NOT NULL,
  reasoning TEXT NOT NULL
);
CREATE INDEX page_pieces_message ON page_pieces (message, id);
CREATE TABLE page_attachments (
  message INTEGER NOT NULL REFERENCES page_messages (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (message, position)
);
CREATE TABLE page_tokens (
  message INTEGER PRIMARY KEY REFERENCES page_messages (id) ON DELETE CASCADE,
  tokens TEXT NOT NULL
);
CREATE VIRTUAL TABLE page_index USING fts5 (text, content='page_messages', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3');
CREATE TABLE page_sessions (
  token_hash TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE page_preferences (
  owner TEXT PRIMARY KEY,
  body TEXT NOT NULL
) WITHOUT ROWID;
)sql";

namespace {

#define RIVAL_CHAT_COLUMNS "id, owner, title, title_by, pinned, folder, system, settings, leaf, created, updated, origin"

json::object object_of(std::string_view text) {
  auto value = parse_json(text);
  return value.ok() && value->is_object() ? std::move(value->get_object()) : json::object();
}

PageChat read_chat(const Statement& row) {
  PageChat chat;
  chat.id = row.text(0);
  chat.owner = row.text(1);
  chat.title = row.text(2);
  chat.title_by = row.text(3);
  chat.pinned = row.integer(4) != 0;
  chat.folder = row.text(5);
  chat.system = row.text(6);
  chat.settings = object_of(row.text(7));
  if (!row.is_null(8)) chat.leaf = row.integer(8);
  chat.created = row.integer(9);
  chat.updated = row.integer(10);
  chat.origin = row.text(11);
  return chat;
}

// "UPDATED-ID": where a page of the list ended.
struct Cursor {
  int64_t updated = INT64_MAX;
  std::string id = "~";  // behind every id
};

Result<Cursor> parse_cursor(const std::optional<std::string>& text) {
  Cursor cursor;
  if (!text) return cursor;
  const char* end = text->data() + text->size();
  const auto [stop, code] = std::from_chars(text->data(), end, cursor.updated);
  if (code != std::errc() || stop == end || *stop != '-') return make_error(ErrorCode::kInvalidArgument, "before: '{}' is no cursor of this list", *text);
  cursor.id.assign(stop + 1, end);
  return cursor;
}

}  // namespace

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string new_chat_id() {
  uint64_t bits = 0;
  RIVAL_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits) == 1);
  return fmt::format("{:016x}", bits);
}

json::object to_json(const PageChat& chat) {
  return {{"id", chat.id},
          {"title", chat.title},
          {"title_by", chat.title_by},
          {"pinned", chat.pinned},
          {"folder", chat.folder},
          {"system", chat.system},
          {"settings", chat.settings},
          {"leaf", chat.leaf ? json::value(*chat.leaf) : json::value(nullptr)},
          {"created", chat.created},
          {"updated", chat.updated}};
}

Result<std::optional<PageChat>> find_page_chat(Connection& db, std::string_view owner, std::string_view id) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT " RIVAL_CHAT_COLUMNS " FROM page_chats WHERE id = ? AND owner = ? AND deleted IS NULL", id, owner));
  RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
  return found ? std::optional(read_chat(row)) : std::nullopt;
}

Status insert_page_chat(Connection& db, const PageChat& c) {
  return db.run("INSERT INTO page_chats (" RIVAL_CHAT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", c.id, c.owner, c.title, c.title_by,
                c.pinned, c.folder, c.system, to_json_text(c.settings), c.leaf, c.created, c.updated,
                c.origin.empty() ? std::nullopt : std::optional(std::string_view(c.origin)));
}

Status update_page_chat(Connection& db, const PageChat& c) {
  return db.run("UPDATE page_chats SET title = ?, title_by = ?, pinned = ?, folder = ?, system = ?, settings = ?, leaf = ?, updated = ? WHERE id = ?",
                c.title, c.title_by, c.pinned, c.folder, c.system, to_json_text(c.settings), c.leaf, c.updated, c.id);
}

Status touch_page_chat(Connection& db, std::string_view id, int64_t leaf, int64_t updated) {
  return db.run("UPDATE page_chats SET leaf = ?, updated = ? WHERE id = ?", leaf, updated, id);
}

Result<PageChatList> list_page_chats(Connection& db, std::string_view owner, const PageChatQuery& query) {
  RIVAL_ASSIGN_OR_RETURN(const Cursor cursor, parse_cursor(query.before));
  RIVAL_ASSIGN_OR_RETURN(
      Statement row,
      db.query("SELECT " RIVAL_CHAT_COLUMNS " FROM page_chats WHERE owner = ?1 AND deleted IS NULL AND (updated, id) < (?2, ?3)"
               " AND (?4 IS NULL OR folder = ?4) AND (?5 IS NULL OR pinned = ?5) ORDER BY updated DESC, id DESC LIMIT ?6",
               owner, cursor.updated, cursor.id, query.folder, query.pinned, query.limit + 1));
  PageChatList list;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return list;
    if (list.chats.size() == query.limit) {
      list.next = fmt::format("{}-{}", list.chats.back().updated, list.chats.back().id);
      return list;
    }
    list.chats.push_back(read_chat(row));
  }
}

Result<std::vector<std::string>> page_folders(Connection& db, std::string_view owner) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT DISTINCT folder FROM page_chats WHERE owner = ? AND deleted IS NULL AND folder <> '' ORDER BY folder", owner));
  std::vector<std::string> folders;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return folders;
    folders.emplace_back(row.text(0));
  }
}

Result<std::vector<std::string>> all_page_chats(Connection& db, std::string_view owner) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT id FROM page_chats WHERE owner = ? AND deleted IS NULL ORDER BY updated, id", owner));
  std::vector<std::string> ids;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return ids;
    ids.emplace_back(row.text(0));
  }
}

Result<std::vector<std::string>> delete_page_chats(Connection& db, std::string_view owner, std::string_view id, int64_t now) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("UPDATE page_chats SET deleted = ?1 WHERE owner = ?2 AND deleted IS NULL AND (?3 = '' OR id = ?3) RETURNING id", now, owner, id));
  std::vector<std::string> ids;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return ids;
    ids.emplace_back(row.text(0));
  }
}

Result<bool> restore_page_chat(Connection& db, std::string_view owner, std::string_view id) {
  RIVAL_RETURN_IF_ERROR(db.run("UPDATE page_chats SET deleted = NULL WHERE owner = ? AND id = ? AND deleted IS NOT NULL", owner, id));
  return db.changes() > 0;
}

Status purge_page_chats(Connection& db, int64_t deleted_before) {
  return db.transaction([&]() -> Status {
    // The index holds words of the messages: they leave it while their texts can still be read.
    RIVAL_RETURN_IF_ERROR(db.run("INSERT INTO page_index (page_index, rowid, text) SELECT 'delete', m.id, m.text FROM page_messages m"
                                 " JOIN page_chats c ON c.id = m.chat WHERE c.deleted < ? AND m.state <> 'running'",
                                 deleted_before));
    return db.run("DELETE FROM page_chats WHERE deleted < ?", deleted_before);
  });
}

Result<bool> has_page_origin(Connection& db, std::string_view owner, std::string_view origin) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT 1 FROM page_chats WHERE owner = ? AND origin = ? AND deleted IS NULL", owner, origin));
  return row.step();
}

// ---- sessions and preferences ----

Status insert_page_session(Connection& db, std::string_view token_hash, std::string_view owner, int64_t expires) {
  return db.run("INSERT INTO page_sessions (token_hash, owner, expires) VALUES (?, ?, ?)", token_hash, owner, expires);
}

Status delete_page_session(Connection& db, std::string_view token_hash) { return db.run("DELETE FROM page_sessions WHERE token_hash = ?", token_hash); }

Result<std::vector<PageSession>> page_sessions(Connection& db, int64_t now) {
  RIVAL_RETURN_IF_ERROR(db.run("DELETE FROM page_sessions WHERE expires <= ?", now));
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT token_hash, owner, expires FROM page_sessions"));
  std::vector<PageSession> sessions;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return sessions;
    sessions.push_back({std::string(row.text(0)), std::string(row.text(1)), row.integer(2)});
  }
}

Result<json::object> page_preferences(Connection& db, std::string_view owner) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT body FROM page_preferences WHERE owner = ?", owner));
  RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
  return found ? object_of(row.text(0)) : json::object();
}

Status set_page_preferences(Connection& db, std::string_view owner, const json::object& preferences) {
  return db.run("INSERT INTO page_preferences (owner, body) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET body = excluded.body", owner, to_json_text(preferences));
}

}  // namespace rival::serve
