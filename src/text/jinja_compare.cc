#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "text/jinja_ops.h"

namespace rival::text::jinja {
namespace {

constexpr std::string_view symbol(Op op) {
  constexpr std::string_view kSymbols[] = {"+",  "-", "*",  "/", "//", "%",  "** or pow()",
                                           "==", "!=", "<", "<=", ">", ">=", "in", "not in"};
  return kSymbols[static_cast<int>(op)];
}

template <typename T>
bool ordered(Op op, const T& a, const T& b) {
  switch (op) {
    case Op::kLess: return a < b;
    case Op::kLessEqual: return a <= b;
    case Op::kGreater: return a > b;
    default: return a >= b;
  }
}

// An int and a float are compared exactly: long double holds every int64.
long double exact(const Value& value) {
  return value.is(Kind::kFloat) ? static_cast<long double>(value.real())
                                : static_cast<long double>(value.integer());
}

bool equal_items(const Values& a, const Values& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (!equal(a[i], b[i])) return false;
  return true;
}

bool equal_dicts(const Dict& a, const Dict& b) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const auto& entry : a.entries) {
    const Value* other = b.find(entry.key);
    if (other == nullptr || !equal(entry.value, *other)) return false;
  }
  return true;
}

bool equal_ranges(const Range& a, const Range& b) {
  const int64_t count = a.length();
  if (count != b.length()) return false;
  return count == 0 || (a.start == b.start && (count == 1 || a.step == b.step));
}

// dict.keys() and dict.items() compare as sets.
bool equal_views(const DictView& a, const DictView& b) {
  if (a.part != b.part || a.part == DictView::Part::kValues) return false;
  const Dict& left = a.dict.as<Dict>();
  const Dict& right = b.dict.as<Dict>();
  if (a.part == DictView::Part::kItems) return equal_dicts(left, right);
  if (left.entries.size() != right.entries.size()) return false;
  for (const auto& entry : left.entries)
    if (right.find(entry.key) == nullptr) return false;
  return true;
}

bool equal_objects(const Value& a, const Value& b) {
  a.object()->runtime.spend(1);
  a.object()->runtime.check_stack();
  switch (a.kind()) {
    case Kind::kUndefined: return true;
    case Kind::kString:
      a.object()->runtime.spend_bytes(a.text().size());
      return a.text() == b.text();
    case Kind::kList:
    case Kind::kTuple: return equal_items(a.as<Sequence>().items, b.as<Sequence>().items);
    case Kind::kDict: return equal_dicts(a.as<Dict>(), b.as<Dict>());
    case Kind::kDictView: return equal_views(a.as<DictView>(), b.as<DictView>());
    case Kind::kRange: return equal_ranges(a.as<Range>(), b.as<Range>());
    case Kind::kMethod:
      return &a.as<Method>().builtin == &b.as<Method>().builtin && a.as<Method>().self.same_as(b.as<Method>().self);
    case Kind::kFunction: return &a.as<Function>().builtin == &b.as<Function>().builtin;
    default: return false;
  }
}

bool compare_sequences(Op op, const Values& a, const Values& b) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (!equal(a[i], b[i])) return compare(op, a[i], b[i]);
  return ordered(op, a.size(), b.size());
}

// Beyond every other int, and equal to no float: those are not looked at to the last bit.
bool compare_large(Op op, const Value& a, const Value& b) {
  if (a.is(Kind::kLarge) && b.is(Kind::kLarge)) return ordered(op, a.large(), b.large());
  if (a.is(Kind::kFloat) || b.is(Kind::kFloat)) raise_overflow();
  return a.is(Kind::kLarge) ? ordered(op, 1, 0) : ordered(op, 0, 1);
}

bool compare_order(Op op, const Value& a, const Value& b) {
  const auto whole = [](const Value& value) { return value.is_number() || value.is(Kind::kLarge); };
  if ((a.is(Kind::kLarge) || b.is(Kind::kLarge)) && whole(a) && whole(b)) return compare_large(op, a, b);
  if (a.is_number() && b.is_number()) {
    if (std::isnan(a.real()) || std::isnan(b.real())) return false;
    return ordered(op, exact(a), exact(b));
  }
  if (a.is_string() && b.is_string()) {
    a.object()->runtime.spend_bytes(std::min(a.text().size(), b.text().size()));
    return ordered(op, a.text(), b.text());
  }
  if (a.is_undefined()) raise_undefined(a);
  if (b.is_undefined()) raise_undefined(b);
  if (a.kind() == b.kind() && (a.is(Kind::kList) || a.is(Kind::kTuple))) {
    a.object()->runtime.check_stack();
    return compare_sequences(op, a.as<Sequence>().items, b.as<Sequence>().items);
  }
  raise(Raised::kType, "'{}' not supported between instances of '{}' and '{}'", symbol(op), type_name(a),
        type_name(b));
}

bool view_contains(Runtime& runtime, const DictView& view, const Value& item) {
  const Dict& dict = view.dict.as<Dict>();
  if (view.part == DictView::Part::kKeys) return dict.find(item) != nullptr;
  if (view.part == DictView::Part::kItems) {
    if (!item.is(Kind::kTuple) || item.as<Sequence>().items.size() != 2) return false;
    const Value* found = dict.find(item.as<Sequence>().items[0]);
    return found != nullptr && equal(*found, item.as<Sequence>().items[1]);
  }
  for (const auto& entry : dict.entries) {
    runtime.spend(1);
    if (equal(entry.value, item)) return true;
  }
  return false;
}

bool iterator_contains(Runtime& runtime, const Value& container, const Value& item) {
  const Value iterator = iterate(runtime, container);
  Value element;
  while (iterator.as<Iterator>().next(element))
    if (element.same_as(item) || equal(element, item)) return true;
  return false;
}

}  // namespace

bool truth(const Value& value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kNone:
    case Kind::kUndefined: return false;
    case Kind::kBool:
    case Kind::kInt: return value.integer() != 0;
    case Kind::kFloat: return value.real() != 0;
    case Kind::kLarge: return true;
    default: return !has_length(value) || length(value) != 0;
  }
}

bool equal(const Value& a, const Value& b) {
  if (a.is(Kind::kLarge) || b.is(Kind::kLarge)) return a.same_as(b);
  if (a.is_number() && b.is_number()) {
    if (a.is_integral() && b.is_integral()) return a.integer() == b.integer();
    return exact(a) == exact(b);
  }
  if (a.kind() != b.kind()) return false;
  if (a.same_as(b)) return true;
  return a.is_object() && equal_objects(a, b);
}

bool compare(Op op, const Value& a, const Value& b) {
  switch (op) {
    case Op::kEqual: return equal(a, b);
    case Op::kNotEqual: return !equal(a, b);
    case Op::kIn: return contains(b, a);
    case Op::kNotIn: return !contains(b, a);
    default: return compare_order(op, a, b);
  }
}

bool contains(const Value& container, const Value& item) {
  switch (container.kind()) {
    case Kind::kString: {
      if (!item.is_string())
        raise(Raised::kType, "'in <string>' requires string as left operand, not {}", type_name(item));
      const std::string_view text = container.text(), part = item.text();
      container.object()->runtime.spend_bytes(text.size() * 4);
      return part.empty() || memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
    }
    case Kind::kDict: return container.as<Dict>().find(item) != nullptr;
    case Kind::kList:
    case Kind::kTuple:
      container.object()->runtime.spend(container.as<Sequence>().items.size() / 16);
      for (const Value& element : container.as<Sequence>().items)
        if (element.same_as(item) || equal(element, item)) return true;
      return false;
    case Kind::kDictView: return view_contains(container.object()->runtime, container.as<DictView>(), item);
    default: break;
  }
  if (!iterable(container)) raise(Raised::kType, "argument of type '{}' is not iterable", type_name(container));
  return iterator_contains(container.object()->runtime, container, item);
}

size_t hash_text(std::string_view text) { return std::hash<std::string_view>()(text); }

size_t hash_value(const Value& value) {
  switch (value.kind()) {
    case Kind::kNone: return 0x9E3779B97F4A7C15;
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kLarge: return std::hash<int64_t>()(value.integer());
    case Kind::kFloat:
      if (value.real() == std::floor(value.real()) && std::fabs(value.real()) < 0x1p63)
        return std::hash<int64_t>()(static_cast<int64_t>(value.real()));
      return std::hash<double>()(value.real());
    case Kind::kString:
      value.object()->runtime.spend_bytes(value.text().size());
      return hash_text(value.text());
    case Kind::kUndefined: return 1;
    case Kind::kTuple: {
      value.object()->runtime.check_stack();
      size_t hash = 0x345678;
      for (const Value& item : value.as<Sequence>().items) hash = hash * 1000003 ^ hash_value(item);
      return hash;
    }
    case Kind::kDictView:
      if (value.as<DictView>().part == DictView::Part::kValues) break;
      [[fallthrough]];
    case Kind::kList:
    case Kind::kDict: raise(Raised::kType, "unhashable type: '{}'", type_name(value));
    default: break;
  }
  return std::hash<int64_t>()(value.integer());  // by identity
}

}  // namespace rival::text::jinja
