#include "base/limits.h"
#include "serve/page.h"

namespace rival::serve {
namespace {

std::optional<ApiError> read_attachment_row(Connection* db, std::string_view owner, const json::object& row, size_t i, std::vector<PageAttachment>& out) {
  Fields fields(row);
  const std::string name = fmt::format("attachments[{}]", i);
  if (fields.has("message") && db) {  // one that an earlier message has
    const auto message = fields.integer("message", 1, INT64_MAX);
    const auto index = fields.integer("index", 0, static_cast<int64_t>(limits::kPageAttachmentsMax));
    if (fields.error()) return fields.error();
    auto found = find_page_message(*db, owner, *message, true);
    if (!found.ok()) return to_api_error(found.error());
    if (!*found || static_cast<size_t>(index.value_or(0)) >= (*found)->attachments.size()) return bad_field(name, "names no attachment of a message");
    out.push_back((*found)->attachments[static_cast<size_t>(index.value_or(0))]);
    return std::nullopt;
  }
  const auto file = fields.text("name");
  const auto text = fields.text("text");
  if (fields.error()) return fields.error();
  if (!file || file->empty() || file->size() > limits::kPageNameBytesMax || !text || text->size() > limits::kPageAttachmentBytesMax)
    return bad_field(name, fmt::format("expected {{name, text}} with a text of at most {} bytes", limits::kPageAttachmentBytesMax));
  const auto bytes = fields.integer("bytes", 0, int64_t{1} << 40);
  out.push_back({*file, bytes.value_or(static_cast<int64_t>(text->size())), *text});
  return fields.error();
}

std::variant<PageMessage, ApiError> read_message_row(const json::object& row, const std::string& path) {
  Fields fields(row);
  PageMessage m;
  m.role = fields.text("role").value_or("");
  m.text = fields.text("text").value_or("");
  m.reasoning = fields.text("reasoning").value_or("");
  m.state = "done";
  const json::array* attachments = fields.list("attachments");
  if (const json::array* calls = fields.list("tool_calls")) m.more["tool_calls"] = *calls;
  if (const auto id = fields.text("tool_call_id")) m.more["tool_call_id"] = *id;
  if (fields.error()) return bad_field(fmt::format("{}.{}", path, fields.error()->param), fields.error()->message);
  if (m.role != "user" && m.role != "assistant" && m.role != "tool") return bad_field(path + ".role", "expected user, assistant or tool");
  auto read = read_page_attachments(nullptr, "", attachments);
  if (auto* error = std::get_if<ApiError>(&read)) return std::move(*error);
  m.attachments = std::move(std::get<0>(read));
  return m;
}

}  // namespace

std::variant<PageChat, ApiError> wanted_chat(Connection& db, const PageCall& call) {
  auto chat = find_page_chat(db, call.owner, call.path.at(0));
  if (!chat.ok()) return to_api_error(chat.error());
  if (!*chat) return ApiError{404, "not_found_error", "there is no such chat", "", "not_found"};
  return std::move(**chat);
}

std::variant<std::vector<PageAttachment>, ApiError> read_page_attachments(Connection* db, std::string_view owner, const json::array* rows) {
  std::vector<PageAttachment> out;
  if (rows && rows->size() > limits::kPageAttachmentsMax) return bad_field("attachments", fmt::format("at most {}", limits::kPageAttachmentsMax));
  for (size_t i = 0; rows && i < rows->size(); ++i) {
    const json::object* row = (*rows)[i].if_object();
    if (!row) return bad_field(fmt::format("attachments[{}]", i), "expected an object");
    if (auto error = read_attachment_row(db, owner, *row, i, out)) return std::move(*error);
  }
  return out;
}

std::variant<std::vector<PageMessage>, ApiError> read_page_messages(const json::array& rows) {
  std::vector<PageMessage> out;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string path = fmt::format("messages[{}]", i);
    const json::object* row = rows[i].if_object();
    if (!row) return bad_field(path, "expected an object");
    auto message = read_message_row(*row, path);
    if (auto* error = std::get_if<ApiError>(&message)) return std::move(*error);
    out.push_back(std::move(std::get<0>(message)));
  }
  return out;
}

}  // namespace rival::serve
