#include "cmd/settings.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/chat_settings.h"

namespace rival::cmd {
namespace {

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(part.size() + 1, text.size()));
  }
  return parts;
}

std::string_view json_kind(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "true or false";
    case json::kind::int64:
    case json::kind::uint64: return "a whole number";
    case json::kind::double_: return "a number";
    case json::kind::string: return "a string";
    case json::kind::array: return "an array";
    case json::kind::object: return "an object";
  }
  return "";
}

std::string scalar_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  return to_json_text(value);
}

}  // namespace

std::string environment_name(std::string_view name) {
  std::string out = "RIVAL_";
  for (const char c : name) out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string key_name(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

Flag Settings::note(const std::string& group, const std::string& name, Kind kind, CLI::Option* option) {
  settings_.push_back({name, kind, option});
  return Flag(option->group(group));
}

Flag Settings::add(const std::string& group, const std::string& name, std::string& value, const std::string& help) {
  return note(group, name, Kind::kText, app_.add_option("--" + name, value, help)->capture_default_str());
}

Flag Settings::add(const std::string& group, const std::string& name, std::vector<std::string>& value, const std::string& help) {
  return note(group, name, Kind::kList, app_.add_option("--" + name, value, help)->type_size(1)->expected(1, 1 << 20)->allow_extra_args(false)->type_name("TEXT"));
}

Flag Settings::add(const std::string& group, const std::string& name, uint32_t& value, const std::string& help) {
  return note(group, name, Kind::kInteger, app_.add_option("--" + name, value, help)->capture_default_str()->type_name("COUNT"));
}

Flag Settings::add(const std::string& group, const std::string& name, double& value, const std::string& help) {
  return note(group, name, Kind::kNumber, app_.add_option("--" + name, value, help)->capture_default_str()->type_name("NUMBER"));
}

Flag Settings::add(const std::string& group, const std::string& name, bool& value, const std::string& help) {
  return note(group, name, Kind::kBoolean, app_.add_flag("--" + name, value, help));
}

Flag Settings::add_size(const std::string& group, const std::string& name, uint64_t& value, const std::string& help) {
  const auto read = [&value](const std::string& text) {
    const auto bytes = parse_bytes(text);
    if (!bytes.ok()) throw CLI::ValidationError(bytes.error().message);
    value = *bytes;
  };
  return note(group, name, Kind::kSize, app_.add_option_function<std::string>("--" + name, read, help)->type_name("SIZE"));
}

const char* Settings::kind_name(Kind kind) {
  switch (kind) {
    case Kind::kText: return "a string";
    case Kind::kList: return "a string or an array of strings";
    case Kind::kInteger: return "a whole number";
    case Kind::kNumber: return "a number";
    case Kind::kBoolean: return "true or false";
    case Kind::kSize: return "a size such as \"8GB\", or bytes";
  }
  return "";
}

Result<std::vector<std::string>> Settings::texts_of(const json::value& value, Kind kind) {
  const bool whole = value.is_int64() || value.is_uint64();
  bool fits = false;
  switch (kind) {
    case Kind::kText: fits = value.is_string(); break;
    case Kind::kInteger: fits = whole; break;
    case Kind::kNumber: fits = value.is_number(); break;
    case Kind::kBoolean: fits = value.is_bool(); break;
    case Kind::kSize: fits = whole || value.is_string(); break;
    case Kind::kList: fits = value.is_string() || value.is_array(); break;
  }
  if (!fits) return make_error(ErrorCode::kInvalidArgument, "found {}, expected {}", json_kind(value), kind_name(kind));
  if (!value.is_array()) return std::vector<std::string>{scalar_text(value)};
  std::vector<std::string> texts;
  for (const json::value& entry : value.get_array()) {
    if (!entry.is_string()) return make_error(ErrorCode::kInvalidArgument, "found {} in the array, expected {}", json_kind(entry), kind_name(kind));
    texts.emplace_back(entry.get_string());
  }
  return texts;
}

Status Settings::set(Setting& setting, const std::vector<std::string>& texts, const char* source, const std::string& where) {
  if (texts.empty()) return {};
  try {
    for (const std::string& text : texts) setting.option->add_result(text);
    setting.option->run_callback();
  } catch (const CLI::Error& error) {
    return make_error(ErrorCode::kInvalidArgument, "{}: found '{}', expected {} ({})", where, texts.front(), kind_name(setting.kind), error.what());
  }
  setting.source = source;
  return {};
}

Settings::Setting* Settings::find(std::string_view key) {
  const auto place = std::find_if(settings_.begin(), settings_.end(), [&](const Setting& s) { return key_name(s.name) == key; });
  return place == settings_.end() ? nullptr : &*place;
}

Status Settings::read_environment() {
  for (Setting& setting : settings_) {
    if (setting.option->count() > 0) {
      setting.source = "command line";
      continue;
    }
    const std::string variable = environment_name(setting.name);
    const char* value = std::getenv(variable.c_str());
    if (!value || !*value) continue;
    const std::vector<std::string> texts = setting.kind == Kind::kList ? split_list(value) : std::vector<std::string>{value};
    RIVAL_RETURN_IF_ERROR(set(setting, texts, "environment", variable));
  }
  return {};
}

Status Settings::read_file(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(const std::string text, rival::read_file(path, limits::kConfigFileBytesMax));
  return read_text(text, path.string());
}

Status Settings::read_text(std::string_view text, const std::string& file) {
  const auto value = parse_json(text);
  if (!value.ok()) return with_context(value.error(), file);
  if (!value->is_object()) return make_error(ErrorCode::kInvalidArgument, "{}: found {}, expected an object", file, json_kind(*value));
  for (const auto& [key, entry] : value->get_object()) {
    const std::string where = fmt::format("{}: {}", file, std::string_view(key));
    Setting* setting = find(key);
    if (!setting) {
      std::string names;
      for (const Setting& s : settings_) names += (names.empty() ? "" : ", ") + key_name(s.name);
      return make_error(ErrorCode::kInvalidArgument, "{}: is not a setting; expected one of {}", where, names);
    }
    const auto texts = texts_of(entry, setting->kind);
    if (!texts.ok()) return with_context(texts.error(), where);
    if (setting->option->count() == 0) RIVAL_RETURN_IF_ERROR(set(*setting, *texts, "file", where));
  }
  return {};
}

json::array Settings::describe() const {
  json::array rows;
  for (const Setting& setting : settings_) {
    json::value value;
    if (setting.name == "key") {
      value = json::value(setting.option->count() > 0 ? "(secret)" : "");
    } else if (setting.option->count() > 0) {
      const auto& results = setting.option->results();
      value = setting.kind == Kind::kList ? json::value(json::array(results.begin(), results.end())) : json::value(results.back());
    } else {
      value = json::value(setting.option->get_default_str());
    }
    rows.push_back(json::object{{"flag", "--" + setting.name},
                                {"environment", environment_name(setting.name)},
                                {"key", key_name(setting.name)},
                                {"kind", kind_name(setting.kind)},
                                {"source", setting.source},
                                {"value", std::move(value)}});
  }
  return rows;
}

}  // namespace rival::cmd
