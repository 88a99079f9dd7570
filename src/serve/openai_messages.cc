#include "serve/openai_messages.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace rival::serve {
namespace {

constexpr std::array<std::string_view, 6> kRoles = {"system", "developer", "user", "assistant", "tool", "function"};

const json::value* member(const json::value& value, std::string_view name) {
  const json::object* object = value.if_object();
  return object ? object->if_contains(name) : nullptr;
}

std::optional<std::string> text_member(const json::value& value, std::string_view name) {
  const json::value* found = member(value, name);
  if (!found || !found->is_string()) return std::nullopt;
  return std::string(found->get_string());
}

// The text of one part: {"type": "text", "text": ...} or a refusal.
std::optional<std::string> part_text(const json::value& part, Fields& fields, const std::string& path) {
  const std::string type = text_member(part, "type").value_or("");
  for (std::string_view known : {"text", "refusal"})
    if (type == known)
      if (auto text = text_member(part, known)) return text;
  fields.fail(path, type.empty() || type == "text" ? std::string("each part is an object {\"type\": \"text\", \"text\": ...}")
                                                   : fmt::format("parts of type '{}' are not understood: this model reads text only", type));
  return std::nullopt;
}

// A content that is a list of text parts becomes one string.
std::optional<std::string> content_text(const json::value& content, Fields& fields, const std::string& path) {
  if (content.is_string()) return std::string(content.get_string());
  if (!content.is_array()) {
    fields.fail(path, fmt::format("expected a string or an array of parts, found {}", kind_of(content)));
    return std::nullopt;
  }
  std::string text;
  for (const json::value& part : content.get_array()) {
    const auto piece = part_text(part, fields, path);
    if (!piece) return std::nullopt;
    text += *piece;
  }
  return text;
}

// {name, arguments} of an earlier turn as a call; arguments that are no JSON are kept as they are.
std::optional<json::object> read_call(const json::value& function, std::string id) {
  const auto name = text_member(function, "name");
  const json::value* arguments = member(function, "arguments");
  if (!name || (arguments && !arguments->is_string() && !arguments->is_object() && !arguments->is_null())) return std::nullopt;
  json::value text = arguments && !arguments->is_null() ? *arguments : json::value("{}");
  if (text.is_object()) text = to_json_text(text);
  return json::object{{"id", std::move(id)}, {"type", "function"}, {"function", {{"name", *name}, {"arguments", std::move(text)}}}};
}

json::array read_calls(const json::value& calls, Fields& fields, const std::string& path) {
  json::array out;
  if (!calls.is_array() || calls.get_array().size() > limits::kCallsMax) {
    fields.fail(path, fmt::format("expected an array of at most {} calls", limits::kCallsMax));
    return out;
  }
  for (const json::value& call : calls.get_array()) {
    const json::value* function = member(call, "function");
    auto read = function ? read_call(*function, text_member(call, "id").value_or("")) : std::nullopt;
    if (!read) {
      fields.fail(path, "each call is an object {\"id\", \"type\": \"function\", \"function\": {\"name\", \"arguments\": text}}");
      return out;
    }
    out.push_back(std::move(*read));
  }
  return out;
}

// Calls of functions have no id: the message with the result names the function.
std::string old_call_id(const std::string& name) { return "call_" + name; }

void add_assistant_fields(const json::value& message, json::object& out, Fields& fields, const std::string& path) {
  for (const char* name : {"reasoning_content", "reasoning"})
    if (auto reasoning = text_member(message, name); reasoning && !out.contains("reasoning_content")) out["reasoning_content"] = *reasoning;
  const json::value* calls = member(message, "tool_calls");
  if (calls && !calls->is_null()) out["tool_calls"] = read_calls(*calls, fields, path + ".tool_calls");
  const json::value* old = member(message, "function_call");
  if (!old || old->is_null() || out.contains("tool_calls")) return;
  auto call = read_call(*old, old_call_id(text_member(*old, "name").value_or("")));
  if (!call) return fields.fail(path + ".function_call", "expected {\"name\": ..., \"arguments\": text}");
  out["tool_calls"] = json::array{std::move(*call)};
}

// Null where it failed.
json::value read_message(const json::value& message, Fields& fields, const std::string& path) {
  const std::string role = text_member(message, "role").value_or("");
  if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
    fields.fail(path + ".role", "expected system, developer, user, assistant, tool or function");
    return nullptr;
  }
  const bool old_result = role == "function";
  json::object out{{"role", role == "developer" ? "system" : old_result ? "tool" : role}, {"content", ""}};
  if (role == "assistant") add_assistant_fields(message, out, fields, path);
  const json::value* content = member(message, "content");
  const bool may_lack = out.contains("tool_calls") || out.contains("reasoning_content");
  if (content && !content->is_null()) {
    const auto text = content_text(*content, fields, path + ".content");
    if (text) out["content"] = *text;
  } else if (!may_lack) {
    fields.fail(path + ".content", content ? "is null, which only an assistant's message with tool_calls may have" : "is missing");
  }
  for (const char* name : {"name", "tool_call_id"})
    if (auto text = text_member(message, name)) out[name] = *text;
  if (old_result && !out.contains("name")) fields.fail(path + ".name", "is missing: the function whose result this is");
  if (old_result && !fields.error()) out["tool_call_id"] = old_call_id(std::string(out["name"].get_string()));
  return out;
}

Tool read_function(const json::value& function, std::string name, Fields& fields, const std::string& path) {
  Tool tool{.name = std::move(name), .description = text_member(function, "description").value_or(""), .parameters = {}, .param = path + ".parameters"};
  const json::value* parameters = member(function, "parameters");
  if (parameters && parameters->is_object()) tool.parameters = parameters->get_object();
  else if (parameters && !parameters->is_null()) fields.fail(tool.param, fmt::format("expected a JSON Schema, found {}", kind_of(*parameters)));
  return tool;
}

std::optional<Tool> read_tool(const json::value& value, Fields& fields, const std::string& path) {
  const std::string type = text_member(value, "type").value_or("");
  const json::value* function = member(value, "function");
  const auto name = function ? text_member(*function, "name") : std::nullopt;
  if (type != "function" || !name) {
    fields.fail(path, type == "function" || type.empty() ? std::string("expected {\"type\": \"function\", \"function\": {\"name\": ...}}")
                                                         : fmt::format("tools of type '{}' are not possible here; only functions are", type));
    return std::nullopt;
  }
  return read_function(*function, *name, fields, path + ".function");
}

void read_choice(const json::value& value, Fields& fields, ToolChoice& choice) {
  using Kind = ToolChoice::Kind;
  constexpr std::pair<std::string_view, Kind> kWords[] = {{"auto", Kind::kAuto}, {"none", Kind::kNone}, {"required", Kind::kRequired}};
  for (const auto& [word, kind] : kWords)
    if (value.is_string() && value.get_string() == word) return void(choice.kind = kind);
  const json::value* function = member(value, "function");
  const auto name = function ? text_member(*function, "name") : std::nullopt;
  if (!name || text_member(value, "type") != "function")
    return fields.fail("tool_choice", "expected auto, none, required or {\"type\": \"function\", \"function\": {\"name\": ...}}");
  choice.kind = Kind::kNamed;
  choice.name = *name;
}

void read_functions(const json::array& functions, Fields& fields, ChatRequest& chat) {
  for (size_t i = 0; i < functions.size() && !fields.error(); ++i) {
    const std::string path = fmt::format("functions[{}]", i);
    const auto name = text_member(functions[i], "name");
    if (!name) return fields.fail(path, "expected {\"name\": ..., \"parameters\": a JSON Schema}");
    chat.tools.push_back(read_function(functions[i], *name, fields, path));
  }
  chat.tool_choice.parallel = false;
  const json::value* call = fields.find("function_call");
  if (!call || *call == "auto") return;
  const auto name = text_member(*call, "name");
  if (!name && *call != "none") return fields.fail("function_call", "expected auto, none or {\"name\": ...}");
  chat.tool_choice.kind = name ? ToolChoice::Kind::kNamed : ToolChoice::Kind::kNone;
  chat.tool_choice.name = name.value_or("");
  const bool there = std::any_of(chat.tools.begin(), chat.tools.end(), [&](const Tool& tool) { return tool.name == chat.tool_choice.name; });
  if (name && !there) fields.fail("function_call", fmt::format("there is no function '{}'", *name));
}

}  // namespace

json::array read_openai_messages(Fields& fields) {
  json::array out;
  const json::array* messages = fields.list("messages");
  if (!messages || messages->empty() || messages->size() > limits::kMessagesMax) {
    fields.fail("messages", fmt::format("expected an array of 1 to {} messages", limits::kMessagesMax));
    return out;
  }
  for (size_t i = 0; i < messages->size() && !fields.error(); ++i) {
    json::value message = read_message((*messages)[i], fields, fmt::format("messages[{}]", i));
    if (message.is_object()) out.push_back(std::move(message));
  }
  return out;
}

bool read_openai_tools(Fields& fields, ChatRequest& chat) {
  if (const json::array* tools = fields.list("tools"))
    for (size_t i = 0; i < tools->size() && !fields.error(); ++i)
      if (auto tool = read_tool((*tools)[i], fields, fmt::format("tools[{}]", i))) chat.tools.push_back(std::move(*tool));
  if (const json::value* choice = fields.find("tool_choice")) read_choice(*choice, fields, chat.tool_choice);
  chat.tool_choice.parallel = fields.boolean("parallel_tool_calls", true);
  const json::array* functions = fields.list("functions");
  if (!functions || functions->empty()) {
    if (const json::value* call = fields.find("function_call"); call && *call != "auto" && *call != "none") fields.fail("function_call", "asks for a call, but there are no functions");
    return false;
  }
  if (fields.has("tools") || fields.has("tool_choice")) fields.fail("functions", "cannot be combined with tools");
  else read_functions(*functions, fields, chat);
  return true;
}

}  // namespace rival::serve
