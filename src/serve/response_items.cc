#include "serve/response_items.h"

#include <map>

#include "base/limits.h"
#include "serve/fresh_id.h"

namespace rival::serve {
namespace {

std::string_view text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

// Reads one item; the first error is told to `fields` under the item's place, "input[2]".
class ItemReader {
 public:
  ItemReader(Fields& fields, std::string place) : fields_(fields), place_(std::move(place)) {}

  json::object read(const json::value& value) {
    item_ = value.if_object();
    if (!item_) return fail("", fmt::format("expected an object, found {}", kind_of(value)));
    const std::string_view type = item_->contains("type") ? text_of(*item_, "type") : "message";
    if (type == "message") return message();
    if (type == "function_call") return call();
    if (type == "function_call_output") return call_output();
    if (type == "reasoning") return reasoning();
    if (type == "item_reference") return {{"type", type}, {"id", required("id")}};
    return fail(".type", fmt::format("'{}' is not supported; expected message, function_call, function_call_output, reasoning or item_reference", type));
  }

 private:
  json::object fail(const std::string& where, std::string message) {
    fields_.fail(place_ + where, std::move(message));
    return {};
  }

  std::string required(const char* name) {
    const json::value* value = item_->if_contains(name);
    if (value && value->is_string()) return std::string(value->get_string());
    fail(std::string(".") + name, value ? fmt::format("expected a string, found {}", kind_of(*value)) : "is missing");
    return {};
  }

  // The client's own id, where it gives one.
  std::string id(std::string_view prefix) {
    const json::value* value = item_->if_contains("id");
    if (!value || value->is_null()) return fresh_id(prefix);
    const std::string text = required("id");
    if (text.empty() || text.size() > limits::kItemIdBytesMax) fail(".id", fmt::format("expected 1 to {} bytes", limits::kItemIdBytesMax));
    return text;
  }

  json::object message() {
    const std::string role = required("role");
    if (role != "user" && role != "assistant" && role != "system" && role != "developer")
      return fail(".role", fmt::format("'{}' is not known; expected user, assistant, system or developer", role));
    const json::value* content = item_->if_contains("content");
    if (!content) return fail(".content", "is missing");
    return {{"id", id("msg_")}, {"type", "message"}, {"status", "completed"}, {"role", role}, {"content", parts(*content, role == "assistant", ".content")}};
  }

  static json::object text_part(std::string_view text, bool answer) {
    if (answer) return {{"type", "output_text"}, {"text", text}, {"annotations", json::array{}}, {"logprobs", json::array{}}};
    return {{"type", "input_text"}, {"text", text}};
  }

  json::array parts(const json::value& content, bool answer, const std::string& name) {
    if (content.is_string()) return {text_part(content.get_string(), answer)};
    json::array out;
    if (!content.is_array()) {
      fail(name, fmt::format("expected a string or an array of parts, found {}", kind_of(content)));
      return out;
    }
    for (size_t i = 0; i < content.get_array().size(); ++i) {
      const json::object* part = content.get_array()[i].if_object();
      const std::string where = fmt::format("{}[{}]", name, i);
      const std::string_view type = part ? text_of(*part, "type") : "";
      if (type == "refusal" && answer && part->contains("refusal") && part->at("refusal").is_string()) {
        out.push_back(json::object{{"type", "refusal"}, {"refusal", part->at("refusal")}});
      } else if (type == "input_text" || type == "output_text" || type == "text") {
        const json::value* text = part->if_contains("text");
        if (!text || !text->is_string()) return fail(where + ".text", "expected a string"), out;
        out.push_back(text_part(text->get_string(), answer));
      } else {
        return fail(where + ".type", fmt::format("'{}' is not supported: this server's models read text only", type)), out;
      }
    }
    return out;
  }

  json::object call() {
    const std::string arguments = required("arguments");
    return {{"id", id("fc_")}, {"type", "function_call"}, {"status", "completed"}, {"call_id", required("call_id")}, {"name", required("name")}, {"arguments", arguments}};
  }

  json::object call_output() {
    json::object out{{"id", id("fco_")}, {"type", "function_call_output"}, {"status", "completed"}, {"call_id", required("call_id")}};
    const json::value* output = item_->if_contains("output");
    if (!output) return fail(".output", "is missing");
    if (output->is_string()) {
      out["output"] = *output;
      return out;
    }
    out["output"] = parts(*output, false, ".output");
    return out;
  }

  // Its content is the text that was thought; a summary alone stands for it. What another server has encrypted is
  // nothing to this one.
  json::object reasoning() {
    const auto texts = [&](const char* name, const char* type) {
      json::array out;
      const json::value* list = item_->if_contains(name);
      if (!list || list->is_null()) return out;
      if (!list->is_array()) return fail(std::string(".") + name, "expected an array"), out;
      for (const json::value& part : list->get_array()) {
        const json::object* object = part.if_object();
        const json::value* text = object ? object->if_contains("text") : nullptr;
        if (!text || !text->is_string()) return fail(std::string(".") + name, "expected parts with a text"), out;
        out.push_back(json::object{{"type", type}, {"text", *text}});
      }
      return out;
    };
    json::array summary = texts("summary", "summary_text");
    return {{"id", id("rs_")}, {"type", "reasoning"}, {"status", "completed"}, {"summary", std::move(summary)}, {"content", texts("content", "reasoning_text")}};
  }

  Fields& fields_;
  const std::string place_;
  const json::object* item_ = nullptr;
};

std::string joined_text(const json::value& content) {
  if (content.is_string()) return std::string(content.get_string());
  std::string out;
  for (const json::value& part : content.get_array()) {
    const json::object& object = part.get_object();
    out += text_of(object, object.at("type") == json::string("refusal") ? "refusal" : "text");
  }
  return out;
}

// Builds messages; reasoning waits for the answer that it led to.
class MessageWriter {
 public:
  void add(const json::object& item) {
    const std::string_view type = text_of(item, "type");
    if (type == "message") {
      message(text_of(item, "role"), joined_text(item.at("content")));
    } else if (type == "function_call") {
      call(item);
    } else if (type == "function_call_output") {
      const auto name = names_.find(text_of(item, "call_id"));
      json::object out{{"role", "tool"}, {"tool_call_id", item.at("call_id")}, {"content", joined_text(item.at("output"))}};
      if (name != names_.end()) out["name"] = name->second;
      messages_.push_back(std::move(out));
    } else if (type == "reasoning") {
      const json::array& content = item.at("content").get_array();
      reasoning_ += joined_text(content.empty() ? item.at("summary") : json::value(content));
    }
  }

  void message(std::string_view role, std::string text) {
    if (role == "developer") role = "system";
    json::object* last = messages_.empty() ? nullptr : &messages_.back().get_object();
    if (role == "system" && last && text_of(*last, "role") == "system") {
      (*last)["content"] = std::string(text_of(*last, "content")) + "\n\n" + text;
      return;
    }
    json::object out{{"role", role}, {"content", std::move(text)}};
    if (role == "assistant") take_reasoning(out);
    messages_.push_back(std::move(out));
  }

  json::array take() { return std::move(messages_); }

 private:
  void take_reasoning(json::object& message) {
    if (!reasoning_.empty()) message["reasoning_content"] = std::exchange(reasoning_, {});
  }

  // Calls belong to the assistant's message before them.
  void call(const json::object& item) {
    if (messages_.empty() || text_of(messages_.back().get_object(), "role") != "assistant" || !reasoning_.empty()) {
      json::object out{{"role", "assistant"}, {"content", ""}};
      take_reasoning(out);
      messages_.push_back(std::move(out));
    }
    json::object& message = messages_.back().get_object();
    if (!message.contains("tool_calls")) message["tool_calls"] = json::array{};
    message["tool_calls"].get_array().push_back(
        json::object{{"id", item.at("call_id")}, {"type", "function"}, {"function", {{"name", item.at("name")}, {"arguments", item.at("arguments")}}}});
    names_.insert_or_assign(std::string(text_of(item, "call_id")), text_of(item, "name"));
  }

  json::array messages_;
  std::string reasoning_;
  std::map<std::string, std::string_view, std::less<>> names_;  // of calls, by their ids; the texts are the items'
};

size_t characters(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

}  // namespace

json::array read_items(Fields& fields, std::string_view name) {
  json::array out;
  const json::value* input = fields.find(name);
  if (!input) return out;
  if (input->is_string()) {
    out.push_back(ItemReader(fields, std::string(name)).read(json::object{{"role", "user"}, {"content", *input}}));
    return out;
  }
  const json::array* items = input->if_array();
  if (!items) return fields.fail(name, fmt::format("expected a string or an array of items, found {}", kind_of(*input))), out;
  if (items->size() > limits::kItemsMax) return fields.fail(name, fmt::format("at most {} items", limits::kItemsMax)), out;
  for (size_t i = 0; !fields.error() && i < items->size(); ++i)
    out.push_back(ItemReader(fields, fmt::format("{}[{}]", name, i)).read((*items)[i]));
  return out;
}

json::array item_messages(std::string_view instructions, const json::array& items) {
  MessageWriter writer;
  if (!instructions.empty()) writer.message("system", std::string(instructions));
  for (const json::value& item : items) writer.add(item.get_object());
  return writer.take();
}

json::object read_metadata(Fields& fields) {
  const json::object* metadata = fields.object("metadata");
  if (!metadata) return {};
  if (metadata->size() > limits::kNotePairsMax) fields.fail("metadata", fmt::format("at most {} pairs", limits::kNotePairsMax));
  for (const auto& [key, value] : *metadata) {
    if (key.empty() || characters(key) > limits::kNoteKeyMax)
      fields.fail("metadata", fmt::format("the key '{}' has not 1 to {} characters", std::string_view(key), limits::kNoteKeyMax));
    if (!value.is_string() || characters(value.get_string()) > limits::kNoteValueMax)
      fields.fail("metadata", fmt::format("the value of '{}' is not a text of at most {} characters", std::string_view(key), limits::kNoteValueMax));
  }
  return *metadata;
}

}  // namespace rival::serve
