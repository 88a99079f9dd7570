// Filters on numbers.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "text/jinja_builtin.h"
#include "text/jinja_literal.h"
#include "text/jinja_ops.h"

namespace rival::text::jinja {
namespace {

// int(x) of a float; raises what Python raises.
int64_t truncated(double value) {
  if (std::isnan(value)) raise(Raised::kValue, "cannot convert float NaN to integer");
  if (std::isinf(value)) raise(Raised::kArithmetic, "cannot convert float infinity to integer");
  if (std::fabs(value) >= 0x1p63) raise_overflow();
  return static_cast<int64_t>(value);
}

Value integer(Runtime&, const Bound& a) {
  const Value fallback = a.given(1) ? a[1] : Value::integer(0);
  if (a[0].is_undefined()) raise_undefined(a[0]);
  if (a[0].is_integral()) return Value::integer(a[0].integer());
  if (a[0].is(Kind::kFloat)) {
    if (std::isnan(a[0].real())) return fallback;
    return Value::integer(truncated(a[0].real()));
  }
  if (!a[0].is_string()) return fallback;
  const auto parsed = parse_integer(a[0].text(), a.integer(2, 10));
  if (parsed.has_value()) return Value::integer(*parsed);
  const auto real = parse_real(a[0].text());
  if (!real.has_value() || !std::isfinite(*real)) return fallback;
  return Value::integer(truncated(*real));
}

Value real(Runtime&, const Bound& a) {
  const Value fallback = a.given(1) ? a[1] : Value::real(0);
  if (a[0].is_undefined()) raise_undefined(a[0]);
  if (a[0].is_number()) return Value::real(a[0].real());
  if (!a[0].is_string()) return fallback;
  const auto parsed = parse_real(a[0].text());
  return parsed.has_value() ? Value::real(*parsed) : fallback;
}

Value absolute(Runtime&, const Bound& a) {
  if (a[0].is(Kind::kFloat)) return Value::real(std::fabs(a[0].real()));
  if (!a[0].is_integral()) raise(Raised::kType, "bad operand type for abs(): '{}'", type_name(a[0]));
  return a[0].integer() < 0 ? negate(a[0]) : plus(a[0]);
}

int64_t round_integer(int64_t value, int64_t precision) {
  if (precision >= 0) return value;
  if (precision < -18) return 0;
  int64_t unit = 1;
  for (; precision < 0; ++precision) unit *= 10;
  const int64_t rest = ((value % unit) + unit) % unit, low = value - rest;
  const bool up = rest > unit - rest || (rest == unit - rest && (low / unit) % 2 != 0);
  return up ? low + unit : low;
}

// Python rounds the exact decimal value, ties to even; so does printf.
double round_real(double value, int64_t precision) {
  if (!std::isfinite(value) || precision > 323) return value;
  if (precision < -308) return std::copysign(0.0, value);
  if (precision < 0) {
    const long double unit = std::pow(10.0L, static_cast<long double>(-precision));
    return static_cast<double>(std::nearbyint(static_cast<long double>(value) / unit) * unit);
  }
  const std::string text = fmt::format("{:.{}f}", value, precision);
  return std::strtod(text.c_str(), nullptr);
}

Value round_common(const Value& value, const Value& precision) {
  if (value.is_undefined()) raise(Raised::kType, "type Undefined doesn't define __round__ method");
  if (!value.is_number()) raise(Raised::kType, "type {} doesn't define __round__ method", type_name(value));
  if (precision.is_none())
    return Value::integer(value.is_integral() ? value.integer() : truncated(std::nearbyint(value.real())));
  const int64_t digits = integer_argument(precision);
  if (value.is_integral()) return Value::integer(round_integer(value.integer(), digits));
  return Value::real(round_real(value.real(), digits));
}

Value round_filter(Runtime& runtime, const Bound& a) {
  const Value precision = a.given(1) ? a[1] : Value::integer(0);
  const Value method = a.given(2) ? a[2] : runtime.string("common");
  const std::string name = to_text(method);
  if (!method.is_string() || (name != "common" && name != "ceil" && name != "floor"))
    raise(Raised::kRuntime, "method must be common, ceil or floor");
  if (name == "common") return round_common(a[0], precision);
  const Value scale = arithmetic(runtime, Op::kPow, Value::integer(10), precision);
  const Value scaled = arithmetic(runtime, Op::kMul, a[0], scale);
  if (!scaled.is_number()) raise_argument(scaled, "a number");
  const double whole = name == "ceil" ? std::ceil(scaled.real()) : std::floor(scaled.real());
  const Value rounded = scaled.is_integral() ? plus(scaled) : Value::integer(truncated(whole));
  return arithmetic(runtime, Op::kDiv, rounded, scale);
}

double as_real(const Value& value) {
  if (value.is_number()) return value.real();
  if (!value.is_string()) raise_argument(value, "a number");
  const auto parsed = parse_real(value.text());
  if (!parsed.has_value()) raise(Raised::kValue, "could not convert string to float: {}", repr_text(value.text()));
  return *parsed;
}

Value filesizeformat(Runtime& runtime, const Bound& a) {
  static constexpr std::string_view kPrefixes = "kMGTPEZY";
  const double bytes = as_real(a[0]);
  const bool binary = a.flag(1, false);
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return runtime.string("1 Byte");
  if (bytes < base) return runtime.string(fmt::format("{} Bytes", truncated(bytes)));
  double unit = base;
  size_t i = 0;
  do {
    unit *= base;
  } while (!(bytes < unit) && ++i < kPrefixes.size());
  if (i == kPrefixes.size()) {
    --i;
    unit /= base;
  }
  const char prefix = binary && i == 0 ? 'K' : kPrefixes[i];
  return runtime.string(fmt::format("{:.1f} {}{}", base * bytes / unit, prefix, binary ? "iB" : "B"));
}

constexpr Builtin kNumberFilters[] = {
    {"abs", "/x", absolute},
    {"filesizeformat", "value binary?", filesizeformat},
    {"float", "value default?", real},
    {"int", "value default? base?", integer},
    {"round", "value precision? method?", round_filter},
};

}  // namespace

std::span<const Builtin> number_filters() { return kNumberFilters; }

}  // namespace rival::text::jinja
