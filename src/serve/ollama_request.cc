#include "serve/ollama_request.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "serve/fields.h"

namespace rival::serve {
namespace {

// Errors of a part of the body are told under the part's name.
void adopt(Fields& f, std::string_view place, const Fields& part) {
  if (part.error()) f.fail(place, part.error()->message);
}

void read_sampling(Fields& o, engine::SamplerParams& s) {
  const auto number = [&](std::string_view name, double min, double max, double otherwise) {
    return static_cast<float>(o.number(name, min, max).value_or(otherwise));
  };
  s.temperature = number("temperature", 0, 100, 0.8);
  s.top_k = static_cast<uint32_t>(std::max<int64_t>(o.integer("top_k", -1, INT32_MAX).value_or(40), 0));
  s.top_p = std::max(number("top_p", 0, 1, 0.9), 1e-6f);
  s.min_p = number("min_p", 0, 1, 0);
  s.typical_p = std::max(number("typical_p", 0, 1, 1), 1e-6f);
  s.repetition_penalty = number("repeat_penalty", 0.01, 10, 1.1);
  s.penalty_last_n = static_cast<int32_t>(o.integer("repeat_last_n", -1, INT32_MAX).value_or(64));
  s.presence_penalty = number("presence_penalty", -2, 2, 0);
  s.frequency_penalty = number("frequency_penalty", -2, 2, 0);
  if (const auto seed = o.integer("seed", -(int64_t{1} << 53), int64_t{1} << 53); seed && *seed != 0)
    s.seed = static_cast<uint64_t>(*seed);  // 0: another text every time, as without one
}

void read_stops(Fields& o, engine::Request& r) {
  const json::value* stop = o.find("stop");
  if (!stop) return;
  const json::array one(1, *stop);
  const json::array& all = stop->is_array() ? stop->get_array() : one;
  if (all.size() > limits::kStopStringsMax) return o.fail("stop", fmt::format("at most {} strings", limits::kStopStringsMax));
  for (const json::value& text : all) {
    if (!text.is_string() || text.get_string().empty()) return o.fail("stop", "expected strings that are not empty");
    r.stop.emplace_back(text.get_string());
  }
}

// Options that would change the answer and are not honoured; those of the machine (num_gpu, num_thread, num_batch,
// use_mmap, ...) do not matter here.
void refuse_options(Fields& o) {
  if (o.number("mirostat", 0, 2).value_or(0) != 0) o.fail("mirostat", "is not supported by this server");
  if (o.number("tfs_z", 0, 100).value_or(1) != 1) o.fail("tfs_z", "is not supported by this server");
}

void read_options(Fields& f, OllamaRequest& out) {
  const json::object none;
  const json::object* options = f.object("options");
  Fields o(options ? *options : none);
  engine::Request& r = out.chat.generation;
  read_sampling(o, r.sampler);
  read_stops(o, r);
  refuse_options(o);
  // -1: without end, -2: until the context is full; both end there.
  if (const auto count = o.integer("num_predict", -2, limits::kAnswerTokensMax); count && *count >= 0)
    r.max_tokens = static_cast<uint32_t>(*count);
  if (const auto context = o.integer("num_ctx", 1, limits::kContextMax)) out.context = static_cast<uint32_t>(*context);
  if (const auto keep = o.integer("num_keep", -1, limits::kContextMax); keep && *keep > 0) r.keep_tokens = static_cast<uint32_t>(*keep);
  adopt(f, "options", o);
}

void read_format(Fields& f, ChatRequest& chat) {
  const json::value* format = f.find("format");
  if (!format || *format == json::string("")) return;
  if (*format == json::string("json")) {
    chat.format = {AnswerFormat::Kind::kJsonObject, {}, "", "format"};
  } else if (format->is_object()) {
    chat.format = {AnswerFormat::Kind::kJsonSchema, *format, "", "format"};
  } else {
    f.fail("format", "expected \"json\" or a JSON Schema");
  }
}

void read_think(Fields& f, ChatRequest& chat) {
  const json::value* think = f.find("think");
  if (!think) return;
  if (think->is_bool()) {
    chat.template_variables["enable_thinking"] = *think;
  } else if (*think == json::string("low") || *think == json::string("medium") || *think == json::string("high")) {
    chat.template_variables["enable_thinking"] = true;
    chat.template_variables["reasoning_effort"] = *think;
  } else {
    f.fail("think", "expected true, false, \"low\", \"medium\" or \"high\"");
  }
}

void read_logprobs(Fields& f, engine::SamplerParams& s) {
  s.want_logprobs = f.boolean("logprobs", false);
  s.logprobs = static_cast<uint32_t>(f.integer("top_logprobs", 0, 20).value_or(0));
  if (s.logprobs > 0 && !s.want_logprobs) f.fail("top_logprobs", "needs logprobs: true");
}

// "5m", "1h30m", "-1": in seconds.
std::optional<double> parse_duration(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"ns", 1e-9}, {"us", 1e-6}, {"\u00b5s", 1e-6}, {"\u03bcs", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  double sum = 0;
  if (text.empty()) return std::nullopt;
  for (bool first = true; !text.empty(); first = false) {
    if (!std::isdigit(static_cast<unsigned char>(text.front())) && text.front() != '.') return std::nullopt;
    double amount = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
    if (code != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (first && text.empty()) return negative ? -amount : amount;
    const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits), [&](const auto& u) { return text.starts_with(u.first); });
    if (unit == std::end(kUnits)) return std::nullopt;
    text.remove_prefix(unit->first.size());
    sum += amount * unit->second;
  }
  return negative ? -sum : sum;
}

void read_common(Fields& f, OllamaRequest& out) {
  out.model = f.text("model").value_or("");
  if (out.model.empty()) f.fail("model", "is missing");
  out.stream = f.boolean("stream", true);
  out.keep_s = read_keep_alive(f);
  read_options(f, out);
  read_format(f, out.chat);
  read_think(f, out.chat);
  read_logprobs(f, out.chat.generation.sampler);
}

void refuse_images(Fields& f, const std::string& place) {
  const json::array* images = f.list("images");
  if (images && !images->empty()) f.fail("images", place + "images are not understood: this server reads text only");
}

void read_tools(Fields& f, ChatRequest& chat) {
  const json::array* tools = f.list("tools");
  if (!tools) return;
  if (tools->size() > limits::kToolsMax) return f.fail("tools", fmt::format("at most {} tools", limits::kToolsMax));
  for (size_t i = 0; !f.error() && i < tools->size(); ++i) {
    const std::string place = fmt::format("tools[{}]", i);
    const json::object* tool = (*tools)[i].if_object();
    const json::value* function = tool ? tool->if_contains("function") : nullptr;
    if (!function || !function->is_object()) return f.fail(place, "expected {\"type\": \"function\", \"function\": {...}}");
    Fields inner(function->get_object());
    const std::string name = inner.text("name").value_or("");
    if (name.empty() || name.size() > limits::kToolNameBytesMax) inner.fail("name", "expected 1 to 128 bytes");
    if (std::any_of(chat.tools.begin(), chat.tools.end(), [&](const Tool& t) { return t.name == name; }))
      inner.fail("name", fmt::format("there are two tools named '{}'", name));
    const std::string description = inner.text("description").value_or("");
    const json::object* parameters = inner.object("parameters");
    adopt(f, place + ".function", inner);
    chat.tools.push_back({name, description, parameters ? *parameters : json::object()});
  }
}

// The calls of an assistant's message: arguments are objects here and text in templates' messages.
json::array read_calls(Fields& message) {
  json::array out;
  const json::array* calls = message.list("tool_calls");
  for (size_t i = 0; calls && i < calls->size(); ++i) {
    const json::object* call = (*calls)[i].if_object();
    const json::value* function = call ? call->if_contains("function") : nullptr;
    const json::value* name = function && function->is_object() ? function->get_object().if_contains("name") : nullptr;
    const json::value* arguments = name ? function->get_object().if_contains("arguments") : nullptr;
    if (!name || !name->is_string()) {
      message.fail("tool_calls", "expected [{\"function\": {\"name\": ..., \"arguments\": {...}}}]");
      return out;
    }
    const json::value* id = call->if_contains("id");
    std::string text = "{}";
    if (arguments && arguments->is_string()) text = arguments->get_string();
    else if (arguments && !arguments->is_null()) text = to_json_text(*arguments);
    out.push_back(json::object{{"id", id && id->is_string() ? *id : json::value(fmt::format("call_{}", i))},
                               {"type", "function"},
                               {"function", {{"name", *name}, {"arguments", std::move(text)}}}});
  }
  return out;
}

json::object read_message(const json::object& object, Fields& f, const std::string& place) {
  Fields m(object);
  json::object out;
  const std::string role = m.text("role").value_or("");
  if (role != "system" && role != "user" && role != "assistant" && role != "tool") m.fail("role", "expected system, user, assistant or tool");
  out["role"] = role;
  out["content"] = m.text("content").value_or("");
  if (const auto thinking = m.text("thinking"); thinking && !thinking->empty()) out["reasoning_content"] = *thinking;
  if (const auto name = m.text("tool_name")) out["name"] = *name;
  if (const auto id = m.text("tool_call_id")) out["tool_call_id"] = *id;
  json::array calls = read_calls(m);
  if (!calls.empty()) out["tool_calls"] = std::move(calls);
  refuse_images(m, "");
  adopt(f, place, m);
  return out;
}

void read_messages(Fields& f, OllamaRequest& out) {
  const json::array* messages = f.list("messages");
  if (messages && messages->size() > limits::kMessagesMax) return f.fail("messages", fmt::format("at most {} messages", limits::kMessagesMax));
  for (size_t i = 0; messages && !f.error() && i < messages->size(); ++i) {
    const std::string place = fmt::format("messages[{}]", i);
    const json::object* message = (*messages)[i].if_object();
    if (!message) return f.fail(place, fmt::format("expected an object, found {}", kind_of((*messages)[i])));
    out.chat.messages.push_back(read_message(*message, f, place));
  }
  out.load_only = out.chat.messages.empty();
  if (out.load_only) return;
  const json::object& last = out.chat.messages.back().get_object();
  out.chat.continue_last = last.at("role") == json::string("assistant") && !last.contains("tool_calls");
}

}  // namespace

std::optional<double> read_keep_alive(Fields& f) {
  const json::value* keep = f.find("keep_alive");
  if (!keep) return std::nullopt;
  std::optional<double> seconds;
  if (keep->is_number()) seconds = keep->to_number<double>();
  if (keep->is_string()) seconds = parse_duration(keep->get_string());
  if (!seconds) f.fail("keep_alive", "expected seconds or a duration such as \"5m\"");
  return seconds && *seconds > limits::kKeepSecondsMax ? -1 : seconds;
}

std::variant<OllamaRequest, ApiError> read_ollama_chat(const json::object& body) {
  Fields f(body);
  OllamaRequest out;
  read_common(f, out);
  if (!f.error()) read_messages(f, out);
  read_tools(f, out.chat);
  if (f.boolean("truncate", false)) out.chat.generation.overflow = engine::OverflowPolicy::kTruncateLeft;
  if (f.error()) return *f.error();
  return out;
}

std::variant<OllamaRequest, ApiError> read_ollama_generate(const json::object& body) {
  Fields f(body);
  OllamaRequest out;
  read_common(f, out);
  refuse_images(f, "");
  if (const auto text = f.text("template"); text && !text->empty()) f.fail("template", "the model's own template is used; another one needs raw: true and a prompt that is written out");
  if (const json::array* context = f.list("context"); context && !context->empty()) f.fail("context", "is not kept by this server; send the conversation to /api/chat");
  const std::string prompt = f.text("prompt").value_or(""), system = f.text("system").value_or("");
  if (const auto suffix = f.text("suffix"); suffix && !suffix->empty()) out.suffix = *suffix;
  if (f.boolean("truncate", false)) out.chat.generation.overflow = engine::OverflowPolicy::kTruncateLeft;
  const bool raw = f.boolean("raw", false);
  out.load_only = prompt.empty() && !out.suffix;
  if (raw || out.suffix) {
    out.raw = prompt;
    if (!system.empty()) f.fail("system", "cannot be combined with raw or suffix");
  } else {
    if (!system.empty()) out.chat.messages.push_back(json::object{{"role", "system"}, {"content", system}});
    out.chat.messages.push_back(json::object{{"role", "user"}, {"content", prompt}});
  }
  if (f.error()) return *f.error();
  return out;
}

std::string ollama_model_name(std::string_view name) {
  constexpr std::string_view kLatest = ":latest";
  if (name.ends_with(kLatest) && !name.starts_with("ollama:")) name.remove_suffix(kLatest.size());
  return std::string(name);
}

}  // namespace rival::serve
