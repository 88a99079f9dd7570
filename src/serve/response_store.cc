#include "serve/response_store.h"

#include "base/limits.h"
#include "serve/conversation_store.h"

namespace rival::serve {

// A response as its client sees it (`body`, JSON), what it was asked and answered (response_items), and where it stands
// in a chain. `owner` tells the keys' objects apart. `events` is a table of its own since (response_log.cc).
const char kResponseTables[] = R"(
CREATE TABLE responses(
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  created INTEGER NOT NULL,
  status TEXT NOT NULL,
  previous TEXT,
  conversation TEXT,
  body TEXT NOT NULL,
  events TEXT NOT NULL
) STRICT;
CREATE INDEX responses_by_status ON responses(status);
CREATE TABLE response_items(
  response TEXT NOT NULL REFERENCES responses(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  output INTEGER NOT NULL,
  id TEXT NOT NULL,
  item TEXT NOT NULL,
  PRIMARY KEY(response, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX response_items_by_id ON response_items(id);
)";

namespace {

constexpr std::string_view kKeep =
    "INSERT INTO responses(id, owner, created, status, previous, conversation, body) VALUES(?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT(id) DO UPDATE SET status = excluded.status, body = excluded.body";

constexpr std::string_view kKeepItem = "INSERT OR IGNORE INTO response_items(response, position, output, id, item) VALUES(?, ?, ?, ?, ?)";

// The chain from the newest to the oldest that is there.
constexpr std::string_view kChain =
    "WITH RECURSIVE chain(id, previous, status, depth) AS ("
    " SELECT id, previous, status, 0 FROM responses WHERE id = ? AND owner = ?"
    " UNION ALL SELECT r.id, r.previous, r.status, c.depth + 1 FROM chain c JOIN responses r ON r.id = c.previous AND r.owner = ?"
    "  WHERE c.depth < ?)"
    " SELECT id, previous, status FROM chain ORDER BY depth";

// Old ones, but for those that younger ones lead back to.
constexpr std::string_view kExpire =
    "DELETE FROM responses WHERE id IN ("
    " WITH RECURSIVE needed(id) AS ("
    "  SELECT previous FROM responses WHERE (created >= ?1 OR status IN ('queued', 'in_progress')) AND previous IS NOT NULL"
    "  UNION SELECT r.previous FROM needed n JOIN responses r ON r.id = n.id WHERE r.previous IS NOT NULL)"
    " SELECT id FROM responses WHERE created < ?1 AND status NOT IN ('queued', 'in_progress') AND id NOT IN (SELECT id FROM needed)"
    " ORDER BY created LIMIT ?2)";

constexpr PageSql kInputPage = {
    "SELECT position FROM response_items WHERE response = ? AND id = ? AND output = 0",
    "SELECT item FROM response_items WHERE response = ? AND output = 0 AND position > ? ORDER BY position LIMIT ?",
    "SELECT item FROM response_items WHERE response = ? AND output = 0 AND position < ? ORDER BY position DESC LIMIT ?",
};

std::string_view text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

bool is_finished(std::string_view status) { return status != "queued" && status != "in_progress"; }

Status keep_items(Connection& db, std::string_view response, const json::array& items, size_t first, bool output) {
  for (size_t i = 0; i < items.size(); ++i) {
    const json::object& item = items[i].get_object();
    RIVAL_RETURN_IF_ERROR(db.run(kKeepItem, response, first + i, output, text_of(item, "id"), to_json_text(item)));
  }
  return {};
}

struct Link {
  std::string id, previous, status;
};

// Oldest first.
Result<std::vector<Link>> links_of(Connection& db, std::string_view owner, std::string_view id) {
  RIVAL_ASSIGN_OR_RETURN(Statement rows, db.query(kChain, id, owner, owner, limits::kItemsMax));
  std::vector<Link> links;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, rows.step());
    if (!found) break;
    links.push_back({std::string(rows.text(0)), std::string(rows.text(1)), std::string(rows.text(2))});
  }
  if (links.empty()) return make_error(ErrorCode::kNotFound, "there is no response '{}'", id);
  if (links.size() > limits::kItemsMax) return make_error(ErrorCode::kLimit, "the chain of responses before '{}' is longer than {}", id, limits::kItemsMax);
  if (!links.back().previous.empty())
    return make_error(ErrorCode::kNotFound, "the response '{}', which '{}' went on from, has been deleted", links.back().previous, links.back().id);
  if (!is_finished(links.front().status)) return make_error(ErrorCode::kInvalidArgument, "the response '{}' is not finished", id);
  return std::vector<Link>(links.rbegin(), links.rend());
}

}  // namespace

Status keep_response(Connection& db, const KeptResponse& kept, const json::array& input, NewEvents events) {
  const json::object& r = kept.response;
  const std::string_view id = text_of(r, "id");
  const std::string_view status = text_of(r, "status");
  const json::array& output = r.at("output").get_array();
  const json::object* conversation = r.at("conversation").if_object();
  const auto or_null = [](std::string_view text) { return text.empty() ? std::nullopt : std::optional(text); };
  const std::string_view conversation_id = conversation ? text_of(*conversation, "id") : std::string_view();
  return db.transaction([&]() -> Status {
    RIVAL_RETURN_IF_ERROR(db.run(kKeep, id, kept.owner, r.at("created_at").to_number<int64_t>(), status, or_null(text_of(r, "previous_response_id")),
                                 or_null(conversation_id), to_json_text(r)));
    RIVAL_RETURN_IF_ERROR(add_events(db, id, events));
    RIVAL_RETURN_IF_ERROR(keep_items(db, id, input, 0, false));
    RIVAL_RETURN_IF_ERROR(keep_items(db, id, output, input.size(), true));
    if (conversation_id.empty() || !is_finished(status)) return {};
    RIVAL_RETURN_IF_ERROR(append_items(db, conversation_id, input));
    return append_items(db, conversation_id, output);
  });
}

Result<std::optional<KeptResponse>> find_response(Connection& db, std::string_view owner, std::string_view id) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT body FROM responses WHERE id = ? AND owner = ?", id, owner));
  RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
  if (!found) return std::optional<KeptResponse>();
  RIVAL_ASSIGN_OR_RETURN(json::value body, parse_json(row.text(0)));
  return std::optional(KeptResponse{std::string(owner), std::move(body.get_object())});
}

Result<bool> remove_response(Connection& db, std::string_view owner, std::string_view id) {
  RIVAL_RETURN_IF_ERROR(db.run("DELETE FROM responses WHERE id = ? AND owner = ?", id, owner));
  return db.changes() > 0;
}

Result<json::array> response_chain(Connection& db, std::string_view owner, std::string_view id) {
  RIVAL_ASSIGN_OR_RETURN(const std::vector<Link> links, links_of(db, owner, id));
  json::array items;
  size_t bytes = 0;
  for (const Link& link : links) {
    RIVAL_ASSIGN_OR_RETURN(Statement rows, db.query("SELECT item FROM response_items WHERE response = ? ORDER BY position", link.id));
    for (;;) {
      RIVAL_ASSIGN_OR_RETURN(const bool found, rows.step());
      if (!found) break;
      bytes += rows.text(0).size();
      if (items.size() >= limits::kItemsMax || bytes > limits::kPromptBytesMax)
        return make_error(ErrorCode::kLimit, "the responses before '{}' have more than {} items or {} bytes", id, limits::kItemsMax, limits::kPromptBytesMax);
      RIVAL_ASSIGN_OR_RETURN(json::value item, parse_json(rows.text(0)));
      items.push_back(std::move(item));
    }
  }
  return items;
}

Result<json::object> find_item(Connection& db, std::string_view owner, std::string_view id) {
  RIVAL_ASSIGN_OR_RETURN(Statement row, db.query("SELECT i.item FROM response_items i JOIN responses r ON r.id = i.response WHERE i.id = ? AND r.owner = ?"
                                                 " UNION ALL SELECT i.item FROM conversation_items i JOIN conversations c ON c.id = i.conversation"
                                                 " WHERE i.id = ? AND c.owner = ? LIMIT 1",
                                                 id, owner, id, owner));
  RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
  if (!found) return make_error(ErrorCode::kNotFound, "there is no item '{}'", id);
  RIVAL_ASSIGN_OR_RETURN(json::value item, parse_json(row.text(0)));
  return std::move(item.get_object());
}

Result<json::object> input_page(Connection& db, std::string_view response, const PageRequest& page) { return read_page(db, kInputPage, response, page); }

Result<size_t> remove_expired(Connection& db, int64_t before) {
  RIVAL_RETURN_IF_ERROR(db.run(kExpire, before, limits::kExpiredAtOnceMax));
  return static_cast<size_t>(db.changes());
}

ApiError store_error(const Error& error, std::string_view param) {
  ApiError out = to_api_error(error);
  if (error.code == ErrorCode::kCorrupt) out = to_api_error(make_error(ErrorCode::kInternal, "{}", error.message));
  out.param = param;
  return out;
}

}  // namespace rival::serve
