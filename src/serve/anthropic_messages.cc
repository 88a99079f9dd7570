#include "serve/anthropic_messages.h"

#include <map>

#include "base/limits.h"

namespace rival::serve {
namespace {

// A block's string of this name; null if it is absent or something else.
const json::string* text_in(const json::object& block, std::string_view name) {
  const json::value* value = block.if_contains(name);
  return value ? value->if_string() : nullptr;
}

void append(json::object& message, std::string_view name, std::string_view text, std::string_view between) {
  json::value& place = message[name];
  if (!place.is_string()) place.emplace_string();
  json::string& out = place.get_string();
  if (!out.empty() && !text.empty()) out += between;
  out += text;
}

class MessageReader {
 public:
  explicit MessageReader(Fields& fields) : fields_(fields) {}

  json::array read() {
    read_system();
    const json::array* messages = fields_.list("messages");
    if (!messages || messages->empty() || messages->size() > limits::kAnthropicMessagesMax)
      fields_.fail("messages", fmt::format("expected an array of 1 to {} messages", limits::kAnthropicMessagesMax));
    for (size_t i = 0; !fields_.error() && i < messages->size(); ++i)
      read_message(fmt::format("messages.{}", i), (*messages)[i], i + 1 == messages->size());
    return std::move(out_);
  }

 private:
  void read_system() {
    const json::value* system = fields_.find("system");
    if (!system) return;
    const std::string text = read_text("system", *system);
    if (!text.empty()) out_.push_back(json::object{{"role", "system"}, {"content", text}});
  }

  // A string, or blocks that hold nothing but text.
  std::string read_text(const std::string& path, const json::value& value) {
    if (value.is_string()) return std::string(value.get_string());
    if (!value.is_array()) {
      fields_.fail(path, fmt::format("expected a string or an array of blocks, found {}", kind_of(value)));
      return {};
    }
    std::string out;
    for (size_t i = 0; i < value.get_array().size(); ++i) {
      const std::string place = fmt::format("{}.{}", path, i);
      const json::object* block = value.get_array()[i].if_object();
      const json::string* type = block ? text_in(*block, "type") : nullptr;
      if (!type || *type != "text") {
        refuse_block(place, type);
        return {};
      }
      if (!out.empty()) out += '\n';
      out += text_of(place, *block, "text");
    }
    return out;
  }

  std::string_view text_of(const std::string& place, const json::object& block, std::string_view name) {
    const json::string* text = text_in(block, name);
    if (!text) fields_.fail(fmt::format("{}.{}", place, name), "expected a string");
    return text ? std::string_view(*text) : std::string_view();
  }

  void refuse_block(const std::string& place, const json::string* type) {
    if (!type) return fields_.fail(place, "expected a block, an object with a type");
    const std::string_view name = *type;
    fields_.fail(place, name == "image" || name == "document"
                            ? fmt::format("a block of type '{}' is not understood: this server reads text only", name)
                            : fmt::format("a block of type '{}' is not understood here", name));
  }

  void read_message(const std::string& path, const json::value& value, bool last) {
    const json::object* message = value.if_object();
    const json::string* role = message ? text_in(*message, "role") : nullptr;
    if (!role || (*role != "user" && *role != "assistant" && *role != "system"))
      return fields_.fail(path + ".role", "expected user or assistant");
    const json::value* content = message->if_contains("content");
    if (!content) return fields_.fail(path + ".content", "is missing");
    const bool empty = (content->is_string() && content->get_string().empty()) || (content->is_array() && content->get_array().empty());
    if (empty && last && *role == "assistant") return;
    if (empty) return fields_.fail(path + ".content", "is empty");
    if (*role == "system") {
      append(of_role("system"), "content", read_text(path + ".content", *content), "\n");
    } else if (content->is_string()) {
      append(of_role(*role), "content", content->get_string(), *role == "user" ? "\n" : "");
    } else if (!content->is_array()) {
      fields_.fail(path + ".content", fmt::format("expected a string or an array of blocks, found {}", kind_of(*content)));
    } else {
      for (size_t i = 0; !fields_.error() && i < content->get_array().size(); ++i)
        read_block(fmt::format("{}.content.{}", path, i), *role, content->get_array()[i]);
    }
  }

  // The last message if it is of this role, else a new one.
  json::object& of_role(std::string_view role) {
    if (out_.empty() || out_.back().get_object()["role"] != json::string(role))
      out_.push_back(json::object{{"role", role}, {"content", ""}});
    return out_.back().get_object();
  }

  void read_block(const std::string& place, std::string_view role, const json::value& value) {
    const json::object* block = value.if_object();
    const json::string* type = block ? text_in(*block, "type") : nullptr;
    const bool user = role == "user";
    if (!type) return refuse_block(place, type);
    if (*type == "text") return append(of_role(role), "content", text_of(place, *block, "text"), user ? "\n" : "");
    if (user && *type == "tool_result") return read_result(place, *block);
    if (!user && *type == "thinking")
      return append(of_role(role), "reasoning_content", text_of(place, *block, "thinking"), "\n");
    if (!user && *type == "redacted_thinking") return;  // nobody but its writer can read it
    if (!user && *type == "tool_use") return read_call(place, *block);
    refuse_block(place, type);
  }

  void read_call(const std::string& place, const json::object& block) {
    const std::string_view id = text_of(place, block, "id"), name = text_of(place, block, "name");
    const json::value* input = block.if_contains("input");
    if (!input || !input->is_object()) return fields_.fail(place + ".input", "expected an object");
    names_[std::string(id)] = name;
    json::value& calls = of_role("assistant")["tool_calls"];
    if (!calls.is_array()) calls.emplace_array();
    calls.get_array().push_back(json::object{
        {"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", to_json_text(*input)}}}});
  }

  void read_result(const std::string& place, const json::object& block) {
    const std::string_view id = text_of(place, block, "tool_use_id");
    const json::value* content = block.if_contains("content");
    std::string text;
    if (content && !content->is_null()) text = read_text(place + ".content", *content);
    const json::value* failed = block.if_contains("is_error");
    if (failed && !failed->is_bool() && !failed->is_null()) fields_.fail(place + ".is_error", "expected true or false");
    // Templates know no failed results; the word tells the model.
    if (failed && failed->is_bool() && failed->get_bool()) text = text.empty() ? "Error" : "Error: " + text;
    json::object message{{"role", "tool"}, {"tool_call_id", id}, {"content", text}};
    if (const auto name = names_.find(id); name != names_.end()) message["name"] = name->second;
    out_.push_back(std::move(message));
  }

  Fields& fields_;
  json::array out_;
  std::map<std::string, std::string, std::less<>> names_;  // of the tools called so far, by the calls' ids
};

}  // namespace

json::array read_anthropic_messages(Fields& fields) { return MessageReader(fields).read(); }

}  // namespace rival::serve
