// The mini-language behind the colon of a replacement field:
// [[fill]align][sign][z][#][0][width][grouping][.precision][type].
#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "text/jinja_format.h"
#include "text/jinja_ops.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

struct Spec {
  char32_t fill = ' ';
  char align = '\0';
  char sign = '-';
  bool no_negative_zero = false;
  bool alternate = false;
  size_t width = 0;
  char grouping = '\0';
  int precision = -1;
  char type = '\0';
};

bool is_align(char32_t c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

[[noreturn]] void raise_spec(std::string_view spec, const Value& value) {
  raise(Raised::kValue, "invalid format specifier {} for object of type '{}'", repr_text(spec), type_name(value));
}

int64_t take_number(std::string_view& rest) {
  int64_t number = 0;
  for (; !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; rest.remove_prefix(1)) {
    number = number * 10 + (rest[0] - '0');
    if (number > static_cast<int64_t>(limits::kTemplateOutputBytesMax))
      raise(Raised::kLimit, "a field of {} characters is too wide", number);
  }
  return number;
}

bool take(std::string_view& rest, std::string_view characters, char& out) {
  if (rest.empty() || characters.find(rest[0]) == characters.npos) return false;
  out = rest[0];
  rest.remove_prefix(1);
  return true;
}

// Whether the fill was given, too.
bool take_align(std::string_view& rest, Spec& spec) {
  if (rest.empty()) return false;
  size_t after = 0;
  const char32_t first = next_code_point(rest, after);
  if (after < rest.size() && is_align(static_cast<unsigned char>(rest[after]))) {
    spec.fill = first;
    spec.align = rest[after];
    rest.remove_prefix(after + 1);
    return true;
  }
  if (is_align(first)) {
    spec.align = rest[0];
    rest.remove_prefix(1);
  }
  return false;
}

// What Python refuses of a separator of groups: all but decimal digits for ',', hexadecimal and its kin too for '_'.
void check_grouping(const Spec& spec, const Value& value) {
  if (spec.grouping == '\0') return;
  const char type = spec.type == '\0' && value.is_string() ? 's' : spec.type;
  const std::string_view refused = spec.grouping == ',' ? "bcnosxX" : "cns";
  if (type != '\0' && refused.find(type) != refused.npos)
    raise(Raised::kValue, "Cannot specify '{}' with '{}'.", spec.grouping, type);
}

Spec parse_spec(std::string_view text, const Value& value) {
  Spec spec;
  std::string_view rest = text;
  char ignored = '\0';
  const bool fill_given = take_align(rest, spec);
  take(rest, "+- ", spec.sign);
  spec.no_negative_zero = take(rest, "z", ignored);
  spec.alternate = take(rest, "#", ignored);
  if (!fill_given && take(rest, "0", ignored)) {
    spec.fill = '0';
    if (spec.align == '\0' && !value.is_string()) spec.align = '=';
  }
  spec.width = static_cast<size_t>(take_number(rest));
  take(rest, ",_", spec.grouping);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    if (rest.empty() || rest[0] < '0' || rest[0] > '9') raise(Raised::kValue, "format specifier missing precision");
    spec.precision = static_cast<int>(take_number(rest));
  }
  take(rest, "bcdeEfFgGnosxX%", spec.type);
  if (!rest.empty()) raise_spec(text, value);
  check_grouping(spec, value);
  return spec;
}

std::string pad(const Spec& spec, std::string_view prefix, std::string_view body, char default_align) {
  const size_t size = count_code_points(prefix) + count_code_points(body);
  std::string text = std::string(prefix) + std::string(body);
  if (size >= spec.width) return text;
  const size_t missing = spec.width - size;
  const char align = spec.align == '\0' ? default_align : spec.align;
  const size_t left = align == '>' || align == '=' ? missing : align == '^' ? missing / 2 : 0;
  const auto fill = [&](size_t count) {
    if (spec.fill < 0x80) return std::string(count, static_cast<char>(spec.fill));
    std::string result;
    for (size_t i = 0; i < count; ++i) append_code_point(result, spec.fill);
    return result;
  };
  if (align == '=') return std::string(prefix) + fill(left) + std::string(body);
  return fill(left) + text + fill(missing - left);
}

// Separators between groups of digits in the integer part; leading zeros count where they fill the width.
std::string group(const Spec& spec, std::string digits, size_t prefix_size, size_t group_size) {
  if (spec.grouping == '\0') return digits;
  const size_t whole = std::min(digits.find_first_not_of("0123456789abcdefABCDEF"), digits.size());
  std::string head = digits.substr(0, whole);
  const std::string tail = digits.substr(whole);
  const auto grouped = [&] {
    std::string result;
    for (size_t i = 0; i < head.size(); ++i) {
      if (i > 0 && (head.size() - i) % group_size == 0) result += spec.grouping;
      result += head[i];
    }
    return result + tail;
  };
  if (spec.fill == '0' && spec.align == '=')
    while (grouped().size() + prefix_size < spec.width) head.insert(0, "0");
  return grouped();
}

std::string sign_of(const Spec& spec, bool negative) {
  if (negative) return "-";
  return spec.sign == '-' ? "" : std::string(1, spec.sign);
}

std::string format_text(std::string_view text, const Spec& spec, std::string_view source, const Value& value) {
  if ((spec.type != '\0' && spec.type != 's') || spec.sign != '-' || spec.alternate ||
      spec.no_negative_zero || spec.align == '=')
    raise_spec(source, value);
  const size_t end = spec.precision < 0 ? text.size() : byte_of(text, static_cast<size_t>(spec.precision));
  return pad(spec, "", text.substr(0, end), '<');
}

std::string format_integer(int64_t value, const Spec& spec, std::string_view source, const Value& original) {
  if (spec.precision >= 0) raise(Raised::kValue, "precision not allowed in integer format specifier");
  if (spec.no_negative_zero) raise_spec(source, original);
  if (spec.type == 'c') {
    if (spec.sign != '-' || spec.alternate) raise_spec(source, original);
    if (value < 0 || value > 0x10FFFF) raise(Raised::kArithmetic, "%c arg not in range(0x110000)");
    std::string text;
    append_code_point(text, static_cast<char32_t>(value));
    return pad(spec, "", text, '<');
  }
  const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  std::string digits, prefix = sign_of(spec, value < 0);
  switch (spec.type) {
    case '\0':
    case 'd':
    case 'n': digits = fmt::format("{}", magnitude); break;
    case 'b': digits = fmt::format("{:b}", magnitude); break;
    case 'o': digits = fmt::format("{:o}", magnitude); break;
    case 'x': digits = fmt::format("{:x}", magnitude); break;
    case 'X': digits = fmt::format("{:X}", magnitude); break;
    default: raise_spec(source, original);
  }
  const bool decimal = spec.type == '\0' || spec.type == 'd' || spec.type == 'n';
  if (spec.alternate && !decimal) prefix += std::string("0") + spec.type;
  return pad(spec, prefix, group(spec, digits, prefix.size(), decimal ? 3 : 4), '>');
}

// Without a type, a precision is that of 'g', but an exponent is written one digit earlier, and a point always stands.
std::string plain_real(double magnitude, const Spec& spec) {
  if (spec.precision < 0 || !std::isfinite(magnitude)) return repr_real(magnitude);
  const int precision = std::max(spec.precision, 1);
  const std::string scientific = fmt::format("{:.{}e}", magnitude, precision - 1);
  const size_t e = scientific.find('e');
  const int exponent = std::stoi(scientific.substr(e + 1));
  if (exponent >= -4 && exponent < precision - 1) {
    std::string text = fmt::format(fmt::runtime(spec.alternate ? "{:#.{}g}" : "{:.{}g}"), magnitude, precision);
    return text.find('.') == text.npos ? text + ".0" : text;
  }
  std::string digits = scientific.substr(0, e);
  if (spec.alternate && digits.find('.') == digits.npos) digits += '.';
  if (!spec.alternate && digits.find('.') != digits.npos) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) digits.pop_back();
  }
  return digits + scientific.substr(e);
}

std::string format_real(double value, const Spec& spec, std::string_view source, const Value& original) {
  const double magnitude = std::fabs(value);
  int precision = spec.precision < 0 ? 6 : spec.precision;
  const bool percent = spec.type == '%';
  char type = percent ? 'f' : spec.type;
  if (type == 'n') type = 'g';
  if (type == 'g' || type == 'G') precision = std::max(precision, 1);
  std::string digits;
  if (type == '\0') {
    digits = plain_real(magnitude, spec);
  } else if (std::string_view("eEfFgG").find(type) != std::string_view::npos) {
    const std::string form = fmt::format("{{:{}.{{}}{}}}", spec.alternate ? "#" : "", type);
    digits = fmt::format(fmt::runtime(form), percent ? magnitude * 100 : magnitude, precision);
  } else {
    raise_spec(source, original);
  }
  const bool zero = digits.find_first_of("123456789") == digits.npos && std::isfinite(value);
  if (percent) digits += '%';
  const bool negative = std::signbit(value) && !std::isnan(value) && !(zero && spec.no_negative_zero);
  const std::string prefix = sign_of(spec, negative);
  return pad(spec, prefix, group(spec, digits, prefix.size(), 3), '>');
}

}  // namespace

std::string format_value(const Value& value, std::string_view source) {
  if (source.empty()) return to_text(value);
  if (!value.is_string() && !value.is_number())
    raise(Raised::kType, "unsupported format string passed to {}.__format__", type_name(value));
  const Spec spec = parse_spec(source, value);
  if (value.is_string()) return format_text(value.text(), spec, source, value);
  const bool real_type = std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos && spec.type != '\0';
  if (value.is_integral() && !real_type) return format_integer(value.integer(), spec, source, value);
  return format_real(value.real(), spec, source, value);
}

}  // namespace rival::text::jinja
