// Messages of the page's chats, the pieces of running ones, and search.
#include "base/limits.h"
#include "serve/chat_store.h"

namespace rival::serve {
namespace {

#define RIVAL_MESSAGE_COLUMNS "m.id, m.chat, m.parent, m.role, m.state, m.text, m.reasoning, m.model, m.created, m.more"

json::object object_of(std::string_view text) {
  auto value = parse_json(text);
  return value.ok() && value->is_object() ? std::move(value->get_object()) : json::object();
}

PageMessage read_message(const Statement& row) {
  PageMessage m;
  m.id = row.integer(0);
  m.chat = row.text(1);
  if (!row.is_null(2)) m.parent = row.integer(2);
  m.role = row.text(3);
  m.state = row.text(4);
  m.text = row.text(5);
  m.reasoning = row.text(6);
  m.model = row.text(7);
  m.created = row.integer(8);
  m.more = object_of(row.text(9));
  return m;
}

Status add_pieces(Connection& db, PageMessage& message) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT text, reasoning FROM page_pieces WHERE message = ? ORDER BY id", message.id));
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return {};
    message.text += row.text(0);
    message.reasoning += row.text(1);
  }
}

Status add_attachments(Connection& db, PageMessage& message, bool texts) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT name, bytes, CASE WHEN ?1 THEN text ELSE '' END FROM page_attachments WHERE message = ?2 ORDER BY position", texts, message.id));
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return {};
    message.attachments.push_back({std::string(row.text(0)), row.integer(1), std::string(row.text(2))});
  }
}

Status add_rest(Connection& db, PageMessage& message, bool attachment_texts) {
  if (message.state == "running") RIVAL_RETURN_IF_ERROR(add_pieces(db, message));
  return message.role == "user" ? add_attachments(db, message, attachment_texts) : Status();
}

Status add_to_index(Connection& db, const PageMessage& message) {
  return db.run("INSERT INTO page_index (rowid, text) VALUES (?, ?)", message.id, message.text);
}

Status write_message(Connection& db, const PageMessage& m) {
  return db.run("UPDATE page_messages SET state = ?, text = ?, reasoning = ?, model = ?, more = ? WHERE id = ?", m.state, m.text, m.reasoning, m.model, to_json_text(m.more), m.id);
}

// Every word of the query quoted, as the beginning of a word: nothing in it is an operator.
std::string match_expression(std::string_view query) {
  std::string out;
  size_t words = 0;
  for (size_t i = 0; i < query.size() && words < limits::kPageSearchWordsMax; ++words) {
    const size_t begin = query.find_first_not_of(" \t\r\n", i);
    if (begin == std::string_view::npos) break;
    i = std::min(query.find_first_of(" \t\r\n", begin), query.size());
    out += '"';
    for (char c : query.substr(begin, i - begin)) {
      if (c == '"') out += '"';
      if (c != '\0') out += c;
    }
    out += "\"* ";
  }
  return out;
}

// The marks that snippet() puts in are characters no keyboard gives; where a message has them the worst is a mark more.
std::vector<std::string> split_snippet(std::string_view text) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    const bool opens = c == '\x01', closes = c == '\x02';
    if ((opens && parts.size() % 2 == 1) || (closes && parts.size() % 2 == 0)) parts.emplace_back();
    else if (!opens && !closes) parts.back() += c;
  }
  return parts;
}

Status search_titles(Connection& db, std::string_view owner, std::string_view query, size_t limit, std::vector<PageHit>& hits) {
  std::string pattern = "%";
  for (char c : query) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  pattern += '%';
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT id, title FROM page_chats WHERE owner = ? AND deleted IS NULL AND title LIKE ? ESCAPE '\\' ORDER BY updated DESC LIMIT ?", owner, pattern, limit));
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return {};
    hits.push_back({std::string(row.text(0)), std::nullopt, "", {std::string(row.text(1))}});
  }
}

}  // namespace

json::object to_json(const PageMessage& m, bool attachment_texts) {
  json::object out = {{"id", m.id},
                      {"chat", m.chat},
                      {"parent", m.parent ? json::value(*m.parent) : json::value(nullptr)},
                      {"role", m.role},
                      {"state", m.state},
                      {"text", m.text},
                      {"created", m.created}};
  if (!m.reasoning.empty()) out["reasoning"] = m.reasoning;
  if (!m.model.empty()) out["model"] = m.model;
  for (const auto& [name, value] : m.more) out[name] = value;
  if (m.attachments.empty()) return out;
  json::array attachments;
  for (const PageAttachment& a : m.attachments) {
    json::object row = {{"name", a.name}, {"bytes", a.bytes}};
    if (attachment_texts) row["text"] = a.text;
    attachments.push_back(std::move(row));
  }
  out["attachments"] = std::move(attachments);
  return out;
}

Status insert_page_message(Connection& db, PageMessage& m) {
  RIVAL_RETURN_IF_ERROR(db.run("INSERT INTO page_messages (chat, parent, role, state, text, reasoning, model, created, more) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                               m.chat, m.parent, m.role, m.state, m.text, m.reasoning, m.model, m.created, to_json_text(m.more)));
  m.id = db.last_row_id();
  for (size_t i = 0; i < m.attachments.size(); ++i)
    RIVAL_RETURN_IF_ERROR(db.run("INSERT INTO page_attachments (message, position, name, bytes, text) VALUES (?, ?, ?, ?, ?)", m.id, i,
                                 m.attachments[i].name, m.attachments[i].bytes, m.attachments[i].text));
  return m.state == "running" ? Status() : add_to_index(db, m);
}

Result<std::vector<PageMessage>> page_messages(Connection& db, std::string_view chat, bool attachment_texts) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT " RIVAL_MESSAGE_COLUMNS " FROM page_messages m WHERE m.chat = ? ORDER BY m.id", chat));
  std::vector<PageMessage> messages;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) break;
    messages.push_back(read_message(row));
  }
  for (PageMessage& message : messages) RIVAL_RETURN_IF_ERROR(add_rest(db, message, attachment_texts));
  return messages;
}

Result<std::optional<PageMessage>> find_page_message(Connection& db, std::string_view owner, int64_t id, bool attachment_texts) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT " RIVAL_MESSAGE_COLUMNS " FROM page_messages m JOIN page_chats c ON c.id = m.chat"
                                                 " WHERE m.id = ? AND c.owner = ? AND c.deleted IS NULL", id, owner));
  RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
  if (!found) return std::optional<PageMessage>();
  PageMessage message = read_message(row);
  RIVAL_RETURN_IF_ERROR(add_rest(db, message, attachment_texts));
  return std::optional(std::move(message));
}

Status reopen_page_message(Connection& db, const PageMessage& message) {
  RIVAL_RETURN_IF_ERROR(db.run("INSERT INTO page_index (page_index, rowid, text) SELECT 'delete', id, text FROM page_messages WHERE id = ? AND state <> 'running'", message.id));
  return db.run("UPDATE page_messages SET state = 'running', more = ? WHERE id = ?", to_json_text(message.more), message.id);
}

Status append_page_piece(Connection& db, int64_t message, std::string_view text, std::string_view reasoning) {
  return db.run("INSERT INTO page_pieces (message, text, reasoning) VALUES (?, ?, ?)", message, text, reasoning);
}

Status update_page_message_more(Connection& db, const PageMessage& message) {
  return db.run("UPDATE page_messages SET more = ? WHERE id = ?", to_json_text(message.more), message.id);
}

Status finish_page_message(Connection& db, PageMessage& message) {
  {
    RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT text, reasoning FROM page_messages WHERE id = ?", message.id));
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return {};  // its chat was deleted for good
    message.text = row.text(0);
    message.reasoning = row.text(1);
  }
  RIVAL_RETURN_IF_ERROR(add_pieces(db, message));
  RIVAL_RETURN_IF_ERROR(db.run("DELETE FROM page_pieces WHERE message = ?", message.id));
  RIVAL_RETURN_IF_ERROR(write_message(db, message));
  return add_to_index(db, message);
}

Status recover_page_messages(Connection& db) {
  std::vector<PageMessage> running;
  {
    RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT " RIVAL_MESSAGE_COLUMNS " FROM page_messages m WHERE m.state = 'running'"));
    for (;;) {
      RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
      if (!found) break;
      running.push_back(read_message(row));
    }
  }
  return db.transaction([&]() -> Status {
    for (PageMessage& message : running) {
      message.state = "interrupted";
      RIVAL_RETURN_IF_ERROR(finish_page_message(db, message));
    }
    return {};
  });
}

Status keep_page_tokens(Connection& db, int64_t message, const json::array& tokens) {
  RIVAL_RETURN_IF_ERROR(db.run("INSERT INTO page_tokens (message, tokens) VALUES (?, ?) ON CONFLICT (message) DO UPDATE SET tokens = excluded.tokens", message, to_json_text(tokens)));
  return db.run("DELETE FROM page_tokens WHERE message NOT IN (SELECT message FROM page_tokens ORDER BY message DESC LIMIT ?)", limits::kPageTokenViewsMax);
}

Result<std::optional<json::array>> page_tokens(Connection& db, int64_t message) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT tokens FROM page_tokens WHERE message = ?", message));
  RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
  if (!found) return std::optional<json::array>();
  RIVAL_ASSIGN_OR_RETURN(json::value value, parse_json(row.text(0)));
  return value.is_array() ? std::optional(std::move(value.get_array())) : std::nullopt;
}

Result<std::vector<PageHit>> search_page(Connection& db, std::string_view owner, std::string_view query, size_t limit) {
  std::vector<PageHit> hits;
  const std::string match = match_expression(query);
  if (match.empty()) return hits;
  RIVAL_RETURN_IF_ERROR(search_titles(db, owner, query, limit, hits));
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT m.chat, m.id, m.role, snippet(page_index, 0, char(1), char(2), '…', 24) FROM page_index"
                                                 " JOIN page_messages m ON m.id = page_index.rowid JOIN page_chats c ON c.id = m.chat"
                                                 " WHERE page_index MATCH ? AND c.owner = ? AND c.deleted IS NULL ORDER BY rank LIMIT ?", match, owner, limit));
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return hits;
    hits.push_back({std::string(row.text(0)), row.integer(1), std::string(row.text(2)), split_snippet(row.text(3))});
  }
}

}  // namespace rival::serve
