#include "serve/anthropic_request.h"

#include <algorithm>

#include "base/limits.h"
#include "serve/anthropic_messages.h"
#include "serve/fields.h"

namespace rival::serve {
namespace {

// Fields of the API that would change the answer and are not honoured.
constexpr std::string_view kRefused[] = {"container", "mcp_servers", "context_management"};

bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::kToolNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

void read_tool(Fields& f, const std::string& place, const json::value& value, std::vector<Tool>& tools) {
  const json::object* object = value.if_object();
  if (!object) return f.fail(place, fmt::format("expected an object, found {}", kind_of(value)));
  Fields inner(*object);
  const auto type = inner.text("type");
  if (type && *type != "custom") return f.fail(place + ".type", fmt::format("'{}' is a tool that the server would run itself; this one runs none", *type));
  const auto name = inner.text("name");
  if (!name || !is_tool_name(*name)) return f.fail(place + ".name", "expected 1 to 128 letters, digits, '_' and '-'");
  if (std::any_of(tools.begin(), tools.end(), [&](const Tool& t) { return t.name == *name; }))
    return f.fail(place + ".name", fmt::format("there are two tools named '{}'", *name));
  const json::object* schema = inner.object("input_schema");
  const auto description = inner.text("description");
  if (!schema && !inner.error()) inner.fail("input_schema", "is missing");
  if (inner.error()) return f.fail(place, inner.error()->message);
  tools.push_back({*name, description.value_or(""), *schema});
}

void read_tools(Fields& f, ChatRequest& chat) {
  const json::array* tools = f.list("tools");
  if (!tools) return;
  if (tools->size() > limits::kToolsMax) return f.fail("tools", fmt::format("at most {} tools", limits::kToolsMax));
  for (size_t i = 0; !f.error() && i < tools->size(); ++i) read_tool(f, fmt::format("tools.{}", i), (*tools)[i], chat.tools);
}

void read_tool_choice(Fields& f, ChatRequest& chat) {
  const json::object* object = f.object("tool_choice");
  if (!object) return;
  Fields inner(*object);
  const std::string type = inner.text("type").value_or("");
  chat.tool_choice.parallel = !inner.boolean("disable_parallel_tool_use", false);
  if (type == "auto") {
    chat.tool_choice.kind = ToolChoice::Kind::kAuto;
  } else if (type == "none") {
    chat.tool_choice.kind = ToolChoice::Kind::kNone;
  } else if (type == "any") {
    chat.tool_choice.kind = ToolChoice::Kind::kRequired;
    if (chat.tools.empty()) f.fail("tool_choice", "there are no tools to choose from");
  } else if (type == "tool") {
    chat.tool_choice.kind = ToolChoice::Kind::kNamed;
    chat.tool_choice.name = inner.text("name").value_or("");
    if (std::none_of(chat.tools.begin(), chat.tools.end(), [&](const Tool& t) { return t.name == chat.tool_choice.name; }))
      f.fail("tool_choice.name", fmt::format("'{}' is not the name of a tool given", chat.tool_choice.name));
  } else {
    f.fail("tool_choice.type", "expected auto, any, tool or none");
  }
  if (inner.error()) f.fail("tool_choice", inner.error()->message);
}

void read_thinking(Fields& f, ChatRequest& chat) {
  const json::object* object = f.object("thinking");
  bool enabled = false;
  if (object) {
    Fields inner(*object);
    const std::string type = inner.text("type").value_or("");
    enabled = type == "enabled" || type == "adaptive";
    if (!enabled && type != "disabled") f.fail("thinking.type", "expected enabled, disabled or adaptive");
    const auto budget = inner.integer("budget_tokens", 1, limits::kAnswerTokensMax);
    if (inner.error()) f.fail("thinking", inner.error()->message);
    if (type == "enabled" && !budget) f.fail("thinking.budget_tokens", "is missing");
    if (budget && chat.generation.max_tokens && *budget >= *chat.generation.max_tokens)
      f.fail("thinking.budget_tokens", fmt::format("{} is not less than max_tokens, {}", *budget, *chat.generation.max_tokens));
  }
  // Off unless asked for, as the API has it.
  chat.template_variables["enable_thinking"] = enabled;
}

void read_output_config(Fields& f, ChatRequest& chat) {
  const json::object* object = f.object("output_config");
  if (!object) return;
  Fields inner(*object);
  if (const auto effort = inner.text("effort")) chat.template_variables["reasoning_effort"] = *effort;
  const json::object* format = inner.object("format");
  if (inner.error()) return f.fail("output_config", inner.error()->message);
  if (!format) return;
  const json::value* type = format->if_contains("type");
  const json::value* schema = format->if_contains("schema");
  if (!type || *type != json::string("json_schema") || !schema)
    return f.fail("output_config.format", "expected {\"type\": \"json_schema\", \"schema\": ...}");
  chat.format = {AnswerFormat::Kind::kJsonSchema, *schema, "", "output_config.format.schema"};
}

void read_sampling(Fields& f, engine::Request& r) {
  if (const auto x = f.number("temperature", 0, 1)) r.sampler.temperature = static_cast<float>(*x);
  if (const auto x = f.number("top_p", 0, 1)) r.sampler.top_p = std::max(static_cast<float>(*x), 1e-6f);
  if (const auto k = f.integer("top_k", 0, INT32_MAX)) r.sampler.top_k = static_cast<uint32_t>(*k);
  if (const auto seed = f.integer("seed", 0, int64_t{1} << 53)) r.sampler.seed = static_cast<uint64_t>(*seed);
  const json::array* stops = f.list("stop_sequences");
  if (!stops) return;
  if (stops->size() > limits::kStopStringsMax) return f.fail("stop_sequences", fmt::format("at most {} strings", limits::kStopStringsMax));
  for (const json::value& stop : *stops) {
    if (!stop.is_string() || stop.get_string().empty()) return f.fail("stop_sequences", "expected strings that are not empty");
    r.stop.emplace_back(stop.get_string());
  }
}

void read_length(Fields& f, engine::Request& r) {
  const auto max = f.integer("max_tokens", 0, limits::kAnswerTokensMax);
  if (!f.has("max_tokens")) f.fail("max_tokens", "is missing");
  r.max_tokens = static_cast<uint32_t>(max.value_or(0));
}

// The last message of the assistant is written on, unless it called tools.
void read_prefill(Fields& f, ChatRequest& chat) {
  if (chat.messages.empty()) return f.fail("messages", "holds nothing to answer");
  const json::object& last = chat.messages.back().get_object();
  if (last.at("role") != json::string("assistant")) return;
  chat.continue_last = true;
  if (last.contains("tool_calls")) f.fail("messages", "the calls of the last message are not followed by their tool_result blocks");
}

}  // namespace

std::variant<AnthropicRequest, ApiError> read_anthropic(const json::object& body, AnthropicUse use) {
  AnthropicRequest out;
  Fields f(body);
  for (std::string_view name : kRefused)
    if (f.has(name)) f.fail(name, "is not supported by this server");
  if (use == AnthropicUse::kAnswer) {
    read_length(f, out.chat.generation);
    read_sampling(f, out.chat.generation);
    out.stream = f.boolean("stream", false);
    if (const json::object* metadata = f.object("metadata")) {
      Fields inner(*metadata);
      inner.text("user_id");
      if (inner.error()) f.fail("metadata", inner.error()->message);
    }
  }
  if (!f.error()) out.chat.messages = read_anthropic_messages(f);
  if (!f.error()) read_prefill(f, out.chat);
  read_tools(f, out.chat);
  read_tool_choice(f, out.chat);
  read_thinking(f, out.chat);
  read_output_config(f, out.chat);
  if (f.error()) return *f.error();
  return out;
}

}  // namespace rival::serve
