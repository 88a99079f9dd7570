// Methods of everything but str.
#include <algorithm>
#include <cmath>

#include "text/jinja_builtin.h"
#include "text/jinja_ops.h"

namespace rival::text::jinja {
namespace {

Value refused(Runtime&, const Bound&) { return Value::none(); }  // never called: the sandbox refuses the attribute

int64_t clamp_index(const Bound& a, size_t i, int64_t otherwise, int64_t size) {
  if (!a.given(i)) return otherwise;
  const int64_t value = integer_argument(a[i]);
  return std::clamp<int64_t>(value < 0 ? value + size : value, 0, size);
}

Value sequence_index(Runtime&, const Bound& a) {
  const Values& items = a[0].as<Sequence>().items;
  const auto size = static_cast<int64_t>(items.size());
  const int64_t end = clamp_index(a, 3, size, size);
  for (int64_t i = clamp_index(a, 2, 0, size); i < end; ++i)
    if (items[static_cast<size_t>(i)].same_as(a[1]) || equal(items[static_cast<size_t>(i)], a[1]))
      return Value::integer(i);
  raise(Raised::kValue, "{} is not in {}", repr(a[1]), type_name(a[0]));
}

Value sequence_count(Runtime&, const Bound& a) {
  int64_t count = 0;
  for (const Value& item : a[0].as<Sequence>().items)
    if (item.same_as(a[1]) || equal(item, a[1])) ++count;
  return Value::integer(count);
}

Value list_copy(Runtime& runtime, const Bound& a) { return runtime.list(a[0].as<Sequence>().items); }

Value dict_get(Runtime&, const Bound& a) {
  const Value* found = a[0].as<Dict>().find(a[1]);
  if (found != nullptr) return *found;
  return a.given(2) ? a[2] : Value::none();
}

template <DictView::Part kPart>
Value dict_view(Runtime& runtime, const Bound& a) {
  return runtime.make<DictView>(a[0], kPart);
}

Value dict_copy(Runtime& runtime, const Bound& a) {
  const Value copy = runtime.make<Dict>();
  for (const Dict::Entry& entry : a[0].as<Dict>().entries) copy.as<Dict>().set(entry.key, entry.value);
  return copy;
}

Value range_index(Runtime& runtime, const Bound& a) {
  const Range& range = a[0].as<Range>();
  const int64_t count = range.length();
  runtime.spend(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    if (equal(Value::integer(range_item(range, i)), a[1])) return Value::integer(i);
  raise(Raised::kValue, "{} is not in range", repr(a[1]));
}

Value range_count(Runtime&, const Bound& a) { return Value::integer(contains(a[0], a[1]) ? 1 : 0); }

Value cycler_next(Runtime&, const Bound& a) {
  Cycler& cycler = a[0].as<Cycler>();
  const Value value = cycler.items[cycler.position];
  cycler.position = (cycler.position + 1) % cycler.items.size();
  return value;
}

Value cycler_reset(Runtime&, const Bound& a) {
  a[0].as<Cycler>().position = 0;
  return Value::none();
}

Value is_integer(Runtime&, const Bound& a) {
  return Value::boolean(std::isfinite(a[0].real()) && std::trunc(a[0].real()) == a[0].real());
}

constexpr Builtin kListMethods[] = {
    {"append", "*", refused, true},
    {"clear", "*", refused, true},
    {"copy", "/self", list_copy},
    {"count", "/self /value", sequence_count},
    {"extend", "*", refused, true},
    {"index", "/self /value /start? /end?", sequence_index},
    {"insert", "*", refused, true},
    {"pop", "*", refused, true},
    {"remove", "*", refused, true},
    {"reverse", "*", refused, true},
    {"sort", "*", refused, true},
};

constexpr Builtin kTupleMethods[] = {
    {"count", "/self /value", sequence_count},
    {"index", "/self /value /start? /end?", sequence_index},
};

constexpr Builtin kDictMethods[] = {
    {"clear", "*", refused, true},
    {"copy", "/self", dict_copy},
    {"get", "/self /key /default?", dict_get},
    {"items", "/self", dict_view<DictView::Part::kItems>},
    {"keys", "/self", dict_view<DictView::Part::kKeys>},
    {"pop", "*", refused, true},
    {"popitem", "*", refused, true},
    {"setdefault", "*", refused, true},
    {"update", "*", refused, true},
    {"values", "/self", dict_view<DictView::Part::kValues>},
};

constexpr Builtin kRangeMethods[] = {
    {"count", "/self /value", range_count},
    {"index", "/self /value", range_index},
};

constexpr Builtin kCyclerMethods[] = {
    {"next", "/self", cycler_next},
    {"reset", "/self", cycler_reset},
};

constexpr Builtin kFloatMethods[] = {{"is_integer", "/self", is_integer}};

std::span<const Builtin> methods(Kind kind) {
  switch (kind) {
    case Kind::kString: return string_methods();
    case Kind::kList: return kListMethods;
    case Kind::kTuple: return kTupleMethods;
    case Kind::kDict: return kDictMethods;
    case Kind::kRange: return kRangeMethods;
    case Kind::kCycler: return kCyclerMethods;
    case Kind::kFloat: return kFloatMethods;
    default: return {};
  }
}

}  // namespace

const Builtin* find_method(Kind kind, std::string_view name) {
  for (const Builtin& row : methods(kind))
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace rival::text::jinja
