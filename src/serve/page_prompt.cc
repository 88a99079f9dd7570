#include "serve/page_prompt.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/limits.h"
#include "serve/generation.h"

namespace rival::serve {
namespace {

// What a setting is; its range is looked at where an answer is asked for.
enum class SettingKind : uint8_t { kNumber, kText, kFlag, kTexts, kObjects };

struct PageSetting {
  std::string_view name;
  SettingKind kind;
};

constexpr PageSetting kSettings[] = {
    {"model", SettingKind::kText},
    {"temperature", SettingKind::kNumber},
    {"top_p", SettingKind::kNumber},
    {"top_k", SettingKind::kNumber},
    {"min_p", SettingKind::kNumber},
    {"repetition_penalty", SettingKind::kNumber},
    {"presence_penalty", SettingKind::kNumber},
    {"frequency_penalty", SettingKind::kNumber},
    {"max_tokens", SettingKind::kNumber},
    {"seed", SettingKind::kNumber},
    {"stop", SettingKind::kTexts},
    {"thinking", SettingKind::kFlag},
    {"reasoning_effort", SettingKind::kText},
    {"tools", SettingKind::kObjects},
    {"tool_choice", SettingKind::kText},
};

bool all_of(const json::value& value, bool (*fits)(const json::value& item)) {
  const json::array* items = value.if_array();
  return items && std::all_of(items->begin(), items->end(), fits);
}

bool fits(SettingKind kind, const json::value& value) {
  if (value.is_null()) return true;
  switch (kind) {
    case SettingKind::kNumber: return value.is_number();
    case SettingKind::kText: return value.is_string();
    case SettingKind::kFlag: return value.is_bool();
    case SettingKind::kTexts: return all_of(value, [](const json::value& item) { return item.is_string(); });
    case SettingKind::kObjects: return all_of(value, [](const json::value& item) { return item.is_object(); });
  }
  return false;
}

std::string_view to_text(SettingKind kind) {
  switch (kind) {
    case SettingKind::kNumber: return "a number";
    case SettingKind::kText: return "a string";
    case SettingKind::kFlag: return "true or false";
    case SettingKind::kTexts: return "a list of strings";
    case SettingKind::kObjects: return "a list of objects";
  }
  return "";
}

constexpr uint32_t kRoomWanted = 512;  // tokens of an answer without max_tokens, where messages are left out to make room

// Careful values where neither the chat nor the model's makers say anything: small models wander at temperature 1.
constexpr float kTemperature = 0.7f, kTopP = 0.95f;

std::string fence_for(std::string_view text) {
  std::string fence = "```";
  while (text.find(fence) != std::string_view::npos) fence += '`';
  return fence;
}

std::string user_content(const PageMessage& m) {
  std::string content;
  for (const PageAttachment& a : m.attachments) {
    if (a.text.empty()) continue;  // an export names its files without what they hold
    const std::string fence = fence_for(a.text);
    content += fmt::format("{}:\n{}\n{}{}{}\n\n", a.name, fence, a.text, a.text.ends_with('\n') ? "" : "\n", fence);
  }
  return content + m.text;
}

json::array template_calls(const json::value& calls) {
  json::array out;
  if (const json::array* rows = calls.if_array())
    for (const json::value& row : *rows)
      if (const json::object* call = row.if_object(); call && call->contains("name") && call->contains("arguments"))
        out.push_back(json::object{{"id", call->contains("id") ? call->at("id") : json::value("")},
                                   {"type", "function"},
                                   {"function", {{"name", call->at("name")}, {"arguments", call->at("arguments")}}}});
  return out;
}

json::object template_message(const PageMessage& m) {
  json::object out = {{"role", m.role}, {"content", m.role == "user" ? user_content(m) : m.text}};
  if (!m.reasoning.empty()) out["reasoning_content"] = m.reasoning;
  if (const json::value* calls = m.more.if_contains("tool_calls"); calls && m.role == "assistant") {
    json::array rows = template_calls(*calls);
    if (!rows.empty()) out["tool_calls"] = std::move(rows);
  }
  if (const json::value* id = m.more.if_contains("tool_call_id"); id && m.role == "tool") out["tool_call_id"] = *id;
  return out;
}

void read_tools(Fields& fields, ChatRequest& request) {
  const json::array* tools = fields.list("tools");
  for (size_t i = 0; tools && i < tools->size(); ++i) {
    const json::object* outer = (*tools)[i].if_object();
    const json::value* inner = outer ? outer->if_contains("function") : nullptr;
    const json::object* function = inner ? inner->if_object() : nullptr;
    static const json::object kNone;
    Fields f(function ? *function : kNone);  // which keeps no copy
    const auto name = f.text("name");
    const auto description = f.text("description");
    const json::object* parameters = f.object("parameters");
    if (!name || f.error()) return fields.fail(fmt::format("tools[{}]", i), "expected {\"type\": \"function\", \"function\": {\"name\", \"description\", \"parameters\"}}");
    request.tools.push_back({*name, description.value_or(""), parameters ? *parameters : json::object()});
  }
  const json::value* choice = fields.find("tool_choice");
  if (!choice) return;
  static const std::map<std::string_view, ToolChoice::Kind> kKinds = {{"auto", ToolChoice::Kind::kAuto}, {"none", ToolChoice::Kind::kNone}, {"required", ToolChoice::Kind::kRequired}};
  const auto kind = choice->is_string() ? kKinds.find(std::string_view(choice->get_string())) : kKinds.end();
  if (kind == kKinds.end()) return fields.fail("tool_choice", "expected auto, none or required");
  request.tool_choice.kind = kind->second;
}

std::optional<ApiError> read_settings(const ServedModel& model, const json::object& settings, ChatRequest& request) {
  Fields fields(settings);
  read_generation(fields, model, request.generation);
  const engine::SamplerParams advised = model.default_sampling(), plain;
  if (advised.temperature == plain.temperature && advised.top_p == plain.top_p && advised.top_k == plain.top_k) {
    if (!fields.has("temperature")) request.generation.sampler.temperature = kTemperature;
    if (!fields.has("top_p")) request.generation.sampler.top_p = kTopP;
  }
  read_tools(fields, request);
  if (fields.has("thinking")) request.template_variables["enable_thinking"] = fields.boolean("thinking", true);
  if (const auto effort = fields.text("reasoning_effort")) request.template_variables["reasoning_effort"] = *effort;
  request.generation.sampler.want_logprobs = true;
  request.generation.sampler.logprobs = 5;
  return fields.error();
}

void set_messages(ChatRequest& request, const std::string& system, const std::vector<PageMessage>& branch, size_t first) {
  request.messages.clear();
  if (!system.empty()) request.messages.push_back(json::object{{"role", "system"}, {"content", system}});
  for (size_t i = first; i < branch.size(); ++i) request.messages.push_back(template_message(branch[i]));
}

// The user's messages that a shortened prompt may begin with, oldest first.
std::vector<size_t> beginnings(const std::vector<PageMessage>& branch) {
  std::vector<size_t> out = {0};
  for (size_t i = 1; i < branch.size(); ++i)
    if (branch[i].role == "user") out.push_back(i);
  return out;
}

}  // namespace

std::optional<ApiError> check_page_settings(const json::object& settings) {
  for (const auto& [name, value] : settings) {
    const auto row = std::find_if(std::begin(kSettings), std::end(kSettings), [&](const PageSetting& s) { return s.name == std::string_view(name); });
    const std::string field = fmt::format("settings.{}", std::string_view(name));
    if (row == std::end(kSettings)) {
      std::string names;
      for (const PageSetting& known : kSettings) names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
      return bad_field(field, fmt::format("is no setting; there are {}", names));
    }
    if (!fits(row->kind, value)) return bad_field(field, fmt::format("expected {}, found {}", to_text(row->kind), kind_of(value)));
  }
  if (to_json_text(settings).size() > limits::kPageSettingsBytesMax) return bad_field("settings", fmt::format("more than {} bytes", limits::kPageSettingsBytesMax));
  return std::nullopt;
}

json::object merged_settings(const json::object& base, const json::object& over) {
  json::object out = base;
  for (const auto& [name, value] : over) out[name] = value;
  return out;
}

std::variant<std::vector<PageMessage>, ApiError> page_branch(const std::vector<PageMessage>& messages, std::optional<int64_t> leaf) {
  std::map<int64_t, const PageMessage*> by_id;
  for (const PageMessage& m : messages) by_id[m.id] = &m;
  std::vector<PageMessage> branch;
  // Parents are older than their children, so this ends whatever the database holds.
  for (std::optional<int64_t> at = leaf; at;) {
    const auto place = by_id.find(*at);
    if (place == by_id.end()) return ApiError{404, "not_found_error", fmt::format("the message {} is not in this chat", *at), "parent", "not_found"};
    if (place->second->state == "running") return ApiError{409, "invalid_request_error", fmt::format("the message {} is still being written", *at), "parent", "running"};
    branch.push_back(*place->second);
    const auto parent = place->second->parent;
    at = parent && *parent < *at ? parent : std::nullopt;
  }
  std::reverse(branch.begin(), branch.end());
  return branch;
}

std::variant<PagePrompt, ApiError> make_page_prompt(const std::shared_ptr<ServedModel>& model, const std::vector<PageMessage>& branch,
                                                    const PagePromptOptions& options) {
  PagePrompt prompt;
  if (model->embeds()) return bad_field("model", "is an embedding model; it does not write text");
  if (auto error = read_settings(*model, options.settings, prompt.request)) return std::move(*error);
  prompt.request.continue_last = options.continue_last;
  const uint32_t context = model->engine().context_limit();
  const uint32_t room = std::min(prompt.request.generation.max_tokens.value_or(kRoomWanted), context / 4);
  const auto fill = [&](size_t first) -> std::optional<ApiError> {
    set_messages(prompt.request, options.system, branch, first);
    auto ids = chat_prompt(*model, prompt.request);
    if (auto* error = std::get_if<ApiError>(&ids)) return std::move(*error);
    prompt.tokens = static_cast<uint32_t>(std::get<0>(ids).size());
    return std::nullopt;
  };
  if (auto error = fill(0)) return std::move(*error);
  const uint32_t whole = prompt.tokens;
  if (!options.allow_drop || whole + room <= context) {
    if (auto error = check_prompt_size(*model, whole); error && !options.count_only) return std::move(*error);
    return prompt;
  }
  // The latest beginning always loses most: the first one that fits is looked for by halves.
  const std::vector<size_t> starts = beginnings(branch);
  size_t low = 1, high = starts.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (auto error = fill(starts[middle])) return std::move(*error);
    if (prompt.tokens + room <= context) high = middle;
    else low = middle + 1;
  }
  const size_t first = starts[std::min(low, starts.size() - 1)];
  if (auto error = fill(first)) return std::move(*error);
  if (auto error = check_prompt_size(*model, prompt.tokens); error && !options.count_only) return std::move(*error);
  for (size_t i = 0; i < first; ++i) prompt.dropped.push_back(i);
  if (options.count_only) prompt.tokens = whole;
  return prompt;
}

}  // namespace rival::serve
