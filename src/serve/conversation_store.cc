#include "serve/conversation_store.h"

#include "base/limits.h"

namespace rival::serve {

const char kConversationTables[] = R"(
CREATE TABLE conversations(
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  created INTEGER NOT NULL,
  metadata TEXT NOT NULL
) STRICT;
CREATE TABLE conversation_items(
  conversation TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  item TEXT NOT NULL,
  PRIMARY KEY(conversation, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX conversation_items_by_id ON conversation_items(conversation, id);
CREATE INDEX conversation_items_by_item ON conversation_items(id);
)";

namespace {

constexpr std::string_view kAppend =
    "INSERT OR IGNORE INTO conversation_items(conversation, position, id, item)"
    " SELECT id, (SELECT coalesce(max(position), 0) + 1 FROM conversation_items WHERE conversation = ?1), ?2, ?3 FROM conversations WHERE id = ?1";

constexpr PageSql kPage = {
    "SELECT position FROM conversation_items WHERE conversation = ? AND id = ?",
    "SELECT item FROM conversation_items WHERE conversation = ? AND position > ? ORDER BY position LIMIT ?",
    "SELECT item FROM conversation_items WHERE conversation = ? AND position < ? ORDER BY position DESC LIMIT ?",
};

}  // namespace

Status append_items(Connection& db, std::string_view id, const json::array& items) {
  for (const json::value& item : items)
    RIVAL_RETURN_IF_ERROR(db.run(kAppend, id, std::string_view(item.at("id").as_string()), to_json_text(item)));
  return {};
}

Status keep_conversation(Connection& db, std::string_view owner, const Conversation& conversation, const json::array& items) {
  return db.transaction([&]() -> Status {
    RIVAL_RETURN_IF_ERROR(db.run("INSERT INTO conversations(id, owner, created, metadata) VALUES(?, ?, ?, ?)", conversation.id, owner, conversation.created,
                                 to_json_text(conversation.metadata)));
    return append_items(db, conversation.id, items);
  });
}

Result<std::optional<Conversation>> find_conversation(Connection& db, std::string_view owner, std::string_view id) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT created, metadata FROM conversations WHERE id = ? AND owner = ?", id, owner));
  RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
  if (!found) return std::optional<Conversation>();
  RIVAL_ASSIGN_OR_RETURN(json::value metadata, parse_json(row.text(1)));
  return std::optional(Conversation{std::string(id), row.integer(0), std::move(metadata.get_object())});
}

Status set_metadata(Connection& db, std::string_view id, const json::object& metadata) {
  return db.run("UPDATE conversations SET metadata = ? WHERE id = ?", to_json_text(metadata), id);
}

Status remove_conversation(Connection& db, std::string_view id) { return db.run("DELETE FROM conversations WHERE id = ?", id); }

Result<json::array> conversation_items(Connection& db, std::string_view id) {
  RIVAL_ASSIGN_OR_RETURN(Statement rows, db.query("SELECT item FROM conversation_items WHERE conversation = ? ORDER BY position", id));
  json::array items;
  size_t bytes = 0;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, rows.step());
    if (!found) return items;
    bytes += rows.text(0).size();
    if (items.size() >= limits::kItemsMax || bytes > limits::kPromptBytesMax)
      return make_error(ErrorCode::kLimit, "the conversation '{}' has more than {} items or {} bytes", id, limits::kItemsMax, limits::kPromptBytesMax);
    RIVAL_ASSIGN_OR_RETURN(json::value item, parse_json(rows.text(0)));
    items.push_back(std::move(item));
  }
}

Result<json::object> conversation_page(Connection& db, std::string_view id, const PageRequest& page) { return read_page(db, kPage, id, page); }

Result<std::optional<json::object>> conversation_item(Connection& db, std::string_view id, std::string_view item) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT item FROM conversation_items WHERE conversation = ? AND id = ?", id, item));
  RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
  if (!found) return std::optional<json::object>();
  RIVAL_ASSIGN_OR_RETURN(json::value value, parse_json(row.text(0)));
  return std::optional(std::move(value.get_object()));
}

Result<bool> remove_item(Connection& db, std::string_view id, std::string_view item) {
  RIVAL_RETURN_IF_ERROR(db.run("DELETE FROM conversation_items WHERE conversation = ? AND id = ?", id, item));
  return db.changes() > 0;
}

}  // namespace rival::serve
