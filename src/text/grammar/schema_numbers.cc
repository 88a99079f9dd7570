#include "text/grammar/schema_numbers.h"

#include <algorithm>
#include <cmath>

namespace rival::text::grammar {

namespace {

constexpr size_t kDigitsMax = 400;  // the largest double has 309
constexpr uint32_t kZerosMax = 16;  // in a row behind the point: more than a double can tell from none

}  // namespace

Result<Decimal> to_decimal(const json::value& value) {
  std::string text;
  if (value.is_int64()) text = std::to_string(value.get_int64());
  else if (value.is_uint64()) text = std::to_string(value.get_uint64());
  else if (value.is_double() && std::isfinite(value.get_double())) text = fmt::format("{}", value.get_double());
  else return make_error(ErrorCode::kInvalidArgument, "expected a number, found {}", to_json_text(value));
  Decimal d;
  d.negative = text[0] == '-';
  if (d.negative) text.erase(0, 1);
  long exponent = 0;
  if (const size_t e = text.find('e'); e != text.npos) {
    exponent = std::stol(text.substr(e + 1));
    text.resize(e);
  }
  const size_t point = std::min(text.find('.'), text.size());
  std::string digits = text.substr(0, point) + (point < text.size() ? text.substr(point + 1) : "");
  long whole = static_cast<long>(point) + exponent;  // digits before the point
  if (whole > long{kDigitsMax} || whole < -long{kDigitsMax}) return make_error(ErrorCode::kLimit, "a number of more than {} digits", kDigitsMax);
  if (whole < 0) digits.insert(0, static_cast<size_t>(-whole), '0'), whole = 0;
  if (whole > static_cast<long>(digits.size())) digits.append(static_cast<size_t>(whole) - digits.size(), '0');
  d.whole = digits.substr(0, static_cast<size_t>(whole));
  d.fraction = digits.substr(static_cast<size_t>(whole));
  d.whole.erase(0, std::min(d.whole.find_first_not_of('0'), d.whole.size()));
  d.fraction.erase(d.fraction.find_last_not_of('0') + 1);
  if (d.zero()) d.negative = false;
  return d;
}

Numbers::Numbers(RegexPool* pool) : pool_(pool) {
  digit_ = range('0', '9');
  minus_ = text("-");
  const RegexId point = text("."), nonzero = range('1', '9');
  zeros_ = pool->repeat(text("0"), 0, kZerosMax);
  const RegexId after_zeros = pool->concat(zeros_, nonzero);
  after_digit_ = pool->concat(pool->repeat(after_zeros, 0, kUnbounded), zeros_);
  const RegexId natural = pool->any_of({text("0"), pool->concat(nonzero, digits(0, kUnbounded))});
  const RegexId exponent = pool->concat(pool->concat(pool->chars({{'e', 'e'}, {'E', 'E'}}),
                                                     pool->optional(pool->chars({{'+', '+'}, {'-', '-'}}))), digits(1, 3));
  optional_exponent_ = pool->optional(exponent);
  optional_fraction_ = pool->optional(pool->concat(point, pool->any_of({text("0"), pool->concat(after_zeros, after_digit_)})));
  zeros_point_ = pool->optional(text(".0"));
  magnitude_ = pool->concat(natural, optional_fraction_);
  const RegexId sign = pool->optional(minus_);
  without_exponent_ = pool->concat(sign, magnitude_);
  any_ = pool->concat(without_exponent_, optional_exponent_);
  integer_ = pool->concat(sign, natural);
  integer_point_zero_ = pool->concat(integer_, zeros_point_);
  zero_ = pool->concat(pool->concat(text("0"), zeros_point_), optional_exponent_);
  const RegexId small = pool->concat(pool->concat(text("0."), after_zeros), after_digit_);
  const RegexId large = pool->concat(pool->concat(nonzero, digits(0, kUnbounded)), optional_fraction_);
  positive_ = pool->concat(pool->any_of({small, large}), optional_exponent_);
}

RegexId Numbers::range(char lo, char hi) {
  return lo > hi ? kNever : pool_->chars({{static_cast<char32_t>(lo), static_cast<char32_t>(hi)}});
}

RegexId Numbers::text(std::string_view ascii) { return pool_->literal(std::u32string(ascii.begin(), ascii.end())); }

RegexId Numbers::exactly(const Decimal& v) {
  if (v.zero()) return pool_->concat(pool_->optional(minus_), zero_);
  RegexId plain = text(v.whole.empty() ? "0" : v.whole);
  plain = pool_->concat(plain, v.fraction.empty() ? zeros_point_ : pool_->concat(text("." + v.fraction), zeros_));
  std::string digits = v.whole + v.fraction;  // and as common printers write the very large and very small
  const long exponent = v.whole.empty() ? -1 - static_cast<long>(v.fraction.find_first_not_of('0')) : static_cast<long>(v.whole.size()) - 1;
  digits.erase(0, digits.find_first_not_of('0'));
  digits.erase(digits.find_last_not_of('0') + 1);
  const std::string mantissa = digits.substr(0, 1) + (digits.size() > 1 ? "." + digits.substr(1) : "");
  RegexId scientific = pool_->concat(text(mantissa), pool_->chars({{'e', 'e'}, {'E', 'E'}}));
  scientific = pool_->concat(scientific, exponent < 0 ? minus_ : pool_->optional(text("+")));
  scientific = pool_->concat(pool_->concat(scientific, pool_->optional(text("0"))), text(std::to_string(std::labs(exponent))));
  const RegexId both = std::labs(exponent) >= 5 ? pool_->any_of({plain, scientific}) : plain;
  return v.negative ? pool_->concat(minus_, both) : both;
}

// Fractions with their point, as optional text behind equal whole parts.
RegexId Numbers::fraction_above(const std::string& f, bool exclusive) {
  std::vector<RegexId> ways;
  for (size_t i = 0; i < f.size(); ++i) {
    const RegexId above = f[i] == '9' ? kNever : range(static_cast<char>(f[i] + 1), '9');
    ways.push_back(pool_->concat(text("." + f.substr(0, i)), pool_->concat(above, after_digit_)));
  }
  const RegexId more = pool_->concat(zeros_, pool_->concat(range('1', '9'), after_digit_));
  if (exclusive) ways.push_back(pool_->concat(text("." + f), more));
  else if (f.empty()) ways.push_back(optional_fraction_);
  else ways.push_back(pool_->concat(text("." + f), after_digit_));
  return pool_->any_of(std::move(ways));
}

RegexId Numbers::fraction_below(const std::string& f, bool exclusive) {
  std::vector<RegexId> ways;
  for (size_t i = 0; i < f.size(); ++i) {
    const RegexId below = f[i] == '0' ? kNever : range('0', static_cast<char>(f[i] - 1));
    ways.push_back(pool_->concat(text("." + f.substr(0, i)), pool_->concat(below, after_digit_)));
    ways.push_back(i == 0 ? kEpsilon : text("." + f.substr(0, i)));  // a true prefix is less: f ends in no zero
  }
  if (!exclusive) ways.push_back(f.empty() ? zeros_point_ : pool_->concat(text("." + f), zeros_));
  return pool_->any_of(std::move(ways));
}

RegexId Numbers::magnitude_above(const Decimal& b, bool exclusive) {
  const std::string whole = b.whole.empty() ? "0" : b.whole;
  const uint32_t n = static_cast<uint32_t>(whole.size());
  std::vector<RegexId> ways{pool_->concat(pool_->concat(range('1', '9'), digits(n, kUnbounded)), optional_fraction_)};
  for (uint32_t i = 0; i < n; ++i) {
    if (whole[i] == '9') continue;
    const RegexId above = range(static_cast<char>(whole[i] + 1), '9');
    ways.push_back(pool_->concat(text(whole.substr(0, i)), pool_->concat(above, pool_->concat(digits(n - 1 - i, n - 1 - i), optional_fraction_))));
  }
  ways.push_back(pool_->concat(text(whole), fraction_above(b.fraction, exclusive)));
  return pool_->any_of(std::move(ways));
}

RegexId Numbers::magnitude_below(const Decimal& b, bool exclusive) {
  const std::string whole = b.whole.empty() ? "0" : b.whole;
  const uint32_t n = static_cast<uint32_t>(whole.size());
  std::vector<RegexId> ways;
  if (n > 1) {
    ways.push_back(pool_->concat(text("0"), optional_fraction_));
    ways.push_back(pool_->concat(pool_->concat(range('1', '9'), digits(0, n - 2)), optional_fraction_));
  }
  for (uint32_t i = 0; i < n; ++i) {
    const char lowest = i == 0 && n > 1 ? '1' : '0';
    if (whole[i] <= lowest) continue;
    const RegexId below = range(lowest, static_cast<char>(whole[i] - 1));
    ways.push_back(pool_->concat(text(whole.substr(0, i)), pool_->concat(below, pool_->concat(digits(n - 1 - i, n - 1 - i), optional_fraction_))));
  }
  ways.push_back(pool_->concat(text(whole), fraction_below(b.fraction, exclusive)));
  return pool_->any_of(std::move(ways));
}

// x >= bound; mirrored: -x >= bound, that is x <= -bound.
RegexId Numbers::at_least_signed(const Decimal& bound, bool exclusive, bool mirrored) {
  const RegexId upward = mirrored ? minus_ : kEpsilon, downward = mirrored ? kEpsilon : minus_;
  if (bound.zero()) {
    const RegexId beyond = pool_->concat(upward, positive_);
    return exclusive ? beyond : pool_->any_of({beyond, pool_->concat(pool_->optional(minus_), zero_)});
  }
  if (!bound.negative) return pool_->concat(upward, magnitude_above(bound, exclusive));
  const RegexId all_upward = pool_->concat(upward, pool_->any_of({positive_, zero_}));
  return pool_->any_of({all_upward, pool_->concat(downward, magnitude_below(bound, exclusive))});
}

RegexId Numbers::at_least(const Decimal& bound, bool exclusive) { return at_least_signed(bound, exclusive, false); }

RegexId Numbers::at_most(const Decimal& bound, bool exclusive) {
  Decimal mirrored = bound;
  mirrored.negative = !bound.zero() && !bound.negative;
  return at_least_signed(mirrored, exclusive, true);
}

Result<RegexId> Numbers::multiple_of(const Decimal& d) {
  if (d.zero() || d.negative) return make_error(ErrorCode::kInvalidArgument, "expected a number above 0");
  const std::string digits = d.whole + d.fraction;
  if (digits.size() > 17 && digits.find_first_not_of('0') + 17 < digits.size()) {
    return make_error(ErrorCode::kUnsupported, "a divisor of more than 17 digits is not supported");
  }
  if (d.fraction.size() > 17) return make_error(ErrorCode::kUnsupported, "a divisor of more than 17 decimals is not supported");
  const RegexId multiple = pool_->decimal_multiple(std::stoull(digits), static_cast<uint32_t>(d.fraction.size()));
  return pool_->concat(pool_->optional(minus_), pool_->all_of({multiple, magnitude_}));
}

RegexId Numbers::complement(RegexId set) {
  if (set == kNever) return any_;
  if (set == any_) return kNever;
  return pool_->all_of({without_exponent_, pool_->negate(set)});
}

}  // namespace rival::text::grammar
