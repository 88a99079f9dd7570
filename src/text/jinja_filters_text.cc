// Filters on text.
#include <algorithm>

#include "text/jinja_builtin.h"
#include "text/jinja_format.h"
#include "text/jinja_ops.h"
#include "text/jinja_string.h"
#include "text/jinja_unicode.h"
#include "text/jinja_wrap.h"

namespace rival::text::jinja {
namespace {

template <std::string (*kChange)(std::string_view)>
Value changed(Runtime& runtime, const Bound& a) {
  const Value text = soft_string(runtime, a[0]);
  return runtime.string(kChange(text.text()), text.as<String>().markup);
}

bool separates_words(char32_t c) {
  return c == '-' || c == '(' || c == '{' || c == '[' || c == '<' || is_space(c);
}

// Unlike str.title: only white space, hyphens and opening brackets begin a word.
std::string title_words(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const bool separators = separates_words(next_code_point(text, at));
    const size_t first_end = at;
    for (size_t after = at; after < text.size() && separates_words(next_code_point(text, after)) == separators;)
      at = after;
    result += to_upper(text.substr(start, first_end - start));
    result += to_lower(text.substr(first_end, at - first_end));
  }
  return result;
}

Value trim(Runtime& runtime, const Bound& a) {
  const Value text = soft_string(runtime, a[0]);
  const std::string_view stripped =
      a.none(1) ? strip(text.text(), true, true) : strip(text.text(), string_argument(a[1]), true, true);
  return runtime.string(std::string(stripped), text.as<String>().markup);
}

Value replace(Runtime& runtime, const Bound& a) {
  const std::string text = to_text(a[0]), from = to_text(a[1]), to = to_text(a[2]);
  runtime.spend_bytes(text.size());
  return runtime.string(replace_text(text, from, to, a.none(3) ? -1 : integer_argument(a[3])));
}

Value format(Runtime& runtime, const Bound& a) {
  if (!a.rest.empty() && !a.keywords.empty())
    raise(Raised::kRuntime, "can't handle positional and keyword arguments at the same time");
  const Value text = soft_string(runtime, a[0]);
  if (a.keywords.empty()) return format_percent(runtime, text, runtime.tuple(a.rest));
  const Value mapping = runtime.make<Dict>();
  for (const auto& [name, value] : a.keywords) mapping.as<Dict>().set(name, value);
  return format_percent(runtime, text, mapping);
}

Value center(Runtime& runtime, const Bound& a) {
  const Value text = soft_string(runtime, a[0]);
  return runtime.string(justify(text.text(), a.integer(1, 80), " ", Align::kCenter), text.as<String>().markup);
}

Value string(Runtime& runtime, const Bound& a) { return soft_string(runtime, a[0]); }

Value indent(Runtime& runtime, const Bound& a) {
  const bool markup = a[0].is_string() && a[0].as<String>().markup;
  const std::string text = std::string(string_argument(a[0])) + "\n";
  std::string margin;
  if (a.given(1) && a[1].is_string())
    margin = a[1].text();
  else
    margin = justify("", a.integer(1, 4), " ", Align::kLeft);
  const bool blank = a.flag(3, false);
  std::string result;
  const auto lines = split_lines(text, false);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) result += '\n';
    if (i == 0 ? a.flag(2, false) : blank || !lines[i].empty()) result += margin;
    result += lines[i];
    Runtime::check_size(result.size());
  }
  return runtime.string(std::move(result), markup);
}

Value truncate(Runtime& runtime, const Bound& a) {
  const int64_t size = a.integer(1, 255);
  const std::string_view end = a.text(3, "...");
  const auto end_size = static_cast<int64_t>(count_code_points(end));
  const int64_t leeway = a.none(4) ? 5 : integer_argument(a[4]);
  if (size < end_size) raise(Raised::kRuntime, "expected length >= {}, got {}", end_size, size);
  if (leeway < 0) raise(Raised::kRuntime, "expected leeway >= 0, got {}", leeway);
  if (length(a[0]) <= size + leeway) return a[0];
  const std::string_view text = string_argument(a[0]);
  std::string_view kept = text.substr(0, byte_of(text, static_cast<size_t>(size - end_size)));
  if (!a.flag(2, false)) kept = kept.substr(0, kept.rfind(' '));
  return runtime.string(std::string(kept) + std::string(end));
}

Value wordcount(Runtime& runtime, const Bound& a) {
  const Value value = soft_string(runtime, a[0]);
  const std::string_view text = value.text();
  int64_t words = 0;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const bool word = is_word(next_code_point(text, at));
    if (word && !inside) ++words;
    inside = word;
  }
  return Value::integer(words);
}

Value wordwrap(Runtime& runtime, const Bound& a) {
  const WrapOptions options{.width = a.integer(1, 79), .break_long_words = a.flag(2, true),
                            .break_on_hyphens = a.flag(4, true)};
  const std::string_view between = a.none(3) ? "\n" : string_argument(a[3]);
  std::string result;
  bool first = true;
  for (const std::string_view line : split_lines(string_argument(a[0]), false)) {
    if (!std::exchange(first, false)) result += between;
    bool first_part = true;
    for (const std::string& part : wrap_line(line, options)) {
      if (!std::exchange(first_part, false)) result += between;
      result += part;
      runtime.spend(8);
      Runtime::check_size(result.size());
    }
  }
  return runtime.string(std::move(result));
}

constexpr Builtin kTextFilters[] = {
    {"capitalize", "s", changed<to_capitalized>},
    {"center", "value width?", center},
    {"format", "value * **", format},
    {"indent", "s width? first? blank?", indent},
    {"lower", "s", changed<to_lower>},
    {"replace", "s old new count?", replace},
    {"string", "/object", string},
    {"title", "s", changed<title_words>},
    {"trim", "value chars?", trim},
    {"truncate", "s length? killwords? end? leeway?", truncate},
    {"upper", "s", changed<to_upper>},
    {"wordcount", "s", wordcount},
    {"wordwrap", "s width? break_long_words? wrapstring? break_on_hyphens?", wordwrap},
};

}  // namespace

std::span<const Builtin> text_filters() { return kTextFilters; }

}  // namespace rival::text::jinja
