#include <cmath>

#include "base/limits.h"
#include "text/jinja_format.h"
#include "text/jinja_ops.h"

namespace rival::text::jinja {
namespace {

constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};

[[noreturn]] void raise_operands(Op op, const Value& a, const Value& b) {
  raise(Raised::kType, "unsupported operand type(s) for {}: '{}' and '{}'", kSymbols[static_cast<int>(op)],
        type_name(a), type_name(b));
}

int64_t integer_power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (true) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) raise_overflow();
    exponent >>= 1;
    if (exponent == 0) return result;
    if (__builtin_mul_overflow(base, base, &base)) raise_overflow();
  }
}

double real_power(double base, double exponent) {
  if (base == 0 && exponent < 0) raise(Raised::kArithmetic, "0.0 cannot be raised to a negative power");
  if (base < 0 && std::isfinite(exponent) && exponent != std::floor(exponent))
    raise(Raised::kUnsupported, "a fractional power of a negative number (complex numbers) is not supported");
  const double result = std::pow(base, exponent);
  if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent))
    raise(Raised::kArithmetic, "(34, 'Numerical result out of range')");
  return result;
}

double real_modulo(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  if ((b < 0) != (rest < 0)) rest += b;
  return rest;
}

double real_floor_divide(double a, double b) {
  const double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

Value integer_arithmetic(Op op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case Op::kAdd: overflow = __builtin_add_overflow(a, b, &result); break;
    case Op::kSub: overflow = __builtin_sub_overflow(a, b, &result); break;
    case Op::kMul: overflow = __builtin_mul_overflow(a, b, &result); break;
    case Op::kPow:
      if (b < 0) return Value::real(real_power(static_cast<double>(a), static_cast<double>(b)));
      return Value::integer(integer_power(a, b));
    default: break;
  }
  if (overflow) raise_overflow();
  if (op <= Op::kMul) return Value::integer(result);
  if (b == 0) raise(Raised::kArithmetic, "{}", op == Op::kDiv ? "division by zero" : "integer division or modulo by zero");
  if (op == Op::kDiv) return Value::real(static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
  if (b == -1) return op == Op::kMod ? Value::integer(0) : negate(Value::integer(a));
  const int64_t rest = a % b;
  const bool adjust = rest != 0 && (rest < 0) != (b < 0);
  return Value::integer(op == Op::kMod ? rest + (adjust ? b : 0) : a / b - (adjust ? 1 : 0));
}

Value real_arithmetic(Op op, double a, double b) {
  if (b == 0 && (op == Op::kDiv || op == Op::kFloorDiv || op == Op::kMod))
    raise(Raised::kArithmetic, "float division by zero");
  switch (op) {
    case Op::kAdd: return Value::real(a + b);
    case Op::kSub: return Value::real(a - b);
    case Op::kMul: return Value::real(a * b);
    case Op::kDiv: return Value::real(a / b);
    case Op::kFloorDiv: return Value::real(real_floor_divide(a, b));
    case Op::kMod: return Value::real(real_modulo(a, b));
    default: return Value::real(real_power(a, b));
  }
}

Value add_strings(Runtime& runtime, const Value& a, const Value& b) {
  const bool markup = a.as<String>().markup || b.as<String>().markup;
  const Value left = markup ? escape(runtime, a) : a, right = markup ? escape(runtime, b) : b;
  std::string result;
  result.reserve(left.text().size() + right.text().size());
  result += left.text();
  result += right.text();
  return runtime.string(std::move(result), markup);
}

Value add_sequences(Runtime& runtime, const Value& a, const Value& b) {
  Values items = a.as<Sequence>().items;
  const Values& more = b.as<Sequence>().items;
  items.insert(items.end(), more.begin(), more.end());
  return runtime.make<Sequence>(a.kind(), std::move(items));
}

size_t repeated_size(size_t size, int64_t count) {
  if (count <= 0 || size == 0) return 0;
  if (static_cast<uint64_t>(count) > limits::kTemplateOutputBytesMax / size)
    raise(Raised::kLimit, "a repetition of {} times {} is too large", size, count);
  return size * static_cast<size_t>(count);
}

Value repeat(Runtime& runtime, const Value& value, int64_t count) {
  if (value.is_string()) {
    std::string result;
    const size_t size = repeated_size(value.text().size(), count);
    result.reserve(size);
    while (result.size() < size) result += value.text();
    return runtime.string(std::move(result), value.as<String>().markup);
  }
  const Values& items = value.as<Sequence>().items;
  Values result;
  const size_t size = repeated_size(items.size(), count);
  runtime.spend(size / 16);
  result.reserve(size);
  while (result.size() < size) result.insert(result.end(), items.begin(), items.end());
  return runtime.make<Sequence>(value.kind(), std::move(result));
}

bool repeatable(const Value& value) {
  return value.is_string() || value.is(Kind::kList) || value.is(Kind::kTuple);
}

}  // namespace

void raise_undefined(const Value& value) {
  raise(value.as<Undefined>().raised, "{}", value.as<Undefined>().message);
}

void raise_overflow() { raise(Raised::kUnsupported, "integers beyond 64 bits are not supported"); }

Value arithmetic(Runtime& runtime, Op op, const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) return integer_arithmetic(op, a.integer(), b.integer());
  if (a.is_number() && b.is_number()) return real_arithmetic(op, a.real(), b.real());
  if ((a.is(Kind::kLarge) || b.is(Kind::kLarge)) && !a.is_object() && !b.is_object()) raise_overflow();
  if (a.is_undefined()) raise_undefined(a);
  if (a.is_string() && op == Op::kMod) return format_percent(runtime, a, b);
  if (b.is_undefined()) raise_undefined(b);
  if (op == Op::kAdd && a.is_string() && b.is_string()) return add_strings(runtime, a, b);
  if (op == Op::kAdd && a.kind() == b.kind() && (a.is(Kind::kList) || a.is(Kind::kTuple)))
    return add_sequences(runtime, a, b);
  if (op == Op::kMul && repeatable(a) && b.is_integral()) return repeat(runtime, a, b.integer());
  if (op == Op::kMul && repeatable(b) && a.is_integral()) return repeat(runtime, b, a.integer());
  raise_operands(op, a, b);
}

Value negate(const Value& value) {
  if (value.is(Kind::kFloat)) return Value::real(-value.real());
  if (value.is_undefined()) raise_undefined(value);
  if (!value.is_integral()) raise(Raised::kType, "bad operand type for unary -: '{}'", type_name(value));
  if (value.integer() == INT64_MIN) raise_overflow();
  return Value::integer(-value.integer());
}

Value plus(const Value& value) {
  if (value.is(Kind::kFloat)) return value;
  if (value.is_undefined()) raise_undefined(value);
  if (!value.is_integral()) raise(Raised::kType, "bad operand type for unary +: '{}'", type_name(value));
  return Value::integer(value.integer());
}

}  // namespace rival::text::jinja
