#include <charconv>
#include <cmath>

#include "text/jinja_builtin.h"
#include "text/jinja_loop.h"
#include "text/jinja_ops.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

// Python writes a float without an exponent within these powers of ten.
constexpr int kReprExponentMin = -4, kReprExponentMax = 16;

void append_repr(std::string& out, const Value& value);

void append_escape(std::string& out, char32_t c) {
  const auto code = static_cast<uint32_t>(c);
  if (c < 0x100)
    out += fmt::format("\\x{:02x}", code);
  else
    out += c < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
}

void append_repr_text(std::string& out, std::string_view text) {
  const bool double_quotes = text.find('\'') != text.npos && text.find('"') == text.npos;
  const char quote = double_quotes ? '"' : '\'';
  out += quote;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_printable(c)) {
      append_code_point(out, c);
    } else {
      append_escape(out, c);
    }
  }
  out += quote;
}

void append_items(std::string& out, const Values& items) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    append_repr(out, items[i]);
  }
}

void append_dict(std::string& out, const Dict& dict) {
  out += '{';
  for (size_t i = 0; i < dict.entries.size(); ++i) {
    if (i > 0) out += ", ";
    append_repr(out, dict.entries[i].key);
    out += ": ";
    append_repr(out, dict.entries[i].value);
  }
  out += '}';
}

void append_view(std::string& out, const DictView& view) {
  const auto& entries = view.dict.as<Dict>().entries;
  out += type_name(Value(const_cast<DictView*>(&view)));
  out += "([";
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0) out += ", ";
    if (view.part == DictView::Part::kItems) out += '(';
    if (view.part != DictView::Part::kValues) append_repr(out, entries[i].key);
    if (view.part == DictView::Part::kItems) out += ", ";
    if (view.part != DictView::Part::kKeys) append_repr(out, entries[i].value);
    if (view.part == DictView::Part::kItems) out += ')';
  }
  out += "])";
}

void append_range(std::string& out, const Range& range) {
  out += fmt::format("range({}, {}", range.start, range.stop);
  if (range.step != 1) out += fmt::format(", {}", range.step);
  out += ')';
}

void append_object(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::kList:
      out += '[';
      append_items(out, value.as<Sequence>().items);
      out += ']';
      return;
    case Kind::kTuple:
      out += '(';
      append_items(out, value.as<Sequence>().items);
      out += value.as<Sequence>().items.size() == 1 ? ",)" : ")";
      return;
    case Kind::kDict: append_dict(out, value.as<Dict>()); return;
    case Kind::kDictView: append_view(out, value.as<DictView>()); return;
    case Kind::kRange: append_range(out, value.as<Range>()); return;
    case Kind::kNamespace:
      out += "<Namespace ";
      append_repr(out, value.as<Namespace>().attributes);
      out += '>';
      return;
    case Kind::kMacro: out += describe_macro(value); return;
    case Kind::kLoop: out += describe_loop(value); return;
    case Kind::kFunction: out += fmt::format("<function {}>", value.as<Function>().builtin.name); return;
    case Kind::kMethod:
      out += fmt::format("<built-in method {} of {}>", value.as<Method>().builtin.name,
                         type_description(value.as<Method>().self));
      return;
    default: out += fmt::format("<{}>", type_description(value)); return;
  }
}

void append_repr(std::string& out, const Value& value) {
  Runtime::check_size(out.size());
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined: out += "Undefined"; return;
    case Kind::kNone: out += "None"; return;
    case Kind::kBool: out += value.integer() != 0 ? "True" : "False"; return;
    case Kind::kInt: fmt::format_to(std::back_inserter(out), "{}", value.integer()); return;
    case Kind::kLarge: fmt::format_to(std::back_inserter(out), "{}", value.large()); return;
    case Kind::kFloat: out += repr_real(value.real()); return;
    case Kind::kString:
      value.object()->runtime.spend_bytes(value.text().size());
      if (value.as<String>().markup) out += "Markup(";
      append_repr_text(out, value.text());
      if (value.as<String>().markup) out += ')';
      return;
    default: break;
  }
  value.object()->runtime.spend(1);
  value.object()->runtime.check_stack();
  append_object(out, value);
}

}  // namespace

std::string repr_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), end, exponent);
  if (exponent < kReprExponentMin || exponent >= kReprExponentMax) return std::string(text);
  char fixed[40];
  const auto fixed_end = std::to_chars(fixed, fixed + sizeof(fixed), value, std::chars_format::fixed).ptr;
  std::string result(fixed, fixed_end);
  if (result.find('.') == result.npos) result += ".0";
  return result;
}

std::string repr_text(std::string_view text) {
  std::string result;
  append_repr_text(result, text);
  return result;
}

std::string repr(const Value& value) {
  std::string result;
  append_repr(result, value);
  return result;
}

std::string repr_ascii(const Value& value) {
  const std::string text = repr(value);
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (c < 0x80)
      result += static_cast<char>(c);
    else
      append_escape(result, c);
  }
  return result;
}

void append_text(std::string& out, const Value& value) {
  if (value.is_string())
    out += value.text();
  else if (!value.is_undefined() && !value.missing())
    append_repr(out, value);
}

std::string to_text(const Value& value) {
  std::string result;
  append_text(result, value);
  return result;
}

std::string_view type_name(const Value& value) {
  static constexpr std::string_view kViews[] = {"dict_keys", "dict_values", "dict_items"};
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined: return "Undefined";
    case Kind::kNone: return "NoneType";
    case Kind::kBool: return "bool";
    case Kind::kInt:
    case Kind::kLarge: return "int";
    case Kind::kFloat: return "float";
    case Kind::kString: return value.as<String>().markup ? "Markup" : "str";
    case Kind::kList: return "list";
    case Kind::kTuple: return "tuple";
    case Kind::kDict: return "dict";
    case Kind::kDictView: return kViews[static_cast<int>(value.as<DictView>().part)];
    case Kind::kRange: return "range";
    case Kind::kIterator: return value.as<Iterator>().type_name;
    case Kind::kNamespace: return "Namespace";
    case Kind::kMacro: return "Macro";
    case Kind::kLoop: return "LoopContext";
    case Kind::kFunction: return "function";
    case Kind::kMethod: return "builtin_function_or_method";
    case Kind::kCycler: return "Cycler";
    case Kind::kJoiner: return "Joiner";
    case Kind::kActivation: break;
  }
  return "object";
}

std::string type_description(const Value& value) {
  if (value.is_none()) return "None";
  return fmt::format("{} object", type_name(value));
}

std::string escape_html(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '\'': result += "&#39;"; break;
      case '"': result += "&#34;"; break;
      default: result += c;
    }
  }
  return result;
}

Value escape(Runtime& runtime, const Value& value) {
  if (value.is_string() && value.as<String>().markup) return value;
  return runtime.string(escape_html(to_text(value)), true);
}

}  // namespace rival::text::jinja
