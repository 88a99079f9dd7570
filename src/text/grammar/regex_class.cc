#include "text/grammar/regex_class.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <string>

namespace rival::text::grammar {

namespace {

CharSet one(char32_t c) { return {{c, c}}; }

constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kLongNames{{
    {"Letter", "L"}, {"Uppercase_Letter", "Lu"}, {"Lowercase_Letter", "Ll"}, {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"}, {"Other_Letter", "Lo"}, {"Mark", "M"}, {"Number", "N"}, {"Decimal_Number", "Nd"},
    {"Punctuation", "P"}, {"Symbol", "S"}, {"Separator", "Z"}, {"Space_Separator", "Zs"}, {"Other", "C"},
    {"Control", "Cc"}, {"digit", "Nd"}}};

}  // namespace

CharSet class_dot() { return CharSet{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}.complement(); }
CharSet class_digit() { return {{'0', '9'}}; }
CharSet class_word() { return {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}; }
CharSet class_space() {
  return {{'\t', '\r'}, {' ', ' '}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029},
          {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
}

Result<CharSet> class_category(std::u32string_view wide) {
  std::string name(wide.begin(), wide.end());
  if (const size_t equals = name.find('='); equals != name.npos) {
    const std::string kind = name.substr(0, equals);
    if (kind == "gc" || kind == "General_Category") name = name.substr(equals + 1);
  }
  for (const auto& [full, brief] : kLongNames) {
    if (name == full) name = brief;
  }
  std::vector<CharRange> ranges;
  for (char32_t c = 0; c <= kCodePointMax && name.size() <= 2 && !name.empty(); ++c) {
    const std::string_view category = utf8proc_category_string(static_cast<utf8proc_int32_t>(c));
    if (category.substr(0, name.size()) != name) continue;
    if (!ranges.empty() && ranges.back().hi + 1 == c) ranges.back().hi = c;
    else ranges.push_back({c, c});
  }
  if (ranges.empty()) return make_error(ErrorCode::kUnsupported, "pattern uses \\p{{{}}}, which is not a supported category", name);
  return CharSet::of(std::move(ranges));
}

Result<CharSet> ClassReader::plain() { return one(text[(*at)++]); }

Result<char32_t> ClassReader::hex(size_t digits) {
  char32_t value = 0;
  for (size_t i = 0; i < digits; ++i) {
    const char32_t c = *at < text.size() ? text[*at] : 0;
    const int d = c >= '0' && c <= '9' ? int(c - '0') : c >= 'a' && c <= 'f' ? int(c - 'a' + 10) : c >= 'A' && c <= 'F' ? int(c - 'A' + 10) : -1;
    if (d < 0) return make_error(ErrorCode::kInvalidArgument, "pattern has a broken hexadecimal escape at character {}", *at);
    value = value << 4 | static_cast<char32_t>(d);
    ++*at;
  }
  return value;
}

// Behind \u: XXXX, a surrogate pair of two escapes, or {X...}.
Result<CharSet> ClassReader::unicode_escape() {
  if (*at < text.size() && text[*at] == '{') {
    const size_t close = text.find('}', *at);
    if (close == text.npos || close - *at < 2 || close - *at > 7) {
      return make_error(ErrorCode::kInvalidArgument, "pattern has a broken \\u{{}} at character {}", *at);
    }
    const size_t digits = close - ++*at;
    RIVAL_ASSIGN_OR_RETURN(const char32_t c, hex(digits));
    ++*at;
    return one(c);
  }
  RIVAL_ASSIGN_OR_RETURN(const char32_t c, hex(4));
  const bool pair = c >= 0xD800 && c < 0xDC00 && text.substr(std::min(*at, text.size()), 2) == U"\\u";
  if (!pair) return one(c);
  *at += 2;
  RIVAL_ASSIGN_OR_RETURN(const char32_t low, hex(4));
  return one(0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
}

Result<CharSet> ClassReader::property(bool negated) {
  const size_t close = text.find('}', *at);
  if (*at >= text.size() || text[*at] != '{' || close == text.npos) {
    return make_error(ErrorCode::kInvalidArgument, "pattern has \\p without {{}} at character {}", *at);
  }
  RIVAL_ASSIGN_OR_RETURN(const CharSet set, class_category(text.substr(*at + 1, close - *at - 1)));
  *at = close + 1;
  return negated ? set.complement() : set;
}

Result<CharSet> ClassReader::escape(bool brackets) {
  const size_t start = (*at)++;
  if (*at >= text.size()) return make_error(ErrorCode::kInvalidArgument, "pattern ends in a backslash");
  const char32_t c = text[(*at)++];
  switch (c) {
    case 'd': return class_digit();
    case 'D': return class_digit().complement();
    case 'w': return class_word();
    case 'W': return class_word().complement();
    case 's': return class_space();
    case 'S': return class_space().complement();
    case 't': return one('\t');
    case 'n': return one('\n');
    case 'r': return one('\r');
    case 'v': return one('\v');
    case 'f': return one('\f');
    case 'x': {
      RIVAL_ASSIGN_OR_RETURN(const char32_t value, hex(2));
      return one(value);
    }
    case 'u': return unicode_escape();
    case 'p': case 'P': return property(c == 'P');
    case 'c': {
      const char32_t letter = *at < text.size() ? text[(*at)++] : 0;
      if ((letter | 32) < 'a' || (letter | 32) > 'z') break;
      return one(letter & 31);
    }
    case 'b':
      if (brackets) return one('\b');
      return make_error(ErrorCode::kUnsupported, "pattern uses a word boundary at character {}, which is not supported", start);
    case '0':
      if (*at >= text.size() || text[*at] < '0' || text[*at] > '9') return one(0);
      break;
    default: break;
  }
  if (c >= '1' && c <= '9') {
    return make_error(ErrorCode::kUnsupported, "pattern uses a back-reference at character {}, which is not supported", start);
  }
  if (c < 128 && ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))) {
    return make_error(ErrorCode::kUnsupported, "pattern uses the escape \\{} at character {}, which is not supported",
                      static_cast<char>(c), start);
  }
  return one(c);
}

Result<CharSet> ClassReader::bracket() {
  const size_t start = (*at)++;
  const bool negated = *at < text.size() && text[*at] == '^';
  if (negated) ++*at;
  std::vector<CharRange> ranges;
  while (*at < text.size() && text[*at] != ']') {
    RIVAL_ASSIGN_OR_RETURN(const CharSet first, text[*at] == '\\' ? escape(true) : plain());
    const bool single = first.ranges().size() == 1 && first.ranges()[0].lo == first.ranges()[0].hi;
    const bool range = *at + 1 < text.size() && text[*at] == '-' && text[*at + 1] != ']';
    ranges.insert(ranges.end(), first.ranges().begin(), first.ranges().end());
    if (!range || !single) continue;
    ++*at;
    RIVAL_ASSIGN_OR_RETURN(const CharSet last, text[*at] == '\\' ? escape(true) : plain());
    if (last.ranges().size() != 1 || last.ranges()[0].lo != last.ranges()[0].hi) {  // [a-\d]: a, minus and digits
      ranges.push_back({'-', '-'});
      ranges.insert(ranges.end(), last.ranges().begin(), last.ranges().end());
      continue;
    }
    if (last.ranges()[0].lo < first.ranges()[0].lo) {
      return make_error(ErrorCode::kInvalidArgument, "pattern has a range out of order in the class at character {}", start);
    }
    ranges.push_back({first.ranges()[0].lo, last.ranges()[0].lo});
  }
  if (*at >= text.size()) return make_error(ErrorCode::kInvalidArgument, "pattern has an unclosed '[' at character {}", start);
  ++*at;
  const CharSet set = CharSet::of(std::move(ranges));
  return negated ? set.complement() : set;
}

}  // namespace rival::text::grammar
