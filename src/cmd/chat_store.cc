#include "cmd/chat_store.h"

#include <fmt/chrono.h>
#include <unistd.h>

#include <ctime>

#include "base/file.h"
#include "base/limits.h"

namespace rival::cmd {
namespace fs = std::filesystem;
namespace {

constexpr int kVersion = 1;

Error wrong(size_t index, const char* expected) {
  return make_error(ErrorCode::kCorrupt, "this is no chat of rival: messages[{}] has {}", index, expected);
}

Result<Role> parse_role(const json::value* value, size_t index) {
  if (value != nullptr && value->is_string())
    for (const Role role : {Role::kSystem, Role::kUser, Role::kAssistant})
      if (value->get_string() == to_text(role)) return role;
  return wrong(index, "no role of system, user or assistant");
}

Result<Message> parse_message(const json::value& value, size_t index) {
  const json::object* object = value.if_object();
  if (object == nullptr) return wrong(index, "no object");
  Message message;
  RIVAL_ASSIGN_OR_RETURN(message.role, parse_role(object->if_contains("role"), index));
  if (message.role == Role::kSystem && index > 0) return wrong(index, "a system role behind other messages");
  const json::value* content = object->if_contains("content");
  if (content == nullptr || !content->is_string()) return wrong(index, "no text as its content");
  message.content = std::string_view(content->get_string());
  if (const json::value* thinking = object->if_contains("thinking")) {
    if (!thinking->is_string()) return wrong(index, "a thinking that is no text");
    message.thinking = std::string_view(thinking->get_string());
  }
  if (const json::value* complete = object->if_contains("complete")) {
    if (!complete->is_bool()) return wrong(index, "a complete that is neither true nor false");
    message.complete = complete->get_bool();
  }
  return message;
}

json::object to_json(const Message& message) {
  json::object object{{"role", to_text(message.role)}, {"content", message.content}};
  if (!message.thinking.empty()) object["thinking"] = message.thinking;
  if (!message.complete) object["complete"] = false;
  return object;
}

}  // namespace

json::object to_json(const Chat& chat) {
  json::array messages;
  for (const Message& message : chat.messages) messages.push_back(to_json(message));
  return {{"version", kVersion}, {"model", chat.model}, {"messages", std::move(messages)}};
}

Result<Chat> parse_chat(std::string_view text) {
  RIVAL_ASSIGN_OR_RETURN(const json::value value, parse_json(text));
  const json::object* object = value.if_object();
  const json::value* version = object ? object->if_contains("version") : nullptr;
  if (version == nullptr || !version->is_int64() || version->get_int64() != kVersion)
    return make_error(ErrorCode::kCorrupt, "this is no chat of rival: it has no version {}", kVersion);
  const json::value* model = object->if_contains("model");
  const json::value* messages = object->if_contains("messages");
  if (model == nullptr || !model->is_string() || messages == nullptr || !messages->is_array())
    return make_error(ErrorCode::kCorrupt, "this is no chat of rival: it needs a text 'model' and a list 'messages'");
  Chat chat{.model = std::string(std::string_view(model->get_string())), .messages = {}};
  for (const json::value& item : messages->get_array()) {
    RIVAL_ASSIGN_OR_RETURN(Message message, parse_message(item, chat.messages.size()));
    chat.messages.push_back(std::move(message));
  }
  return chat;
}

Result<Chat> read_chat(const fs::path& path) {
  RIVAL_ASSIGN_OR_RETURN(const std::string text, read_file(path, limits::kPromptBytesMax));
  auto chat = parse_chat(text);
  if (!chat.ok()) return with_context(chat.error(), path.string());
  return chat;
}

Status write_chat(const fs::path& path, const Chat& chat) {
  return write_file_atomically(path, to_json_text(to_json(chat)) + "\n");
}

std::string to_markdown(const Chat& chat) {
  std::string text;
  for (const Message& message : chat.messages) {
    const std::string who = message.role == Role::kUser     ? "You"
                            : message.role == Role::kSystem ? "System"
                                                            : chat.model;
    text += fmt::format("## {}\n\n{}\n\n", who, message.content);
  }
  return text;
}

bool ChatStore::empty() const { return !last().ok(); }

fs::path ChatStore::new_path() const {
  const std::time_t now = std::time(nullptr);
  return folder_ / fmt::format("{:%Y-%m-%dT%H-%M-%S}-{}.json", fmt::localtime(now), ::getpid());
}

Result<fs::path> ChatStore::last() const {
  fs::path newest;
  fs::file_time_type newest_time;
  std::error_code code;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, code)) {
    if (entry.path().extension() != ".json") continue;
    const fs::file_time_type time = entry.last_write_time(code);
    if (code || (!newest.empty() && time <= newest_time)) continue;
    newest = entry.path();
    newest_time = time;
  }
  if (newest.empty())
    return make_error(ErrorCode::kNotFound, "there is no chat to continue; `rival run` begins one");
  return newest;
}

Status ChatStore::save(const fs::path& path, const Chat& chat) const {
  std::error_code code;
  fs::create_directories(folder_, code);
  if (!code) fs::permissions(folder_, fs::perms::owner_all, code);
  if (code) return make_error(ErrorCode::kIo, "{}: {}; the chat is not kept", folder_.string(), code.message());
  return write_chat(path, chat);
}

}  // namespace rival::cmd
