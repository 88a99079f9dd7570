// Tests: what may stand behind `is`.
#include "text/jinja_builtin.h"
#include "text/jinja_ops.h"

namespace rival::text::jinja {
namespace {

template <int kRest>
Value parity(Runtime& runtime, const Bound& a) {
  return Value::boolean(equal(arithmetic(runtime, Op::kMod, a[0], Value::integer(2)), Value::integer(kRest)));
}

Value divisibleby(Runtime& runtime, const Bound& a) {
  return Value::boolean(equal(arithmetic(runtime, Op::kMod, a[0], a[1]), Value::integer(0)));
}

template <Op kOp>
Value comparing(Runtime&, const Bound& a) {
  return Value::boolean(compare(kOp, a[0], a[1]));
}

template <Kind kKind>
Value of_kind(Runtime&, const Bound& a) {
  return Value::boolean(a[0].is(kKind));
}

Value defined(Runtime&, const Bound& a) { return Value::boolean(!a[0].is_undefined()); }

template <bool kTruth>
Value is_bool(Runtime&, const Bound& a) {
  return Value::boolean(a[0].is(Kind::kBool) && (a[0].integer() != 0) == kTruth);
}

Value number(Runtime&, const Bound& a) { return Value::boolean(a[0].is_number() || a[0].is(Kind::kLarge)); }
Value integer(Runtime&, const Bound& a) { return Value::boolean(a[0].is(Kind::kInt) || a[0].is(Kind::kLarge)); }

Value sequence(Runtime&, const Bound& a) {
  const Value& value = a[0];
  return Value::boolean(has_length(value) && !value.is(Kind::kDictView) && !value.is(Kind::kLoop));
}

Value is_iterable(Runtime&, const Bound& a) { return Value::boolean(iterable(a[0])); }

Value is_callable(Runtime&, const Bound& a) {
  const Kind kind = a[0].kind();
  return Value::boolean(kind == Kind::kMacro || kind == Kind::kFunction || kind == Kind::kMethod ||
                        kind == Kind::kLoop || kind == Kind::kJoiner || kind == Kind::kUndefined);
}

Value sameas(Runtime&, const Bound& a) { return Value::boolean(a[0].same_as(a[1])); }

Value escaped(Runtime&, const Bound& a) { return Value::boolean(a[0].is_string() && a[0].as<String>().markup); }

// str(value).islower() or .isupper()
template <bool kUpper>
Value has_case(Runtime& runtime, const Bound& a) {
  Arguments arguments;
  arguments.positional.push_back(runtime.string(to_text(a[0])));
  return call_builtin(runtime, *find_method(Kind::kString, kUpper ? "isupper" : "islower"), std::move(arguments));
}

Value is_filter(Runtime&, const Bound& a) {
  hash_value(a[0]);
  return Value::boolean(a[0].is_string() && find_filter(a[0].text()) != nullptr);
}

Value is_test(Runtime&, const Bound& a) {
  hash_value(a[0]);
  return Value::boolean(a[0].is_string() && find_test(a[0].text()) != nullptr);
}

constexpr Builtin kTests[] = {
    {"!=", "/a /b", comparing<Op::kNotEqual>},
    {"<", "/a /b", comparing<Op::kLess>},
    {"<=", "/a /b", comparing<Op::kLessEqual>},
    {"==", "/a /b", comparing<Op::kEqual>},
    {">", "/a /b", comparing<Op::kGreater>},
    {">=", "/a /b", comparing<Op::kGreaterEqual>},
    {"boolean", "value", of_kind<Kind::kBool>},
    {"callable", "/value", is_callable},
    {"defined", "value", defined},
    {"divisibleby", "value num", divisibleby},
    {"eq", "/a /b", comparing<Op::kEqual>},
    {"equalto", "/a /b", comparing<Op::kEqual>},
    {"escaped", "value", escaped},
    {"even", "value", parity<0>},
    {"false", "value", is_bool<false>},
    {"filter", "value", is_filter},
    {"float", "value", of_kind<Kind::kFloat>},
    {"ge", "/a /b", comparing<Op::kGreaterEqual>},
    {"greaterthan", "/a /b", comparing<Op::kGreater>},
    {"gt", "/a /b", comparing<Op::kGreater>},
    {"in", "value seq", comparing<Op::kIn>},
    {"integer", "value", integer},
    {"iterable", "value", is_iterable},
    {"le", "/a /b", comparing<Op::kLessEqual>},
    {"lessthan", "/a /b", comparing<Op::kLess>},
    {"lower", "value", has_case<false>},
    {"lt", "/a /b", comparing<Op::kLess>},
    {"mapping", "value", of_kind<Kind::kDict>},
    {"ne", "/a /b", comparing<Op::kNotEqual>},
    {"none", "value", of_kind<Kind::kNone>},
    {"number", "value", number},
    {"odd", "value", parity<1>},
    {"sameas", "value other", sameas},
    {"sequence", "value", sequence},
    {"string", "value", of_kind<Kind::kString>},
    {"test", "value", is_test},
    {"true", "value", is_bool<true>},
    {"undefined", "value", of_kind<Kind::kUndefined>},
    {"upper", "value", has_case<true>},
};

}  // namespace

const Builtin* find_test(std::string_view name) {
  for (const Builtin& row : kTests)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace rival::text::jinja
