// tojson as transformers overrides it (json.dumps without escaping for HTML), and pprint.
#include <algorithm>
#include <cmath>

#include "text/jinja_builtin.h"
#include "text/jinja_ops.h"
#include "text/jinja_string.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

constexpr size_t kPrintWidth = 80;

class JsonWriter {
 public:
  JsonWriter(Runtime& runtime, const Bound& a) : runtime_(runtime) {
    ascii_ = a.flag(1, false);
    indented_ = !a.none(2);
    if (indented_) indent_ = indent_of(a[2]);
    if (!a.none(3)) {
      const Values separators = to_values(runtime, a[3]);
      if (separators.size() != 2) raise(Raised::kValue, "separators must be two strings");
      between_items_ = string_argument(separators[0]);
      behind_key_ = string_argument(separators[1]);
    } else if (indented_) {
      between_items_ = ",";
    }
    sort_keys_ = a.flag(4, false);
  }

  std::string run(const Value& value) {
    write(value);
    return std::move(out_);
  }

 private:
  static std::string indent_of(const Value& value) {
    if (value.is_string()) return std::string(value.text());
    return justify("", integer_argument(value), " ", Align::kLeft);
  }

  void write(const Value& value) {
    runtime_.spend(1);
    runtime_.check_stack();
    Runtime::check_size(out_.size());
    switch (value.kind()) {
      case Kind::kNone: out_ += "null"; return;
      case Kind::kBool: out_ += value.integer() != 0 ? "true" : "false"; return;
      case Kind::kInt: out_ += fmt::format("{}", value.integer()); return;
      case Kind::kLarge: out_ += fmt::format("{}", value.large()); return;
      case Kind::kFloat: out_ += number(value.real()); return;
      case Kind::kString: write_text(value.text()); return;
      case Kind::kList:
      case Kind::kTuple: write_list(value.as<Sequence>().items); return;
      case Kind::kDict: write_dict(value.as<Dict>()); return;
      default: raise(Raised::kType, "Object of type {} is not JSON serializable", type_name(value));
    }
  }

  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    return repr_real(value);
  }

  void escape(char32_t unit) { out_ += fmt::format("\\u{:04x}", static_cast<uint32_t>(unit)); }

  void write_text(std::string_view text) {
    static constexpr std::string_view kFrom = "\"\\\n\r\t\f\b", kTo = "\"\\nrtfb";
    runtime_.spend_bytes(text.size());
    out_ += '"';
    for (size_t at = 0; at < text.size();) {
      const char32_t c = next_code_point(text, at);
      const size_t short_form = c < 0x80 ? kFrom.find(static_cast<char>(c)) : kFrom.npos;
      if (short_form != kFrom.npos) {
        out_ += '\\';
        out_ += kTo[short_form];
      } else if (c < 0x20 || (ascii_ && c >= 0x80 && c < 0x10000)) {
        escape(c);
      } else if (ascii_ && c >= 0x10000) {
        escape(0xD800 + ((c - 0x10000) >> 10));
        escape(0xDC00 + ((c - 0x10000) & 0x3FF));
      } else {
        append_code_point(out_, c);
      }
    }
    out_ += '"';
  }

  void new_line() {
    if (!indented_) return;
    out_ += '\n';
    for (int i = 0; i < depth_; ++i) out_ += indent_;
  }

  void write_list(const Values& items) {
    if (items.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    ++depth_;
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += between_items_;
      new_line();
      write(items[i]);
    }
    --depth_;
    new_line();
    out_ += ']';
  }

  void write_dict(const Dict& dict) {
    if (dict.entries.empty()) {
      out_ += "{}";
      return;
    }
    std::vector<const Dict::Entry*> entries;
    for (const Dict::Entry& entry : dict.entries) entries.push_back(&entry);
    if (sort_keys_)
      std::stable_sort(entries.begin(), entries.end(),
                       [](const auto* a, const auto* b) { return compare(Op::kLess, a->key, b->key); });
    out_ += '{';
    ++depth_;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) out_ += between_items_;
      new_line();
      write_key(entries[i]->key);
      out_ += behind_key_;
      write(entries[i]->value);
    }
    --depth_;
    new_line();
    out_ += '}';
  }

  void write_key(const Value& key) {
    switch (key.kind()) {
      case Kind::kString: write_text(key.text()); return;
      case Kind::kNone: write_text("null"); return;
      case Kind::kBool: write_text(key.integer() != 0 ? "true" : "false"); return;
      case Kind::kInt: write_text(fmt::format("{}", key.integer())); return;
      case Kind::kLarge: write_text(fmt::format("{}", key.large())); return;
      case Kind::kFloat: write_text(number(key.real())); return;
      default: raise(Raised::kType, "keys must be str, int, float, bool or None, not {}", type_name(key));
    }
  }

  Runtime& runtime_;
  bool ascii_ = false, indented_ = false, sort_keys_ = false;
  std::string indent_;
  std::string between_items_ = ", ", behind_key_ = ": ";
  int depth_ = 0;
  std::string out_;
};

Value tojson(Runtime& runtime, const Bound& a) { return runtime.string(JsonWriter(runtime, a).run(a[0])); }

// The value with the keys of its dicts sorted, as pprint shows them.
Value sorted_keys(Runtime& runtime, const Value& value) {
  runtime.check_stack();
  if (value.is(Kind::kList) || value.is(Kind::kTuple)) {
    Values items;
    for (const Value& item : value.as<Sequence>().items) items.push_back(sorted_keys(runtime, item));
    return runtime.make<Sequence>(value.kind(), std::move(items));
  }
  if (!value.is(Kind::kDict)) return value;
  std::vector<const Dict::Entry*> entries;
  for (const Dict::Entry& entry : value.as<Dict>().entries) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto* a, const auto* b) { return compare(Op::kLess, a->key, b->key); });
  const Value sorted = runtime.make<Dict>();
  for (const auto* entry : entries) sorted.as<Dict>().set(entry->key, sorted_keys(runtime, entry->value));
  return sorted;
}

Value pprint(Runtime& runtime, const Bound& a) {
  std::string text = repr(sorted_keys(runtime, a[0]));
  if (count_code_points(text) > kPrintWidth)
    raise(Raised::kUnsupported, "pprint of a value wider than {} characters is not supported", kPrintWidth);
  return runtime.string(std::move(text));
}

constexpr Builtin kJsonFilters[] = {
    {"pprint", "value", pprint},
    {"tojson", "x ensure_ascii? indent? separators? sort_keys?", tojson},
};

}  // namespace

std::span<const Builtin> json_filters() { return kJsonFilters; }

}  // namespace rival::text::jinja
