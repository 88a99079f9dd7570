// Methods of str. What they return of a Markup is Markup.
#include <algorithm>

#include "text/jinja_builtin.h"
#include "text/jinja_format.h"
#include "text/jinja_ops.h"
#include "text/jinja_string.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

Value like(Runtime& runtime, const Bound& a, std::string text) {
  return runtime.string(std::move(text), a[0].as<String>().markup);
}

template <std::string (*kChange)(std::string_view)>
Value changed(Runtime& runtime, const Bound& a) {
  return like(runtime, a, kChange(a[0].text()));
}

template <bool kLeft, bool kRight>
Value stripped(Runtime& runtime, const Bound& a) {
  const std::string_view text = a[0].text();
  if (a.none(1)) return like(runtime, a, std::string(strip(text, kLeft, kRight)));
  return like(runtime, a, std::string(strip(text, string_argument(a[1]), kLeft, kRight)));
}

Value parts_list(Runtime& runtime, const Bound& a, const std::vector<std::string_view>& parts) {
  Values items;
  items.reserve(parts.size());
  for (const std::string_view part : parts) items.push_back(like(runtime, a, std::string(part)));
  return runtime.list(std::move(items));
}

template <bool kRight>
Value split(Runtime& runtime, const Bound& a) {
  const std::string_view text = a[0].text();
  runtime.spend_bytes(text.size());
  const int64_t count = a.integer(2, -1);
  if (a.none(1)) return parts_list(runtime, a, kRight ? split_space_right(text, count) : split_space(text, count));
  const std::string_view separator = string_argument(a[1]);
  if (separator.empty()) raise(Raised::kValue, "empty separator");
  return parts_list(runtime, a,
                    kRight ? split_text_right(text, separator, count) : split_text(text, separator, count));
}

Value splitlines(Runtime& runtime, const Bound& a) {
  return parts_list(runtime, a, split_lines(a[0].text(), a.integer(1, 0) != 0));
}

template <bool kRight>
Value partition(Runtime& runtime, const Bound& a) {
  const std::string_view text = a[0].text(), separator = string_argument(a[1]);
  if (separator.empty()) raise(Raised::kValue, "empty separator");
  const size_t found = kRight ? find_last(text, separator) : find_first(text, separator);
  const auto part = [&](std::string_view piece) { return like(runtime, a, std::string(piece)); };
  if (found == kNoPosition)
    return kRight ? runtime.tuple({part(""), part(""), part(text)}) : runtime.tuple({part(text), part(""), part("")});
  return runtime.tuple({part(text.substr(0, found)), part(separator), part(text.substr(found + separator.size()))});
}

// The stretch of text that the optional arguments `start` and `end` leave, by code points.
struct Window {
  std::string_view text;
  int64_t start;
  bool empty_range;  // start lies behind end, where not even "" is found
};

Window window(const Bound& a) {
  const String& string = a[0].as<String>();
  const auto size = static_cast<int64_t>(string.length);
  const auto bound = [&](size_t i, int64_t otherwise) {
    if (a.none(i)) return otherwise;
    const int64_t value = integer_argument(a[i]);
    return value < 0 ? std::max<int64_t>(0, value + size) : value;
  };
  const int64_t start = bound(2, 0), end = std::min(bound(3, size), size);
  if (start > end) return {"", start, true};
  const size_t first = byte_of(string.text, static_cast<size_t>(start));
  const size_t last = byte_of(string.text, static_cast<size_t>(end));
  return {std::string_view(string.text).substr(first, last - first), start, false};
}

template <bool kRight>
int64_t position(Runtime& runtime, const Bound& a) {
  const std::string_view part = string_argument(a[1]);
  const Window w = window(a);
  runtime.spend_bytes(w.text.size());
  if (w.empty_range) return -1;
  const size_t found = kRight ? find_last(w.text, part) : find_first(w.text, part);
  if (found == kNoPosition) return -1;
  return w.start + static_cast<int64_t>(count_code_points(w.text.substr(0, found)));
}

template <bool kRight>
Value find(Runtime& runtime, const Bound& a) {
  return Value::integer(position<kRight>(runtime, a));
}

template <bool kRight>
Value index(Runtime& runtime, const Bound& a) {
  const int64_t found = position<kRight>(runtime, a);
  if (found < 0) raise(Raised::kValue, "substring not found");
  return Value::integer(found);
}

Value count(Runtime& runtime, const Bound& a) {
  const std::string_view part = string_argument(a[1]);
  const Window w = window(a);
  runtime.spend_bytes(w.text.size());
  if (w.empty_range) return Value::integer(0);
  if (part.empty()) return Value::integer(static_cast<int64_t>(count_code_points(w.text)) + 1);
  int64_t found = 0;
  for (size_t at = find_first(w.text, part); at != kNoPosition; at = find_first(w.text, part, at + part.size()))
    ++found;
  return Value::integer(found);
}

template <bool kEnd>
Value starts_or_ends(Runtime&, const Bound& a) {
  const Window w = window(a);
  const auto matches = [&](const Value& affix) {
    const std::string_view text = string_argument(affix);
    return !w.empty_range && (kEnd ? w.text.ends_with(text) : w.text.starts_with(text));
  };
  if (!a[1].is(Kind::kTuple)) return Value::boolean(matches(a[1]));
  const Values& affixes = a[1].as<Sequence>().items;
  return Value::boolean(std::any_of(affixes.begin(), affixes.end(), matches));
}

Value replace(Runtime& runtime, const Bound& a) {
  const bool markup = a[0].as<String>().markup;
  string_argument(a[1]);
  string_argument(a[2]);
  const Value from = markup ? escape(runtime, a[1]) : a[1], to = markup ? escape(runtime, a[2]) : a[2];
  runtime.spend_bytes(a[0].text().size());
  return like(runtime, a, replace_text(a[0].text(), from.text(), to.text(), a.integer(3, -1)));
}

Value join(Runtime& runtime, const Bound& a) {
  const bool markup = a[0].as<String>().markup;
  const Value iterator = iterate(runtime, a[1]);
  std::string result;
  Value item;
  for (size_t i = 0; iterator.as<Iterator>().next(item); ++i) {
    if (!item.is_string())
      raise(Raised::kType, "sequence item {}: expected str instance, {} found", i, type_name(item));
    if (i > 0) result += a[0].text();
    result += markup ? escape(runtime, item).text() : item.text();
    Runtime::check_size(result.size());
  }
  return like(runtime, a, std::move(result));
}

template <Align kAlign>
Value justified(Runtime& runtime, const Bound& a) {
  const std::string_view fill = a.text(2, " ");
  if (count_code_points(fill) != 1) raise(Raised::kType, "The fill character must be exactly one character long");
  return like(runtime, a, justify(a[0].text(), integer_argument(a[1]), fill, kAlign));
}

Value zfill(Runtime& runtime, const Bound& a) {
  const std::string_view text = a[0].text();
  const bool sign = text.starts_with('-') || text.starts_with('+');
  const int64_t width = integer_argument(a[1]) - (sign ? 1 : 0);
  return like(runtime, a,
              std::string(text.substr(0, sign ? 1 : 0)) + justify(text.substr(sign ? 1 : 0), width, "0", Align::kRight));
}

Value expandtabs(Runtime& runtime, const Bound& a) {
  const int64_t size = a.integer(1, 8);
  if (size > 10'000) raise(Raised::kLimit, "a tab of {} characters is too wide", size);
  const std::string_view text = a[0].text();
  std::string result;
  int64_t column = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (c == '\t') {
      const int64_t spaces = size > 0 ? size - column % size : 0;
      result.append(static_cast<size_t>(spaces), ' ');
      Runtime::check_size(result.size());
      column += spaces;
    } else {
      append_code_point(result, c);
      column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
  }
  return like(runtime, a, std::move(result));
}

Value removeprefix(Runtime& runtime, const Bound& a) {
  std::string_view text = a[0].text();
  if (text.starts_with(string_argument(a[1]))) text.remove_prefix(a[1].text().size());
  return like(runtime, a, std::string(text));
}

Value removesuffix(Runtime& runtime, const Bound& a) {
  std::string_view text = a[0].text();
  if (text.ends_with(string_argument(a[1]))) text.remove_suffix(a[1].text().size());
  return like(runtime, a, std::string(text));
}

template <bool (*kIs)(char32_t)>
Value all_are(Runtime&, const Bound& a) {
  const std::string_view text = a[0].text();
  bool all = !text.empty();
  for (size_t at = 0; all && at < text.size();) all = kIs(next_code_point(text, at));
  return Value::boolean(all);
}

Value isprintable(Runtime& runtime, const Bound& a) {
  return a[0].text().empty() ? Value::boolean(true) : all_are<is_printable>(runtime, a);
}

Value isascii(Runtime&, const Bound& a) { return Value::boolean(a[0].as<String>().ascii()); }

Value isidentifier(Runtime&, const Bound& a) { return Value::boolean(is_identifier(a[0].text())); }

// Some letter has a case, and none has the other one.
template <bool (*kWanted)(char32_t), bool (*kOther)(char32_t)>
Value is_case(Runtime&, const Bound& a) {
  const std::string_view text = a[0].text();
  bool found = false;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (kOther(c) || is_title(c)) return Value::boolean(false);
    found = found || kWanted(c);
  }
  return Value::boolean(found);
}

Value istitle(Runtime&, const Bound& a) {
  const std::string_view text = a[0].text();
  bool found = false, behind_cased = false;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    const bool upper = is_upper(c) || is_title(c), lower = is_lower(c);
    if ((upper && behind_cased) || (lower && !behind_cased)) return Value::boolean(false);
    behind_cased = upper || lower;
    found = found || behind_cased;
  }
  return Value::boolean(found);
}

Value format(Runtime& runtime, const Bound& a) {
  const Arguments arguments{a.rest, a.keywords};
  return format_braces(runtime, a[0], arguments);
}

Value format_map(Runtime& runtime, const Bound& a) {
  if (!a[1].is(Kind::kDict)) raise_argument(a[1], "a mapping");
  Arguments arguments;
  for (const Dict::Entry& entry : a[1].as<Dict>().entries)
    if (entry.key.is_string()) arguments.keywords.emplace_back(entry.key, entry.value);
  return format_braces(runtime, a[0], arguments);
}

Value encode_unsupported(Runtime&, const Bound&) { raise(Raised::kUnsupported, "bytes are not supported"); }

constexpr Builtin kStringMethods[] = {
    {"capitalize", "/self", changed<to_capitalized>},
    {"casefold", "/self", changed<fold_case>},
    {"center", "/self /width /fill?", justified<Align::kCenter>},
    {"count", "/self /part /start? /end?", count},
    {"encode", "/self encoding? errors?", encode_unsupported},
    {"endswith", "/self /suffix /start? /end?", starts_or_ends<true>},
    {"expandtabs", "/self tabsize?", expandtabs},
    {"find", "/self /part /start? /end?", find<false>},
    {"format", "/self * **", format},
    {"format_map", "/self /mapping", format_map},
    {"index", "/self /part /start? /end?", index<false>},
    {"isalnum", "/self", all_are<is_alnum>},
    {"isalpha", "/self", all_are<is_alpha>},
    {"isascii", "/self", isascii},
    {"isdecimal", "/self", all_are<is_decimal>},
    {"isdigit", "/self", all_are<is_digit>},
    {"isidentifier", "/self", isidentifier},
    {"islower", "/self", is_case<is_lower, is_upper>},
    {"isnumeric", "/self", all_are<is_numeric>},
    {"isprintable", "/self", isprintable},
    {"isspace", "/self", all_are<is_space>},
    {"istitle", "/self", istitle},
    {"isupper", "/self", is_case<is_upper, is_lower>},
    {"join", "/self /items", join},
    {"ljust", "/self /width /fill?", justified<Align::kLeft>},
    {"lower", "/self", changed<to_lower>},
    {"lstrip", "/self /characters?", stripped<true, false>},
    {"partition", "/self /separator", partition<false>},
    {"removeprefix", "/self /prefix", removeprefix},
    {"removesuffix", "/self /suffix", removesuffix},
    {"replace", "/self /old /new /count?", replace},
    {"rfind", "/self /part /start? /end?", find<true>},
    {"rindex", "/self /part /start? /end?", index<true>},
    {"rjust", "/self /width /fill?", justified<Align::kRight>},
    {"rpartition", "/self /separator", partition<true>},
    {"rsplit", "/self sep? maxsplit?", split<true>},
    {"rstrip", "/self /characters?", stripped<false, true>},
    {"split", "/self sep? maxsplit?", split<false>},
    {"splitlines", "/self keepends?", splitlines},
    {"startswith", "/self /prefix /start? /end?", starts_or_ends<false>},
    {"strip", "/self /characters?", stripped<true, true>},
    {"swapcase", "/self", changed<swap_case>},
    {"title", "/self", changed<to_title>},
    {"upper", "/self", changed<to_upper>},
    {"zfill", "/self /width", zfill},
};

}  // namespace

std::span<const Builtin> string_methods() { return kStringMethods; }

}  // namespace rival::text::jinja
