#include "serve/chat_import.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/limits.h"
#include "serve/page_prompt.h"
#include "text/unicode.h"

namespace rival::serve {
namespace {

// ---- reading without trust ----

const json::value* member(const json::object& o, std::string_view name) { return o.if_contains(name); }

std::string text_of(const json::object& o, std::string_view name) {
  const json::value* v = member(o, name);
  return v && v->is_string() ? std::string(v->get_string()) : std::string();
}

bool flag_of(const json::object& o, std::string_view name) {
  const json::value* v = member(o, name);
  return v && v->is_bool() && v->get_bool();
}

const json::object* object_of(const json::object& o, std::string_view name) {
  const json::value* v = member(o, name);
  return v ? v->if_object() : nullptr;
}

const json::array* list_of(const json::object& o, std::string_view name) {
  const json::value* v = member(o, name);
  return v ? v->if_array() : nullptr;
}

// Text or a number, as text; null and others are empty.
std::string id_of(const json::object& o, std::string_view name) {
  const json::value* v = member(o, name);
  if (!v || v->is_null()) return {};
  if (v->is_string()) return std::string(v->get_string());
  return v->is_number() ? to_json_text(*v) : std::string();
}

// A number in units of `unit_ms` as milliseconds since 1970; now where there is none or it is out of all reason.
int64_t time_of(const json::object& o, std::string_view name, double unit_ms) {
  const json::value* v = member(o, name);
  const double ms = v && v->is_number() ? v->to_number<double>() * unit_ms : NAN;
  return ms > 0 && ms < 4e12 ? static_cast<int64_t>(ms) : now_ms();
}

std::string cut(std::string text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  text.resize(bytes_max);
  text.resize(text::complete_utf8_prefix(text));
  return text;
}

// ---- a tree by names ----

struct Node {
  std::string id, parent;
  std::optional<PageMessage> message;  // absent: its children hang on its parent
  std::string thoughts;                // of an absent one: the reasoning of what comes next
};

// The nodes as messages in an order of parents before children; what hangs on a cycle is left out.
class Tree {
 public:
  explicit Tree(std::vector<Node> nodes) : nodes_(std::move(nodes)), places_(nodes_.size()) {
    for (size_t i = 0; i < nodes_.size(); ++i) index_.try_emplace(nodes_[i].id, i);
    std::vector<std::vector<size_t>> children(nodes_.size());
    std::vector<size_t> waiting;
    for (size_t i = nodes_.size(); i-- > 0;) {
      const auto parent = find(nodes_[i].parent);
      if (parent && *parent != i) children[*parent].push_back(i);
      else waiting.push_back(i);
    }
    while (!waiting.empty()) {
      const size_t i = waiting.back();
      waiting.pop_back();
      place(i, find(nodes_[i].parent));
      waiting.insert(waiting.end(), children[i].begin(), children[i].end());
    }
  }

  void fill(ImportedChat& out, const std::string& leaf) {
    if (const auto i = find(leaf)) out.leaf = places_[*i];
    if (!out.leaf && !messages_.empty()) out.leaf = messages_.size() - 1;
    out.messages = std::move(messages_);
    out.parents = std::move(parents_);
  }

 private:
  std::optional<size_t> find(const std::string& id) const {
    const auto place = id.empty() ? index_.end() : index_.find(id);
    return place == index_.end() ? std::nullopt : std::optional(place->second);
  }

  void place(size_t i, std::optional<size_t> parent) {
    Node& node = nodes_[i];
    if (parent == i) parent = std::nullopt;
    const std::optional<size_t> above = parent ? places_[*parent] : std::nullopt;
    const std::string thoughts = parent && !nodes_[*parent].message ? nodes_[*parent].thoughts : "";
    if (!node.message) {
      places_[i] = above;
      if (!thoughts.empty()) node.thoughts = thoughts + (node.thoughts.empty() ? "" : "\n\n") + node.thoughts;
      return;
    }
    if (!thoughts.empty() && node.message->role == "assistant" && node.message->reasoning.empty()) node.message->reasoning = thoughts;
    places_[i] = messages_.size();
    parents_.push_back(above);
    messages_.push_back(*node.message);
  }

  std::vector<Node> nodes_;
  std::unordered_map<std::string, size_t> index_;
  std::vector<std::optional<size_t>> places_;  // of each node: its message, or that of the nearest one above
  std::vector<PageMessage> messages_;
  std::vector<std::optional<size_t>> parents_;
};

PageMessage plain_message(std::string role, std::string text) {
  PageMessage m;
  m.role = std::move(role);
  m.state = "done";
  m.text = std::move(text);
  return m;
}

ImportedRow finish(ImportedChat chat, std::vector<Node> nodes, const std::string& leaf) {
  if (nodes.size() > limits::kPageMessagesMax) return ImportFailure{chat.chat.title, fmt::format("it has more than {} messages", limits::kPageMessagesMax)};
  Tree(std::move(nodes)).fill(chat, leaf);
  if (chat.messages.empty()) return ImportFailure{chat.chat.title, "it has no messages that can be shown"};
  return chat;
}

// A file that an export names without its content.
void add_named_file(PageMessage& message, std::string name, int64_t bytes) {
  if (name.empty() || message.attachments.size() >= limits::kPageAttachmentsMax) return;
  message.attachments.push_back({cut(std::move(name), limits::kPageNameBytesMax), bytes, ""});
}

// ---- ChatGPT ----

// References to sources, between U+E200 and U+E201, mean nothing outside of ChatGPT's own page.
std::string without_references(std::string text) {
  static constexpr std::string_view kOpen = "\xEE\x88\x80", kClose = "\xEE\x88\x81";
  std::string out;
  size_t at = 0;
  for (size_t open; (open = text.find(kOpen, at)) != std::string::npos;) {
    const size_t close = text.find(kClose, open);
    if (close == std::string::npos) break;
    out.append(text, at, open - at);
    at = close + kClose.size();
  }
  return at == 0 ? text : out.append(text, at);
}

void read_chatgpt_files(const json::object& metadata, PageMessage& message) {
  const json::array* files = list_of(metadata, "attachments");
  for (size_t i = 0; files && i < files->size(); ++i) {
    const json::object* file = (*files)[i].if_object();
    if (!file) continue;
    const json::value* bytes = member(*file, "size");
    add_named_file(message, text_of(*file, "name"), bytes && bytes->is_int64() ? std::max<int64_t>(bytes->get_int64(), 0) : 0);
  }
}

std::string chatgpt_text(const json::object& content) {
  std::string text;
  if (const json::array* parts = list_of(content, "parts")) {
    for (const json::value& part : *parts) {
      if (!text.empty()) text += '\n';
      if (part.is_string()) text += std::string_view(part.get_string());
      else if (const json::object* o = part.if_object())
        text += text_of(*o, "text").empty() ? fmt::format("[{}]", text_of(*o, "content_type").empty() ? "attachment" : text_of(*o, "content_type")) : text_of(*o, "text");
    }
    return text;
  }
  for (const char* name : {"text", "result", "content"})
    if (text = text_of(content, name); !text.empty()) return text;
  return {};
}

std::string chatgpt_thoughts(const json::object& content) {
  std::string out;
  const json::array* thoughts = list_of(content, "thoughts");
  for (size_t i = 0; thoughts && i < thoughts->size(); ++i)
    if (const json::object* o = (*thoughts)[i].if_object()) out += (out.empty() ? "" : "\n\n") + text_of(*o, "content");
  return out;
}

void read_chatgpt_message(const json::object& message, Node& node, std::string& system) {
  const json::object* author = object_of(message, "author");
  const json::object* content = object_of(message, "content");
  const json::object* metadata = object_of(message, "metadata");
  if (!author || !content) return;
  const std::string role = text_of(*author, "role"), type = text_of(*content, "content_type");
  if (type == "thoughts") node.thoughts = chatgpt_thoughts(*content);
  if (type == "thoughts" || type == "reasoning_recap" || type == "user_editable_context" || type == "model_editable_context") return;
  if (metadata && flag_of(*metadata, "is_visually_hidden_from_conversation")) return;
  std::string text = chatgpt_text(*content);
  if (text.empty()) return;
  if (role == "system") system = text;
  if (role != "user" && role != "assistant" && role != "tool") return;
  if (type == "code") text = fmt::format("```{}\n{}\n```", text_of(*content, "language") == "unknown" ? "" : text_of(*content, "language"), text);
  node.message = plain_message(role, without_references(std::move(text)));
  node.message->created = time_of(message, "create_time", 1000);
  if (metadata && role == "assistant") node.message->model = cut(text_of(*metadata, "model_slug"), limits::kPageNameBytesMax);
  if (metadata && role == "user") read_chatgpt_files(*metadata, *node.message);
}

ImportedRow read_chatgpt(const json::object& conversation) {
  ImportedChat out;
  out.chat.title = cut(text_of(conversation, "title"), limits::kPageTitleBytesMax);
  out.chat.title_by = out.chat.title.empty() ? "" : "user";
  out.chat.created = time_of(conversation, "create_time", 1000);
  out.chat.updated = time_of(conversation, "update_time", 1000);
  const std::string id = text_of(conversation, "conversation_id").empty() ? id_of(conversation, "id") : text_of(conversation, "conversation_id");
  if (!id.empty()) out.chat.origin = "chatgpt:" + cut(id, limits::kPageNameBytesMax);
  std::vector<Node> nodes;
  for (const auto& [name, value] : *object_of(conversation, "mapping")) {
    const json::object* row = value.if_object();
    if (!row) continue;
    Node node{.id = std::string(name), .parent = id_of(*row, "parent"), .message = {}, .thoughts = {}};
    if (const json::object* message = object_of(*row, "message")) read_chatgpt_message(*message, node, out.chat.system);
    nodes.push_back(std::move(node));
  }
  out.chat.system = cut(std::move(out.chat.system), limits::kPageSystemBytesMax);
  return finish(std::move(out), std::move(nodes), id_of(conversation, "current_node"));
}

// ---- llama.cpp's page ----

void read_llama_extras(const json::object& row, PageMessage& message) {
  const json::array* extras = list_of(row, "extra");
  for (size_t i = 0; extras && i < extras->size() && message.attachments.size() < limits::kPageAttachmentsMax; ++i) {
    const json::object* extra = (*extras)[i].if_object();
    if (!extra) continue;
    std::string text = text_of(*extra, "content");
    const std::string name = text_of(*extra, "name");
    if (text.empty()) {  // a picture or a sound
      add_named_file(message, name, 0);
      continue;
    }
    text = cut(std::move(text), limits::kPageAttachmentBytesMax);
    message.attachments.push_back({cut(name.empty() ? "attachment" : name, limits::kPageNameBytesMax), static_cast<int64_t>(text.size()), text});
  }
}

// Calls as text that holds OpenAI's list: [{id, type, function: {name, arguments}}].
json::array read_llama_calls(const std::string& text) {
  json::array out;
  if (text.empty() || text.size() > limits::kPageSettingsBytesMax) return out;
  const auto rows = parse_json(text);
  if (!rows.ok() || !rows->is_array()) return out;
  for (const json::value& value : rows->get_array()) {
    const json::object* row = value.if_object();
    const json::object* function = row ? object_of(*row, "function") : nullptr;
    if (function && !text_of(*function, "name").empty())
      out.push_back(json::object{{"id", text_of(*row, "id")}, {"name", text_of(*function, "name")}, {"arguments", text_of(*function, "arguments")}});
  }
  return out;
}

Node read_llama_message(const json::object& row, std::string& system) {
  Node node{.id = id_of(row, "id"), .parent = id_of(row, "parent"), .message = {}, .thoughts = {}};
  const std::string role = text_of(row, "role");
  std::string text = text_of(row, "content");
  if (text_of(row, "type") == "root") return node;
  if (role == "system") system = text;
  if (role != "user" && role != "assistant" && role != "tool") return node;
  PageMessage message = plain_message(role, std::move(text));
  message.created = time_of(row, "timestamp", 1);
  message.model = cut(text_of(row, "model"), limits::kPageNameBytesMax);
  for (const char* name : {"reasoningContent", "thinking", "reasoning_content"})
    if (message.reasoning.empty()) message.reasoning = text_of(row, name);
  if (role == "user") read_llama_extras(row, message);
  if (json::array calls = role == "assistant" ? read_llama_calls(text_of(row, "toolCalls")) : json::array(); !calls.empty()) message.more["tool_calls"] = std::move(calls);
  if (const std::string call = text_of(row, "toolCallId"); role == "tool" && !call.empty()) message.more["tool_call_id"] = cut(call, limits::kPageNameBytesMax);
  if (!message.text.empty() || !message.reasoning.empty() || !message.attachments.empty() || !message.more.empty()) node.message = std::move(message);
  return node;
}

// `conversation` names it and `rows` are its messages; without `parent` members they follow each other.
ImportedRow read_llama(const json::object& conversation, const json::array& rows) {
  ImportedChat out;
  out.chat.title = cut(text_of(conversation, "name"), limits::kPageTitleBytesMax);
  out.chat.title_by = out.chat.title.empty() ? "" : "user";
  out.chat.created = out.chat.updated = time_of(conversation, "lastModified", 1);
  if (const std::string id = id_of(conversation, "id"); !id.empty()) out.chat.origin = "llama:" + cut(id, limits::kPageNameBytesMax);
  std::vector<Node> nodes;
  for (const json::value& value : rows) {
    const json::object* row = value.if_object();
    if (!row) continue;
    Node node = read_llama_message(*row, out.chat.system);
    if (!row->contains("parent") && !nodes.empty()) node.parent = nodes.back().id;
    if (node.id.empty()) node.id = fmt::format("#{}", nodes.size());
    nodes.push_back(std::move(node));
  }
  out.chat.system = cut(std::move(out.chat.system), limits::kPageSystemBytesMax);
  return finish(std::move(out), std::move(nodes), id_of(conversation, "currNode"));
}

// ---- our own ----

json::object numbers_of(const json::object& o, std::initializer_list<std::string_view> names) {
  json::object out;
  for (std::string_view name : names)
    if (const json::value* value = member(o, name); value && value->is_number()) out[name] = *value;
  return out;
}

json::array calls_of(const json::array& rows) {
  json::array out;
  for (const json::value& value : rows)
    if (const json::object* row = value.if_object(); row && !text_of(*row, "name").empty())
      out.push_back(json::object{{"id", text_of(*row, "id")}, {"name", text_of(*row, "name")}, {"arguments", text_of(*row, "arguments")}});
  return out;
}

// What a message has beside its text: only what has the shape that the page shows. Names of dropped messages are those
// of the file and are left out.
json::object read_own_more(const json::object& row) {
  json::object out;
  for (const char* name : {"group", "error", "tool_call_id"})
    if (std::string text = cut(text_of(row, name), limits::kPageNameBytesMax); !text.empty()) out[name] = std::move(text);
  if (const json::object* usage = object_of(row, "usage")) out["usage"] = numbers_of(*usage, {"prompt_tokens", "cached_tokens", "completion_tokens"});
  if (const json::object* timings = object_of(row, "timings")) out["timings"] = numbers_of(*timings, {"queue_ms", "first_token_ms", "total_ms", "tokens_per_s"});
  if (const json::object* settings = object_of(row, "settings"); settings && !check_page_settings(*settings)) out["settings"] = *settings;
  if (const json::array* calls = list_of(row, "tool_calls"); calls && to_json_text(*calls).size() <= limits::kPageSettingsBytesMax)
    if (json::array kept = calls_of(*calls); !kept.empty()) out["tool_calls"] = std::move(kept);
  return out;
}

PageMessage read_own_message(const json::object& row) {
  static constexpr std::string_view kStates[] = {"done", "stopped", "length", "context", "interrupted", "error"};
  PageMessage m = plain_message(text_of(row, "role"), text_of(row, "text"));
  const std::string state = text_of(row, "state");
  m.state = std::find(std::begin(kStates), std::end(kStates), state) == std::end(kStates) ? "interrupted" : state;
  m.reasoning = text_of(row, "reasoning");
  m.model = cut(text_of(row, "model"), limits::kPageNameBytesMax);
  m.created = time_of(row, "created", 1);
  m.more = read_own_more(row);
  const json::array* attachments = m.role == "user" ? list_of(row, "attachments") : nullptr;
  for (size_t i = 0; attachments && i < attachments->size() && i < limits::kPageAttachmentsMax; ++i)
    if (const json::object* a = (*attachments)[i].if_object()) {
      const json::value* bytes = member(*a, "bytes");
      std::string text = cut(text_of(*a, "text"), limits::kPageAttachmentBytesMax);
      m.attachments.push_back({cut(text_of(*a, "name"), limits::kPageNameBytesMax), bytes && bytes->is_int64() ? bytes->get_int64() : static_cast<int64_t>(text.size()), text});
    }
  return m;
}

ImportedRow read_own(const json::object& row) {
  ImportedChat out;
  PageChat& chat = out.chat;
  chat.title = cut(text_of(row, "title"), limits::kPageTitleBytesMax);
  chat.title_by = text_of(row, "title_by") == "model" ? "model" : chat.title.empty() ? "" : "user";
  chat.pinned = flag_of(row, "pinned");
  chat.folder = cut(text_of(row, "folder"), limits::kPageFolderBytesMax);
  chat.system = cut(text_of(row, "system"), limits::kPageSystemBytesMax);
  if (const json::object* settings = object_of(row, "settings"); settings && !check_page_settings(*settings)) chat.settings = *settings;
  chat.created = time_of(row, "created", 1);
  chat.updated = time_of(row, "updated", 1);
  if (const std::string id = text_of(row, "id"); !id.empty()) chat.origin = "rival:" + cut(id, limits::kPageNameBytesMax);
  std::vector<Node> nodes;
  for (const json::value& value : *list_of(row, "messages")) {
    const json::object* message = value.if_object();
    if (!message) continue;
    Node node{.id = id_of(*message, "id"), .parent = id_of(*message, "parent"), .message = read_own_message(*message), .thoughts = {}};
    if (node.message->role != "user" && node.message->role != "assistant" && node.message->role != "tool") node.message.reset();
    nodes.push_back(std::move(node));
  }
  return finish(std::move(out), std::move(nodes), id_of(row, "leaf"));
}

// One conversation, whatever wrote it; null if it is of none of the formats.
std::optional<ImportedRow> read_conversation(const json::value& value) {
  const json::object* o = value.if_object();
  if (!o) return std::nullopt;
  if (object_of(*o, "mapping")) return read_chatgpt(*o);
  const json::array* messages = list_of(*o, "messages");
  if (!messages) return std::nullopt;
  if (const json::object* conv = object_of(*o, "conv")) return read_llama(*conv, *messages);
  const json::object* first = messages->empty() ? nullptr : messages->front().if_object();
  if (first && first->contains("content")) return read_llama(*o, *messages);  // of the page's first years
  return read_own(*o);
}

}  // namespace

Result<std::vector<ImportedRow>> read_chat_file(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  RIVAL_ASSIGN_OR_RETURN(const json::value file, parse_json(text));
  const json::array* rows = file.if_array();
  if (const json::object* o = file.if_object(); o && text_of(*o, "format") == "rival-chats") {
    rows = list_of(*o, "chats");
    if (!rows) return make_error(ErrorCode::kUnsupported, "the file has no list of chats");
  }
  std::vector<ImportedRow> out;
  const auto add = [&](const json::value& value) {
    auto row = read_conversation(value);
    out.push_back(row ? std::move(*row) : ImportedRow(ImportFailure{"", "it is no conversation of a known format"}));
    return row.has_value();
  };
  bool known = false;
  if (rows) for (const json::value& value : *rows) known |= add(value);
  else known = add(file);
  if (!known && (!rows || !rows->empty()))
    return make_error(ErrorCode::kUnsupported, "the file is none of: chats of Rival, ChatGPT's conversations.json, an export of llama.cpp's page");
  return out;
}

}  // namespace rival::serve
