#include "serve/response_request.h"

#include <algorithm>
#include <ctime>

#include "base/limits.h"
#include "serve/fields.h"
#include "serve/fresh_id.h"
#include "serve/response_items.h"

namespace rival::serve {
namespace {

// Fields that change nothing here because they say who asks, or where else an answer may be found.
constexpr std::string_view kAccepted[] = {"user", "safety_identifier", "prompt_cache_key"};

constexpr std::string_view kHonoured[] = {
    "model",       "input",       "instructions",      "tools",      "tool_choice", "text",         "max_output_tokens",   "temperature", "top_p",
    "top_logprobs", "include",    "metadata",          "store",      "stream",      "previous_response_id", "conversation", "truncation",  "reasoning",
    "background",  "service_tier", "parallel_tool_calls", "stream_options"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) { return std::find(names.begin(), names.end(), name) != names.end(); }

std::string choice(Fields& f, std::string_view name, std::string_view otherwise, std::span<const std::string_view> allowed) {
  const std::string value = f.text(name).value_or(std::string(otherwise));
  if (!is_one_of(value, allowed)) f.fail(name, fmt::format("'{}' is not supported; expected {}", value, fmt::join(allowed, ", ")));
  return value;
}

// Errors of the fields inside an object carry its name in front.
void tell_inner(Fields& f, std::string_view name, const Fields& inner) {
  if (inner.error()) f.fail(fmt::format("{}.{}", name, inner.error()->param), inner.error()->message.substr(inner.error()->param.size() + 2));
}

void refuse_unknown(Fields& f, const json::object& body) {
  for (const auto& [name, value] : body)
    if (!value.is_null() && !is_one_of(name, kHonoured) && !is_one_of(name, kAccepted)) f.fail(name, "is not supported by this server");
}

// ---- tools ----

json::object read_tool(Fields& f, const std::string& place, const json::value& value, ChatRequest& chat) {
  const json::object* object = value.if_object();
  if (!object) return f.fail(place, fmt::format("expected an object, found {}", kind_of(value))), json::object{};
  Fields inner(*object);
  const std::string type = inner.text("type").value_or("");
  if (type != "function") return f.fail(place + ".type", fmt::format("'{}' is not supported: this server runs no tools itself; expected function", type)), json::object{};
  const std::string name = inner.text("name").value_or("");
  const bool fits = !name.empty() && name.size() <= limits::kToolNameBytesMax &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
  if (!fits) inner.fail("name", fmt::format("expected 1 to {} letters, digits, '_' and '-'", limits::kToolNameBytesMax));
  if (std::any_of(chat.tools.begin(), chat.tools.end(), [&](const Tool& tool) { return tool.name == name; })) inner.fail("name", fmt::format("there are two tools named '{}'", name));
  const auto description = inner.text("description");
  const json::object* parameters = inner.object("parameters");
  const bool strict = inner.boolean("strict", true);
  tell_inner(f, place, inner);
  chat.tools.push_back({name, description.value_or(""), parameters ? *parameters : json::object{}, place + ".parameters"});
  return {{"type", "function"},
          {"name", name},
          {"description", description ? json::value(*description) : json::value(nullptr)},
          {"parameters", parameters ? json::value(*parameters) : json::value(nullptr)},
          {"strict", strict}};
}

json::array read_tools(Fields& f, ChatRequest& chat) {
  json::array shown;
  const json::array* tools = f.list("tools");
  if (!tools) return shown;
  if (tools->size() > limits::kToolsMax) return f.fail("tools", fmt::format("at most {} tools", limits::kToolsMax)), shown;
  for (size_t i = 0; !f.error() && i < tools->size(); ++i) shown.push_back(read_tool(f, fmt::format("tools[{}]", i), (*tools)[i], chat));
  return shown;
}

void keep_allowed(Fields& f, const json::array& allowed, ChatRequest& chat) {
  std::vector<Tool> kept;
  for (const json::value& value : allowed) {
    const json::object* object = value.if_object();
    const std::string name = object ? Fields(*object).text("name").value_or("") : "";
    const auto place = std::find_if(chat.tools.begin(), chat.tools.end(), [&](const Tool& tool) { return tool.name == name; });
    if (place == chat.tools.end()) return f.fail("tool_choice.tools", fmt::format("'{}' is not the name of a tool given", name));
    kept.push_back(*place);
  }
  chat.tools = std::move(kept);
}

json::value read_tool_choice(Fields& f, ChatRequest& chat) {
  using Kind = ToolChoice::Kind;
  ToolChoice& tool_choice = chat.tool_choice;
  tool_choice.parallel = f.boolean("parallel_tool_calls", true);
  const json::value* value = f.find("tool_choice");
  if (!value) return json::value("auto");
  std::string mode;
  if (value->is_string()) {
    mode = value->get_string();
  } else if (const json::object* object = value->if_object()) {
    Fields inner(*object);
    const std::string type = inner.text("type").value_or("");
    mode = type;
    if (type == "function") {
      tool_choice.name = inner.text("name").value_or("");
      if (std::none_of(chat.tools.begin(), chat.tools.end(), [&](const Tool& tool) { return tool.name == tool_choice.name; }))
        inner.fail("name", fmt::format("'{}' is not the name of a tool given", tool_choice.name));
    } else if (type == "allowed_tools") {
      mode = inner.text("mode").value_or("");
      const json::array* tools = inner.list("tools");
      if (tools && !inner.error()) keep_allowed(f, *tools, chat);
    }
    tell_inner(f, "tool_choice", inner);
  }
  if (mode == "auto") tool_choice.kind = Kind::kAuto;
  else if (mode == "none") tool_choice.kind = Kind::kNone;
  else if (mode == "required") tool_choice.kind = Kind::kRequired;
  else if (mode == "function") tool_choice.kind = Kind::kNamed;
  else f.fail("tool_choice", "expected auto, none, required, a function or allowed_tools");
  if (tool_choice.kind == Kind::kRequired && chat.tools.empty()) f.fail("tool_choice", "there are no tools to choose from");
  return *value;
}

// ---- the answer ----

json::value read_format(Fields& f, ChatRequest& chat, const json::object& format) {
  Fields inner(format);
  const std::string type = inner.text("type").value_or("");
  if (type == "text") return json::object{{"type", "text"}};
  if (type == "json_object") {
    chat.format = {AnswerFormat::Kind::kJsonObject, {}, "", "text.format"};
    return json::object{{"type", "json_object"}};
  }
  if (type != "json_schema") inner.fail("type", fmt::format("'{}' is not supported; expected text, json_object or json_schema", type));
  const std::string name = inner.text("name").value_or("");
  if (name.empty()) inner.fail("name", "is missing");
  const json::object* schema = inner.object("schema");
  if (!schema) inner.fail("schema", "is missing");
  const auto description = inner.text("description");
  const bool strict = inner.boolean("strict", true);
  tell_inner(f, "text.format", inner);
  if (inner.error()) return nullptr;
  chat.format = {AnswerFormat::Kind::kJsonSchema, *schema, "", "text.format.schema"};
  return json::object{{"type", type}, {"name", name}, {"description", description ? json::value(*description) : json::value(nullptr)}, {"schema", *schema}, {"strict", strict}};
}

json::object read_text(Fields& f, ChatRequest& chat) {
  json::object shown{{"format", {{"type", "text"}}}, {"verbosity", "medium"}};
  const json::object* text = f.object("text");
  if (!text) return shown;
  Fields inner(*text);
  if (const json::object* format = inner.object("format")) shown["format"] = read_format(f, chat, *format);
  constexpr std::string_view kVerbosities[] = {"medium"};
  choice(inner, "verbosity", "medium", kVerbosities);
  tell_inner(f, "text", inner);
  return shown;
}

// How much a model thinks is a matter of its template.
json::object read_reasoning(Fields& f, ChatRequest& chat) {
  json::object shown{{"effort", nullptr}, {"summary", nullptr}};
  const json::object* reasoning = f.object("reasoning");
  if (!reasoning) return shown;
  Fields inner(*reasoning);
  constexpr std::string_view kEfforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};
  if (inner.has("effort")) {
    const std::string effort = choice(inner, "effort", "", kEfforts);
    chat.template_variables["enable_thinking"] = effort != "none";
    if (effort != "none") chat.template_variables["reasoning_effort"] = effort;
    shown["effort"] = effort;
  }
  // What was thought is always told as it is, so there is no summary to make.
  constexpr std::string_view kSummaries[] = {"auto"};
  for (const char* name : {"summary", "generate_summary"})
    if (inner.has(name)) choice(inner, name, "", kSummaries);
  for (const auto& [name, value] : *reasoning)
    if (!value.is_null() && name != "effort" && name != "summary" && name != "generate_summary") inner.fail(name, "is not supported by this server");
  tell_inner(f, "reasoning", inner);
  return shown;
}

void read_sampling(Fields& f, engine::Request& r) {
  if (const auto x = f.number("temperature", 0, 2)) r.sampler.temperature = static_cast<float>(*x);
  if (const auto x = f.number("top_p", 0, 1)) r.sampler.top_p = std::max(static_cast<float>(*x), 1e-6f);
  if (const auto count = f.integer("max_output_tokens", 1, limits::kAnswerTokensMax)) r.max_tokens = static_cast<uint32_t>(*count);
  if (const auto top = f.integer("top_logprobs", 0, 20)) r.sampler.logprobs = static_cast<uint32_t>(*top);
  r.sampler.want_logprobs = r.sampler.logprobs > 0;
  const json::array* include = f.list("include");
  if (!include) return;
  for (const json::value& value : *include) {
    const std::string_view name = value.is_string() ? std::string_view(value.get_string()) : "";
    if (name == "message.output_text.logprobs") r.sampler.want_logprobs = true;
    // Reasoning items carry their text, so they can be given back without anything else.
    else if (name != "reasoning.encrypted_content") f.fail("include", fmt::format("'{}' is not supported; expected message.output_text.logprobs or reasoning.encrypted_content", name));
  }
}

void read_context(Fields& f, ResponseRequest& out) {
  out.previous = f.text("previous_response_id").value_or("");
  if (const json::value* conversation = f.find("conversation")) {
    const json::object* object = conversation->if_object();
    const json::value* id = object ? object->if_contains("id") : conversation;
    if (!id || !id->is_string() || id->get_string().empty()) f.fail("conversation", "expected an id or {\"id\": ...}");
    else out.conversation = id->get_string();
  }
  if (!out.previous.empty() && !out.conversation.empty()) f.fail("previous_response_id", "cannot be used together with conversation");
  constexpr std::string_view kTruncations[] = {"auto", "disabled"};
  out.truncate = choice(f, "truncation", "disabled", kTruncations) == "auto";
}

void read_delivery(Fields& f, ResponseRequest& out) {
  out.store = f.boolean("store", true);
  out.background = f.boolean("background", false);
  out.stream = f.boolean("stream", false);
  if (out.background && !out.store) f.fail("background", "needs store: true");
  constexpr std::string_view kTiers[] = {"auto", "default"};
  choice(f, "service_tier", "auto", kTiers);
  if (const json::object* options = f.object("stream_options")) {
    Fields inner(*options);
    if (inner.boolean("include_obfuscation", false)) inner.fail("include_obfuscation", "is not supported by this server");
    tell_inner(f, "stream_options", inner);
  }
  for (std::string_view name : kAccepted) f.text(name);
}

}  // namespace

std::variant<ResponseRequest, ApiError> read_response_request(const json::object& body, const ServedModel& model) {
  ResponseRequest out;
  Fields f(body);
  refuse_unknown(f, body);
  if (model.embeds()) f.fail("model", "is an embedding model; use /v1/embeddings");
  out.instructions = f.text("instructions").value_or("");
  out.input = read_items(f, "input");
  json::array tools = read_tools(f, out.chat);
  json::value tool_choice = read_tool_choice(f, out.chat);
  json::object text = read_text(f, out.chat);
  json::object reasoning = read_reasoning(f, out.chat);
  read_sampling(f, out.chat.generation);
  read_context(f, out);
  read_delivery(f, out);
  json::object metadata = read_metadata(f);
  if (out.input.empty() && out.previous.empty() && out.conversation.empty() && out.instructions.empty()) f.fail("input", "is missing");
  if (f.error()) return *f.error();
  const auto or_null = [&](const char* name) { return f.has(name) ? *f.find(name) : json::value(nullptr); };
  out.response = {{"id", fresh_id("resp_")},
                  {"object", "response"},
                  {"created_at", std::time(nullptr)},
                  {"status", out.background ? "queued" : "in_progress"},
                  {"background", out.background},
                  {"completed_at", nullptr},
                  {"error", nullptr},
                  {"incomplete_details", nullptr},
                  {"instructions", or_null("instructions")},
                  {"max_output_tokens", or_null("max_output_tokens")},
                  {"metadata", std::move(metadata)},
                  {"model", model.name()},
                  {"output", json::array{}},
                  {"parallel_tool_calls", out.chat.tool_choice.parallel},
                  {"previous_response_id", or_null("previous_response_id")},
                  {"conversation", out.conversation.empty() ? json::value(nullptr) : json::value{{"id", out.conversation}}},
                  {"prompt_cache_key", or_null("prompt_cache_key")},
                  {"reasoning", std::move(reasoning)},
                  {"safety_identifier", or_null("safety_identifier")},
                  {"service_tier", "default"},
                  {"store", out.store},
                  {"temperature", f.number("temperature", 0, 2).value_or(1)},
                  {"text", std::move(text)},
                  {"tool_choice", std::move(tool_choice)},
                  {"tools", std::move(tools)},
                  {"top_logprobs", out.chat.generation.sampler.logprobs},
                  {"top_p", f.number("top_p", 0, 1).value_or(1)},
                  {"truncation", out.truncate ? "auto" : "disabled"},
                  {"usage", nullptr},
                  {"user", or_null("user")}};
  return out;
}

}  // namespace rival::serve
