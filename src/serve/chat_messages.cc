#include "serve/chat_messages.h"

#include <algorithm>
#include <functional>

namespace rival::serve {
namespace {

std::string_view text_of(const json::object& message, std::string_view name) {
  const json::value* value = message.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

const json::array* calls_of(const json::object& message) {
  const json::value* calls = message.if_contains("tool_calls");
  return calls && calls->is_array() && !calls->get_array().empty() ? &calls->get_array() : nullptr;
}

bool shows_tools(const ChatRequest& request) { return !request.tools.empty() && request.tool_choice.kind != ToolChoice::Kind::kNone; }

json::object tool_schema(const Tool& tool) {
  if (!tool.parameters.empty()) return tool.parameters;
  return {{"type", "object"}, {"properties", json::object{}}};
}

json::object tool_function(const Tool& tool) {
  return {{"name", tool.name}, {"description", tool.description}, {"parameters", tool_schema(tool)}};
}

// Nine letters and digits for any id, the same for the same.
std::string short_id(std::string_view id) {
  static constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  if (id.size() == 9 && std::all_of(id.begin(), id.end(), [](unsigned char c) { return c < 128 && std::isalnum(c); })) return std::string(id);
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (unsigned char c : id) hash = (hash ^ c) * 1099511628211u;
  std::string out;
  for (int i = 0; i < 9; ++i, hash /= kDigits.size()) out += kDigits[hash % kDigits.size()];
  return out;
}

// Arguments as templates want them: an object; what is no JSON object stays the text that it is.
json::value arguments_value(const json::value& arguments) {
  if (!arguments.is_string()) return arguments;
  if (arguments.get_string().empty()) return json::object{};
  auto parsed = parse_json(std::string_view(arguments.get_string()));
  return parsed.ok() && parsed->is_object() ? *parsed : arguments;
}

const json::object* function_of(const json::value& call) {
  const json::object* object = call.if_object();
  const json::value* function = object ? object->if_contains("function") : nullptr;
  return function ? function->if_object() : nullptr;
}

// Calls of earlier turns for a template that writes them.
json::array template_calls(const PromptStyle& style, const json::array& calls) {
  json::array out;
  for (const json::value& call : calls) {
    const json::object* function = function_of(call);
    if (!function) continue;
    const json::value* arguments = function->if_contains("arguments");
    const std::string_view id = text_of(call.get_object(), "id");
    out.push_back(json::object{{"id", style.syntax.short_call_ids ? short_id(id) : std::string(id)},
                               {"type", "function"},
                               {"function", {{"name", text_of(*function, "name")}, {"arguments", arguments ? arguments_value(*arguments) : json::object{}}}}});
  }
  return out;
}

// The same as text, for a template that does not.
std::string calls_text(const text::CallSyntax& syntax, const json::array& calls) {
  std::string out;
  for (const json::value& call : calls) {
    const json::object* function = function_of(call);
    if (!function) continue;
    const json::value* arguments = function->if_contains("arguments");
    const json::value value = arguments ? arguments_value(*arguments) : json::object{};
    out += fmt::format("{}{}\n{}{}{}{}{}{}", out.empty() ? "" : "\n", syntax.open.front(), syntax.before_name, text_of(*function, "name"), syntax.after_name,
                       value.is_string() ? std::string(value.get_string()) : to_json_text(value), syntax.after_arguments, syntax.close);
  }
  return out;
}

std::string tools_text(const text::CallSyntax& syntax, const ChatRequest& request) {
  std::string out = "You can call functions to help with the question. The functions, one in each line, as JSON:\n";
  for (const Tool& tool : request.tools) out += to_json_text(tool_function(tool)) + "\n";
  out += fmt::format("\nTo call a function, answer with its name and arguments in this form:\n{}\n{}NAME{}{{...}}{}{}", syntax.open.front(), syntax.before_name,
                     syntax.after_name, syntax.after_arguments, syntax.close);
  using Kind = ToolChoice::Kind;
  if (request.tool_choice.kind == Kind::kRequired) out += "\n\nCall at least one function.";
  if (request.tool_choice.kind == Kind::kNamed) out += fmt::format("\n\nCall the function {}.", request.tool_choice.name);
  return out;
}

json::object with_reasoning(const PromptStyle& style, const json::object& message, json::object out) {
  const std::string_view reasoning = message.contains("reasoning_content") ? text_of(message, "reasoning_content") : text_of(message, "reasoning");
  if (!reasoning.empty()) out[style.syntax.harmony ? "thinking" : "reasoning_content"] = reasoning;
  return out;
}

json::object assistant_message(const PromptStyle& style, const json::object& message) {
  const std::string_view content = text_of(message, "content");
  json::object out{{"role", "assistant"}, {"content", content}};
  if (const json::array* calls = calls_of(message)) {
    if (style.syntax.template_has_tools) {
      out["tool_calls"] = template_calls(style, *calls);
      if (content.empty() && style.null_content) out["content"] = nullptr;
    } else {
      out["content"] = std::string(content) + (content.empty() ? "" : "\n") + calls_text(style.syntax.calls, *calls);
    }
  }
  return with_reasoning(style, message, std::move(out));
}

// The name of the tool whose call a result answers.
std::string called_name(const json::array& messages, const json::object& result) {
  const std::string_view id = text_of(result, "tool_call_id");
  std::string name(text_of(result, "name"));
  for (const json::value& message : messages) {
    const json::array* calls = name.empty() ? calls_of(message.get_object()) : nullptr;
    if (!calls) continue;
    for (const json::value& call : *calls)
      if (const json::object* function = function_of(call); function && text_of(call.get_object(), "id") == id) name = text_of(*function, "name");
  }
  return name;
}

json::object tool_message(const PromptStyle& style, const json::array& messages, const json::object& message) {
  const std::string_view content = text_of(message, "content");
  if (!style.syntax.template_has_tools)
    return {{"role", "user"}, {"content", fmt::format("<tool_response>\n{}\n</tool_response>", content)}};
  const std::string_view id = text_of(message, "tool_call_id");
  return {{"role", "tool"}, {"content", content}, {"name", called_name(messages, message)}, {"tool_call_id", style.syntax.short_call_ids ? short_id(id) : std::string(id)}};
}

bool is_role(const json::value& message, std::string_view role) { return text_of(message.get_object(), "role") == role; }

void append_content(json::object& to, std::string_view text) {
  const std::string_view before = text_of(to, "content");
  to["content"] = std::string(before) + (before.empty() || text.empty() ? "" : "\n\n") + std::string(text);
}

// Takes system messages out, in order, and joins them; only those at the beginning if `leading`.
std::string take_system(json::array& messages, bool leading) {
  json::object joined{{"content", ""}};
  json::array rest;
  bool begun = false;
  for (json::value& message : messages) {
    const bool system = is_role(message, "system");
    begun |= !system;
    if (system && !(leading && begun)) append_content(joined, text_of(message.get_object(), "content"));
    else rest.push_back(std::move(message));
  }
  messages = std::move(rest);
  return std::string(text_of(joined, "content"));
}

// Neighbours of one role become one message; calls and results stay as they are.
json::array join_neighbours(json::array messages) {
  json::array out;
  for (json::value& message : messages) {
    const std::string role(text_of(message.get_object(), "role"));
    const bool plain = role != "tool" && !calls_of(message.get_object());
    if (plain && !out.empty() && is_role(out.back(), role) && !calls_of(out.back().get_object())) {
      append_content(out.back().get_object(), text_of(message.get_object(), "content"));
    } else {
      out.push_back(std::move(message));
    }
  }
  return out;
}

json::array convert(const PromptStyle& style, const json::array& messages) {
  json::array out;
  for (const json::value& value : messages) {
    const json::object& message = value.get_object();
    const std::string_view role = text_of(message, "role");
    if (role == "assistant") out.push_back(assistant_message(style, message));
    else if (role == "tool") out.push_back(tool_message(style, messages, message));
    else out.push_back(json::object{{"role", role == "developer" ? "system" : role}, {"content", text_of(message, "content")}});
  }
  return out;
}

}  // namespace

json::value template_tools(const PromptStyle& style, const ChatRequest& request) {
  if (!shows_tools(request) || !style.syntax.template_has_tools) return nullptr;
  json::array tools;
  for (const Tool& tool : request.tools) tools.push_back(json::object{{"type", "function"}, {"function", tool_function(tool)}});
  return tools;
}

json::array make_messages(const PromptStyle& style, const ChatRequest& request, MessageForm form) {
  json::array messages = convert(style, request.messages);
  json::object system{{"role", "system"}, {"content", take_system(messages, form == MessageForm::kAsGiven)}};
  if (shows_tools(request) && !style.syntax.template_has_tools) append_content(system, tools_text(style.syntax.calls, request));
  const std::string_view text = text_of(system, "content");
  if (form == MessageForm::kTurnsOnly) {
    if (!text.empty() && (messages.empty() || !is_role(messages[0], "user"))) messages.insert(messages.begin(), json::object{{"role", "user"}, {"content", ""}});
    if (!text.empty()) messages[0].get_object()["content"] = fmt::format("{}\n\n{}", text, text_of(messages[0].get_object(), "content"));
    return join_neighbours(std::move(messages));
  }
  if (!text.empty()) messages.insert(messages.begin(), std::move(system));
  return messages;
}

}  // namespace rival::serve
