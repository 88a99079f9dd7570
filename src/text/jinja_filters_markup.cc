// Filters for HTML and URLs, and those that look at any value.
#include "text/jinja_builtin.h"
#include "text/jinja_ops.h"
#include "text/jinja_string.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

Value escape_filter(Runtime& runtime, const Bound& a) { return escape(runtime, a[0]); }

Value force_escape(Runtime& runtime, const Bound& a) { return runtime.string(escape_html(to_text(a[0])), true); }

Value safe(Runtime& runtime, const Bound& a) { return runtime.string(to_text(a[0]), true); }

void append_entity(std::string& out, std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kNamed[] = {
      {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"#39", "'"}, {"#34", "\""},
      {"nbsp", "\u00A0"}};
  for (const auto& [entity, text] : kNamed) {
    if (entity != name) continue;
    out += text;
    return;
  }
  raise(Raised::kUnsupported, "striptags: the entity &{}; is not supported", name);
}

std::string unescape_html(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t length = text[at] == '&' ? text.substr(at, 12).find(';') : text.npos;
    const size_t end = length == text.npos ? text.npos : at + length;
    const bool entity = end != text.npos && length > 1 &&
                        text.substr(at + 1, end - at - 1).find_first_of(" &<>") == text.npos;
    if (!entity) {
      result += text[at++];
      continue;
    }
    append_entity(result, text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return result;
}

// Takes `begin`...`end` out of the text, as often as both are found.
std::string remove_between(std::string text, std::string_view begin, std::string_view end) {
  std::string result;
  size_t at = 0;
  while (true) {
    const size_t from = text.find(begin, at);
    const size_t to = from == text.npos ? text.npos : text.find(end, from);
    if (to == text.npos) return result += text.substr(at);
    result += text.substr(at, from - at);
    at = to + end.size();
  }
}

Value striptags(Runtime& runtime, const Bound& a) {
  const std::string text = remove_between(remove_between(to_text(a[0]), "<!--", "-->"), "<", ">");
  std::string spaced;
  for (const std::string_view word : split_space(text, -1)) {
    if (!spaced.empty()) spaced += ' ';
    spaced += word;
  }
  return runtime.string(unescape_html(spaced));
}

Value xmlattr(Runtime& runtime, const Bound& a) {
  if (!a[0].is(Kind::kDict)) raise_argument(a[0], "a mapping");
  std::string result;
  for (const Dict::Entry& entry : a[0].as<Dict>().entries) {
    if (entry.value.is_none() || entry.value.is_undefined()) continue;
    const std::string_view key = string_argument(entry.key);
    if (key.find_first_of(" \t\n\r\f\v/>=") != key.npos)
      raise(Raised::kValue, "Invalid character in attribute name: {}", repr_text(key));
    if (!result.empty()) result += ' ';
    result += escape(runtime, entry.key).text();
    result += "=\"";
    result += escape(runtime, entry.value).text();
    result += '"';
  }
  if (a.flag(1, true) && !result.empty()) result.insert(0, " ");
  return runtime.string(std::move(result));
}

std::string quote_url(std::string_view text, bool query) {
  static constexpr std::string_view kSafe = "_.-~";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (is_alnum(byte) || kSafe.find(c) != kSafe.npos || (c == '/' && !query)))
      result += c;
    else if (c == ' ' && query)
      result += '+';
    else
      result += fmt::format("%{:02X}", byte);
  }
  return result;
}

Value urlencode(Runtime& runtime, const Bound& a) {
  if (a[0].is_string() || !iterable(a[0])) return runtime.string(quote_url(to_text(a[0]), false));
  const Value pairs = a[0].is(Kind::kDict) ? runtime.make<DictView>(a[0], DictView::Part::kItems) : a[0];
  std::string result;
  for (const Value& pair : to_values(runtime, pairs)) {
    const Values parts = to_values(runtime, pair);
    if (parts.size() != 2) raise(Raised::kValue, "urlencode: expected pairs, got {} values", parts.size());
    if (!result.empty()) result += '&';
    result += quote_url(to_text(parts[0]), true) + "=" + quote_url(to_text(parts[1]), true);
  }
  return runtime.string(std::move(result));
}

Value urlize(Runtime&, const Bound&) { raise(Raised::kUnsupported, "the filter urlize is not supported"); }

Value default_filter(Runtime& runtime, const Bound& a) {
  if (!a[0].is_undefined() && (!a.flag(2, false) || truth(a[0]))) return a[0];
  return a.given(1) ? a[1] : runtime.string("");
}

Value attr(Runtime& runtime, const Bound& a) {
  const std::string_view name = string_argument(a[1]);
  const Value value = python_attribute(runtime, a[0], name);
  if (!value.missing()) return value;
  return runtime.undefined(
      fmt::format("{} has no attribute {}", repr_text(type_description(a[0])), repr_text(name)));
}

constexpr Builtin kMarkupFilters[] = {
    {"attr", "obj name", attr},
    {"d", "value default_value? boolean?", default_filter},
    {"default", "value default_value? boolean?", default_filter},
    {"e", "/s", escape_filter},
    {"escape", "/s", escape_filter},
    {"forceescape", "value", force_escape},
    {"safe", "value", safe},
    {"striptags", "value", striptags},
    {"urlencode", "value", urlencode},
    {"urlize", "value trim_url_limit? nofollow? target? rel? extra_schemes?", urlize},
    {"xmlattr", "d autospace?", xmlattr},
};

}  // namespace

std::span<const Builtin> markup_filters() { return kMarkupFilters; }

}  // namespace rival::text::jinja
