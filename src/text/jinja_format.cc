#include "text/jinja_format.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "text/jinja_literal.h"
#include "text/jinja_ops.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

// ---- text % arguments --------------------------------------------------------------------------------------------

struct Conversion {
  bool left = false, plus = false, space = false, alternate = false, zero = false;
  int64_t width = 0;
  int64_t precision = -1;
  char type = '\0';
};

class PercentFormatter {
 public:
  PercentFormatter(Runtime& runtime, const Value& text, const Value& arguments)
      : runtime_(runtime), source_(text), text_(text.text()), arguments_(arguments) {
    mapping_ = arguments.is(Kind::kDict) || arguments.is(Kind::kList) || arguments.is(Kind::kRange) ||
               arguments.is_undefined();
    if (arguments.is(Kind::kTuple))
      positional_ = arguments.as<Sequence>().items;
    else
      positional_.push_back(arguments);
  }

  Value run() {
    while (at_ < text_.size()) {
      if (text_[at_] != '%')
        out_ += text_[at_++];
      else
        convert();
    }
    if (next_ < positional_.size() && !mapping_)
      raise(Raised::kType, "not all arguments converted during string formatting");
    return runtime_.string(std::move(out_), source_.as<String>().markup);
  }

 private:
  char peek() const {
    if (at_ >= text_.size()) raise(Raised::kValue, "incomplete format");
    return text_[at_];
  }

  const Value& argument() {
    if (next_ >= positional_.size()) raise(Raised::kType, "not enough arguments for format string");
    return positional_[next_++];
  }

  void convert() {
    ++at_;
    if (peek() == '%') {
      out_ += text_[at_++];
      return;
    }
    Value keyed;
    if (peek() == '(') keyed = take_key();
    const Conversion c = take_conversion();
    const Value value = keyed.missing() ? argument() : keyed;
    const std::string text = converted(c, value);
    const auto size = static_cast<int64_t>(count_code_points(text));
    const size_t padding = c.width > size ? static_cast<size_t>(c.width - size) : 0;
    if (!c.left) out_.append(padding, ' ');
    out_ += text;
    if (c.left) out_.append(padding, ' ');
    Runtime::check_size(out_.size());
  }

  Value take_key() {
    if (!mapping_) raise(Raised::kType, "format requires a mapping");
    int open = 1;
    const size_t start = ++at_;
    for (; open > 0; ++at_) {
      const char c = peek();
      open += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    const std::string_view key = text_.substr(start, at_ - 1 - start);
    if (arguments_.is_undefined()) raise_undefined(arguments_);
    if (!arguments_.is(Kind::kDict))
      raise(Raised::kType, "{} indices must be integers or slices, not str", type_name(arguments_));
    const Value* found = arguments_.as<Dict>().find(key);
    if (found == nullptr) raise(Raised::kLookup, "{}", repr_text(key));
    next_ = positional_.size();
    return *found;
  }

  Conversion take_conversion() {
    Conversion c;
    for (bool flags = true; flags;) {
      switch (peek()) {
        case '-': c.left = true; break;
        case '+': c.plus = true; break;
        case ' ': c.space = true; break;
        case '#': c.alternate = true; break;
        case '0': c.zero = true; break;
        default: flags = false; continue;
      }
      ++at_;
    }
    c.width = take_size();
    if (c.width < 0) {
      c.left = true;
      c.width = -c.width;
    }
    if (peek() == '.') {
      ++at_;
      c.precision = std::max<int64_t>(0, take_size());
    }
    if (peek() == 'h' || peek() == 'l' || peek() == 'L') ++at_;
    c.type = peek();
    ++at_;
    return c;
  }

  int64_t take_size() {
    int64_t size = 0;
    if (peek() == '*') {
      ++at_;
      size = integer_argument(argument());
    } else {
      for (; peek() >= '0' && peek() <= '9' && size <= kWidthMax; ++at_) size = size * 10 + (text_[at_] - '0');
    }
    if (size > kWidthMax || size < -kWidthMax) raise(Raised::kLimit, "a field of {} characters is too wide", size);
    return size;
  }

  std::string converted(const Conversion& c, const Value& value) {
    switch (c.type) {
      case 's': return text_of(c, value.is_string() ? value : Value(), to_text(value));
      case 'r': return text_of(c, Value(), repr(value));
      case 'a': return text_of(c, Value(), repr_ascii(value));
      case 'c': return character_of(value);
      case 'd':
      case 'i':
      case 'u':
      case 'o':
      case 'x':
      case 'X': return integer_of(c, value);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': return real_of(c, value);
      default: raise(Raised::kValue, "unsupported format character '{}'", c.type);
    }
  }

  std::string text_of(const Conversion& c, const Value& original, std::string text) {
    if (source_.as<String>().markup && (original.missing() || !original.as<String>().markup))
      text = escape_html(text);
    if (c.precision >= 0) text.resize(byte_of(text, static_cast<size_t>(c.precision)));
    return text;
  }

  static std::string character_of(const Value& value) {
    if (value.is_string() && value.as<String>().length == 1) return std::string(value.text());
    if (!value.is_integral()) raise_argument(value, "an int or a character for %c");
    if (value.integer() < 0 || value.integer() > 0x10FFFF)
      raise(Raised::kArithmetic, "%c arg not in range(0x110000)");
    std::string result;
    append_code_point(result, static_cast<char32_t>(value.integer()));
    return result;
  }

  static std::string integer_of(const Conversion& c, const Value& value) {
    if (!value.is_number() || (value.is(Kind::kFloat) && c.type != 'd' && c.type != 'i' && c.type != 'u'))
      raise_argument(value, fmt::format("a number for %{}", c.type));
    if (value.is(Kind::kFloat) && !(std::fabs(value.real()) < 0x1p63)) raise_overflow();
    const int64_t number = value.is(Kind::kFloat) ? static_cast<int64_t>(value.real()) : value.integer();
    const uint64_t magnitude = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    std::string digits = c.type == 'o'   ? fmt::format("{:o}", magnitude)
                         : c.type == 'x' ? fmt::format("{:x}", magnitude)
                         : c.type == 'X' ? fmt::format("{:X}", magnitude)
                                         : fmt::format("{}", magnitude);
    if (static_cast<int64_t>(digits.size()) < c.precision)
      digits.insert(0, static_cast<size_t>(c.precision) - digits.size(), '0');
    const bool prefixed = c.alternate && (c.type == 'o' || c.type == 'x' || c.type == 'X');
    return with_sign(c, number < 0, prefixed ? std::string("0") + c.type : "", digits);
  }

  static std::string real_of(const Conversion& c, const Value& value) {
    if (!value.is_number()) raise_argument(value, fmt::format("a number for %{}", c.type));
    const double number = value.real();
    const int64_t precision = c.precision < 0 ? 6 : c.precision;
    const std::string spec = fmt::format("{{:{}.{{}}{}}}", c.alternate ? "#" : "", c.type);
    const std::string digits = fmt::format(fmt::runtime(spec), std::fabs(number), precision);
    return with_sign(c, std::signbit(number) && !std::isnan(number), "", digits);
  }

  static std::string with_sign(const Conversion& c, bool negative, std::string_view prefix, std::string digits) {
    std::string sign = negative ? "-" : c.plus ? "+" : c.space ? " " : "";
    sign += prefix;
    const auto size = static_cast<int64_t>(sign.size() + digits.size());
    if (c.zero && !c.left && size < c.width) digits.insert(0, static_cast<size_t>(c.width - size), '0');
    return sign + digits;
  }

  static constexpr int64_t kWidthMax = limits::kTemplateOutputBytesMax;

  Runtime& runtime_;
  const Value source_;
  std::string_view text_;
  const Value arguments_;
  bool mapping_ = false;
  Values positional_;
  size_t next_ = 0;
  size_t at_ = 0;
  std::string out_;
};

// ---- str.format --------------------------------------------------------------------------------------------------

class BraceFormatter {
 public:
  BraceFormatter(Runtime& runtime, const Arguments& arguments, bool markup)
      : runtime_(runtime), arguments_(arguments), markup_(markup) {}

  std::string run(std::string_view text, int depth) {
    if (depth > 2) raise(Raised::kValue, "Max string recursion exceeded");
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const char c = text[at++];
      if (c != '{' && c != '}') {
        out += c;
      } else if (at < text.size() && text[at] == c) {
        out += c;
        ++at;
      } else if (c == '}') {
        raise(Raised::kValue, "Single '}}' encountered in format string");
      } else {
        out += field(take_field(text, at), depth);
        Runtime::check_size(out.size());
      }
    }
    return out;
  }

 private:
  static std::string_view take_field(std::string_view text, size_t& at) {
    const size_t start = at;
    for (int open = 1; at < text.size(); ++at) {
      open += text[at] == '{' ? 1 : text[at] == '}' ? -1 : 0;
      if (open == 0) return text.substr(start, at++ - start);
    }
    raise(Raised::kValue, "{}",
          start == text.size() ? "Single '{' encountered in format string" : "expected '}' before end of string");
  }

  std::string field(std::string_view source, int depth) {
    size_t end = 0;
    for (bool bracket = false; end < source.size(); ++end) {
      if (source[end] == '[') bracket = true;
      if (source[end] == ']') bracket = false;
      if (!bracket && (source[end] == ':' || source[end] == '!')) break;
    }
    Value value = lookup(source.substr(0, end));
    std::string_view rest = source.substr(end);
    if (rest.starts_with('!')) value = convert(value, rest);
    if (!rest.empty()) rest.remove_prefix(1);
    const std::string spec = run(rest, depth + 1);
    std::string text = format_value(value, spec);
    return markup_ && !(value.is_string() && value.as<String>().markup) ? escape_html(text) : text;
  }

  Value convert(const Value& value, std::string_view& rest) {
    const bool valid = rest.size() == 2 || (rest.size() > 2 && rest[2] == ':');
    if (!valid) raise(Raised::kValue, "expected ':' after conversion specifier");
    const char conversion = rest[1];
    rest.remove_prefix(2);
    if (conversion == 's') return runtime_.string(to_text(value));
    if (conversion == 'r') return runtime_.string(repr(value));
    if (conversion == 'a') return runtime_.string(repr_ascii(value));
    raise(Raised::kValue, "Unknown conversion specifier {}", conversion);
  }

  Value lookup(std::string_view name) {
    const size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = first(name.substr(0, end));
    std::string_view rest = name.substr(end);
    while (!rest.empty()) {
      const bool attribute = rest[0] == '.';
      if (!attribute && rest[0] != '[')
        raise(Raised::kValue, "Only '.' or '[' may follow ']' in format field specifier");
      rest.remove_prefix(1);
      const size_t stop = attribute ? std::min(rest.find_first_of(".["), rest.size()) : rest.find(']');
      if (stop == rest.npos) raise(Raised::kValue, "Missing ']' in format string");
      const std::string_view part = rest.substr(0, stop);
      if (part.empty()) raise(Raised::kValue, "Empty attribute in format string");
      value = attribute ? get_attribute(runtime_, value, part) : get_item(runtime_, value, key(part));
      rest.remove_prefix(stop + (attribute ? 0 : 1));
    }
    return value;
  }

  static bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  }

  Value key(std::string_view part) {
    if (!is_number(part)) return runtime_.string(std::string(part));
    return Value::integer(parse_integer(part, 10).value_or(0));
  }

  Value first(std::string_view name) {
    if (name.empty() || is_number(name)) {
      const bool automatic = name.empty();
      if (numbering_ != Numbering::kNone && automatic != (numbering_ == Numbering::kAutomatic))
        raise(Raised::kValue, "cannot switch between manual field specification and automatic field numbering");
      numbering_ = automatic ? Numbering::kAutomatic : Numbering::kManual;
      const int64_t index = automatic ? next_++ : parse_integer(name, 10).value_or(0);
      if (index >= static_cast<int64_t>(arguments_.positional.size()))
        raise(Raised::kLookup, "Replacement index {} out of range for positional args tuple", index);
      return arguments_.positional[static_cast<size_t>(index)];
    }
    for (const auto& [keyword, value] : arguments_.keywords)
      if (keyword.text() == name) return value;
    raise(Raised::kLookup, "{}", repr_text(name));
  }

  enum class Numbering { kNone, kAutomatic, kManual };

  Runtime& runtime_;
  const Arguments& arguments_;
  bool markup_;
  Numbering numbering_ = Numbering::kNone;
  int64_t next_ = 0;
};

}  // namespace

Value format_percent(Runtime& runtime, const Value& text, const Value& arguments) {
  return PercentFormatter(runtime, text, arguments).run();
}

Value format_braces(Runtime& runtime, const Value& text, const Arguments& arguments) {
  const bool markup = text.as<String>().markup;
  return runtime.string(BraceFormatter(runtime, arguments, markup).run(text.text(), 0), markup);
}

}  // namespace rival::text::jinja
