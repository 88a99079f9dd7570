#include "serve/response_log.h"

#include "serve/response_store.h"

namespace rival::serve {

// From one text of all events, which came with the finished answer, to a row for each, which can come before.
const char kResponseEventTables[] = R"(
CREATE TABLE response_events(
  response TEXT NOT NULL REFERENCES responses(id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY(response, number)
) STRICT, WITHOUT ROWID;
INSERT INTO response_events(response, number, event)
  SELECT o.id, e.key, e.value FROM (SELECT id, '[' || replace(events, char(10), ',') || ']' AS list FROM responses WHERE events <> '') o,
    json_each(CASE WHEN json_valid(o.list) THEN o.list ELSE '[]' END) e;
ALTER TABLE responses DROP COLUMN events;
CREATE INDEX responses_by_created ON responses(created);
)";

namespace {

constexpr std::string_view kAdd = "INSERT OR IGNORE INTO response_events(response, number, event) SELECT id, ?2, ?3 FROM responses WHERE id = ?1";
constexpr std::string_view kAfter = "SELECT event FROM response_events WHERE response = ? AND number > ? ORDER BY number";
constexpr std::string_view kUnfinished = "SELECT id, owner, body FROM responses WHERE status IN ('queued', 'in_progress')";
constexpr std::string_view kInput = "SELECT item FROM response_items WHERE response = ? AND output = 0 ORDER BY position";

std::string_view text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

// The entry of a list that a field of the event numbers; null where there is none.
json::object* entry(json::value* list, const json::object& event, std::string_view number) {
  const json::value* index = event.if_contains(number);
  if (!list || !list->is_array() || !index || !(index->is_int64() || index->is_uint64())) return nullptr;
  const uint64_t at = index->is_uint64() ? index->get_uint64() : static_cast<uint64_t>(index->get_int64());
  return at < list->get_array().size() ? list->get_array()[at].if_object() : nullptr;
}

void append(json::object& object, std::string_view name, std::string_view text) {
  json::value& value = object[name];
  if (!value.is_string()) value.emplace_string();
  value.get_string().append(text);
}

// A piece of a text, or of its log-probabilities.
void take_delta(json::object& part, const json::object& event) {
  append(part, "text", text_in(event, "delta"));
  const json::value* logprobs = event.if_contains("logprobs");
  json::value* list = part.if_contains("logprobs");
  if (!logprobs || !logprobs->is_array() || !list || !list->is_array()) return;
  for (const json::value& row : logprobs->get_array()) list->get_array().push_back(row);
}

void put(json::value* list, json::object* there, const json::value* value) {
  if (!list || !list->is_array() || !value || !value->is_object()) return;
  if (there) *there = value->get_object();
  else list->get_array().push_back(*value);
}

Result<json::array> input_of(Connection& db, std::string_view id) {
  RIVAL_ASSIGN_OR_RETURN(Statement rows, db.query(kInput, id));
  json::array items;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, rows.step());
    if (!found) return items;
    RIVAL_ASSIGN_OR_RETURN(json::value item, parse_json(rows.text(0)));
    items.push_back(std::move(item));
  }
}

// A response as its events told it, ended where they end.
json::object failed(json::object response, const std::vector<std::string>& events) {
  for (const std::string& text : events)
    if (const auto event = parse_json(text); event.ok() && event->is_object()) take_event(response, event->get_object());
  if (json::value* output = response.if_contains("output"); output && output->is_array())
    for (json::value& item : output->get_array())
      if (json::object* object = item.if_object(); object && text_in(*object, "status") == "in_progress") (*object)["status"] = "incomplete";
  response["status"] = "failed";
  response["error"] = json::object{{"code", "server_error"}, {"message", "the server ended before the answer did"}};
  return response;
}

Status fail_one(Connection& db, const std::string& id, const std::string& owner, json::object body) {
  RIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> events, events_after(db, id, -1));
  RIVAL_ASSIGN_OR_RETURN(const json::array input, input_of(db, id));
  json::object response = failed(std::move(body), events);
  const std::string last = to_json_text(json::object{{"type", "response.failed"}, {"sequence_number", events.size()}, {"response", response}});
  return keep_response(db, {owner, std::move(response)}, input, {events.size(), std::span(&last, events.empty() ? 0 : 1)});
}

}  // namespace

Status add_events(Connection& db, std::string_view response, NewEvents events) {
  for (size_t i = 0; i < events.texts.size(); ++i) RIVAL_RETURN_IF_ERROR(db.run(kAdd, response, events.first + i, events.texts[i]));
  return {};
}

Result<std::vector<std::string>> events_after(Connection& db, std::string_view response, int64_t after) {
  RIVAL_ASSIGN_OR_RETURN(Statement rows, db.query(kAfter, response, after));
  std::vector<std::string> events;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, rows.step());
    if (!found) return events;
    events.emplace_back(rows.text(0));
  }
}

void take_event(json::object& response, const json::object& event) {
  if (const json::value* whole = event.if_contains("response"); whole && whole->is_object()) {
    response = whole->get_object();
    return;
  }
  const std::string_view type = text_in(event, "type");
  json::value* output = response.if_contains("output");
  json::object* item = entry(output, event, "output_index");
  if (type == "response.output_item.added" || type == "response.output_item.done") return put(output, item, event.if_contains("item"));
  if (!item) return;
  if (type == "response.function_call_arguments.delta") return append(*item, "arguments", text_in(event, "delta"));
  json::value* content = item->if_contains("content");
  json::object* part = entry(content, event, "content_index");
  if (type == "response.content_part.added" || type == "response.content_part.done") return put(content, part, event.if_contains("part"));
  if (part && type.ends_with("_text.delta")) take_delta(*part, event);
}

Status fail_unfinished(Connection& db) {
  struct Row {
    std::string id, owner;
    json::object body;
  };
  std::vector<Row> unfinished;
  {
    RIVAL_ASSIGN_OR_RETURN(Statement rows, db.query(kUnfinished));
    for (;;) {
      RIVAL_ASSIGN_OR_RETURN(const bool found, rows.step());
      if (!found) break;
      RIVAL_ASSIGN_OR_RETURN(json::value body, parse_json(rows.text(2)));
      unfinished.push_back({std::string(rows.text(0)), std::string(rows.text(1)), std::move(body.get_object())});
    }
  }
  for (Row& row : unfinished) RIVAL_RETURN_IF_ERROR(fail_one(db, row.id, row.owner, std::move(row.body)));
  return {};
}

}  // namespace rival::serve
