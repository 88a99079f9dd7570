#include <algorithm>
#include <array>

#include "text/jinja_builtin.h"
#include "text/jinja_loop.h"
#include "text/jinja_ops.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

// The part of Python's object protocol that every value has; a template may look at none of it.
constexpr std::array<std::string_view, 20> kDunders = {
    "__class__", "__doc__", "__init__", "__new__", "__repr__", "__str__",    "__eq__",
    "__ne__",    "__lt__",  "__le__",   "__gt__",  "__ge__",   "__hash__",   "__dir__",
    "__format__", "__reduce__", "__setattr__", "__getattribute__", "__subclasshook__", "__init_subclass__"};

Value refuse(Runtime& runtime, const Value& object, std::string_view name) {
  return runtime.undefined(fmt::format("access to attribute {} of {} object is unsafe.", repr_text(name),
                                       repr_text(type_name(object))),
                           Raised::kSecurity);
}

Value undefined_attribute(Runtime& runtime, const Value& object, std::string_view name) {
  return runtime.undefined(
      fmt::format("{} has no attribute {}", repr_text(type_description(object)), repr_text(name)));
}

Value number_attribute(const Value& number, std::string_view name) {
  if (name == "real") return number.is(Kind::kFloat) ? number : Value::integer(number.integer());
  if (name == "imag") return number.is(Kind::kFloat) ? Value::real(0) : Value::integer(0);
  if (name == "numerator" && number.is_integral()) return Value::integer(number.integer());
  if (name == "denominator" && number.is_integral()) return Value::integer(1);
  return Value();
}

Value range_attribute(const Range& range, std::string_view name) {
  if (name == "start") return Value::integer(range.start);
  if (name == "stop") return Value::integer(range.stop);
  if (name == "step") return Value::integer(range.step);
  return Value();
}

Value cycler_attribute(Runtime& runtime, const Cycler& cycler, std::string_view name) {
  if (name == "current") return cycler.items[cycler.position];
  if (name == "items") return runtime.tuple(cycler.items);
  if (name == "pos") return Value::integer(static_cast<int64_t>(cycler.position));
  return Value();
}

Value namespace_attribute(const Value& object, std::string_view name) {
  const Value& attributes = object.as<Namespace>().attributes;
  const Value* found = attributes.missing() ? nullptr : attributes.as<Dict>().find(name);
  return found != nullptr ? *found : Value();
}

// Attributes other than methods.
Value field(Runtime& runtime, const Value& object, std::string_view name) {
  switch (object.kind()) {
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat: return number_attribute(object, name);
    case Kind::kTuple:
      if (object.as<Sequence>().group && name == "grouper") return object.as<Sequence>().items[0];
      if (object.as<Sequence>().group && name == "list") return object.as<Sequence>().items[1];
      return Value();
    case Kind::kRange: return range_attribute(object.as<Range>(), name);
    case Kind::kNamespace: return namespace_attribute(object, name);
    case Kind::kMacro: return macro_attribute(runtime, object, name);
    case Kind::kLoop: return loop_attribute(runtime, object, name);
    case Kind::kCycler: return cycler_attribute(runtime, object.as<Cycler>(), name);
    case Kind::kJoiner:
      if (name == "sep") return object.as<Joiner>().separator;
      if (name == "used") return Value::boolean(object.as<Joiner>().used);
      return Value();
    default: return Value();
  }
}

// A negative index counts from the end. False where it is out of range.
bool wrap_index(int64_t& index, int64_t size) {
  if (index < 0) index += size;
  return index >= 0 && index < size;
}

// object[key] of Python; kMissing where that raises TypeError or LookupError.
Value subscript(Runtime& runtime, const Value& object, const Value& key) {
  if (object.is(Kind::kDict)) {
    if (key.is_string()) {
      const Value* found = object.as<Dict>().find(key.text());
      return found != nullptr ? *found : Value();
    }
    try {
      const Value* found = object.as<Dict>().find(key);
      return found != nullptr ? *found : Value();
    } catch (const Raise& error) {
      if (error.kind != Raised::kType) throw;
      return Value();
    }
  }
  if (!key.is_integral() || !has_length(object)) return Value();
  int64_t index = key.integer();
  if (!wrap_index(index, length(object))) return Value();
  switch (object.kind()) {
    case Kind::kString: return character(runtime, object, static_cast<size_t>(index));
    case Kind::kList:
    case Kind::kTuple: return object.as<Sequence>().items[static_cast<size_t>(index)];
    case Kind::kRange: return Value::integer(range_item(object.as<Range>(), index));
    default: return Value();
  }
}

struct SliceBounds {
  int64_t start, stop, step, count;
};

int64_t slice_index(const Value& value, int64_t otherwise, int64_t low, int64_t high, int64_t size) {
  if (value.missing() || value.is_none()) return otherwise;
  if (!value.is_integral())
    raise(Raised::kType, "slice indices must be integers or None or have an __index__ method");
  int64_t index = value.integer();
  if (index < 0) index += size;
  return std::clamp(index, low, high);
}

SliceBounds slice_bounds(const Value& start, const Value& stop, const Value& step, int64_t size) {
  SliceBounds bounds{};
  bounds.step = slice_index(step, 1, INT64_MIN + 1, INT64_MAX, 0);
  if (bounds.step == 0) raise(Raised::kValue, "slice step cannot be zero");
  const bool forward = bounds.step > 0;
  const int64_t low = forward ? 0 : -1, high = forward ? size : size - 1;
  bounds.start = slice_index(start, forward ? low : high, low, high, size);
  bounds.stop = slice_index(stop, forward ? high : low, low, high, size);
  if (forward && bounds.start < bounds.stop) bounds.count = (bounds.stop - bounds.start - 1) / bounds.step + 1;
  if (!forward && bounds.start > bounds.stop) bounds.count = (bounds.start - bounds.stop - 1) / -bounds.step + 1;
  return bounds;
}

Value slice_string(Runtime& runtime, const Value& object, const SliceBounds& bounds) {
  if (!object.as<String>().ascii() || bounds.step != 1) spend_on_reading(object);
  const String& string = object.as<String>();
  if (bounds.step == 1) {
    const auto first = static_cast<size_t>(bounds.start), count = static_cast<size_t>(bounds.count);
    if (string.ascii()) return runtime.string(string.text.substr(first, count), string.markup);
    const std::string_view from = std::string_view(string.text).substr(byte_of(string.text, first));
    return runtime.string(std::string(from.substr(0, byte_of(from, count))), string.markup);
  }
  const std::u32string points = decode(string.text);
  std::string result;
  for (int64_t i = 0; i < bounds.count; ++i)
    append_code_point(result, points[static_cast<size_t>(bounds.start + i * bounds.step)]);
  return runtime.string(std::move(result), string.markup);
}

Value slice_items(Runtime& runtime, const Value& object, const SliceBounds& bounds) {
  Values items;
  items.reserve(static_cast<size_t>(bounds.count));
  for (int64_t i = 0; i < bounds.count; ++i)
    items.push_back(object.as<Sequence>().items[static_cast<size_t>(bounds.start + i * bounds.step)]);
  return runtime.make<Sequence>(object.kind(), std::move(items));
}

Value slice_range(Runtime& runtime, const Range& range, const SliceBounds& bounds) {
  return runtime.make<Range>(range.start + bounds.start * range.step, range.start + bounds.stop * range.step,
                             range.step * bounds.step);
}

}  // namespace

void spend_on_reading(const Value& value) {
  constexpr size_t kSlower = 16;  // one character after the other than copying
  if (value.is_string()) {
    value.object()->runtime.spend_bytes(value.text().size() * kSlower);
  } else if (value.is(Kind::kList) || value.is(Kind::kTuple)) {
    value.object()->runtime.spend_bytes(value.as<Sequence>().items.size() * sizeof(Value));
  }
}

int64_t range_item(const Range& range, int64_t index) { return range.start + index * range.step; }

Value character(Runtime& runtime, const Value& object, size_t index) {
  const String& string = object.as<String>();
  if (string.ascii()) return runtime.string(std::string(1, string.text[index]), string.markup);
  spend_on_reading(object);
  size_t at = byte_of(string.text, index);
  std::string result;
  append_code_point(result, next_code_point(string.text, at));
  return runtime.string(std::move(result), string.markup);
}

Value python_attribute(Runtime& runtime, const Value& object, std::string_view name) {
  const bool dunder = name.starts_with("__") && !object.is(Kind::kNamespace);
  if (dunder && std::find(kDunders.begin(), kDunders.end(), name) != kDunders.end())
    return refuse(runtime, object, name);
  if (object.is_undefined()) raise_undefined(object);
  if (dunder) return Value();
  Value value = field(runtime, object, name);
  if (!value.missing()) return value;
  const Builtin* method = find_method(object.kind(), name);
  if (method == nullptr) return Value();
  return method->mutates ? refuse(runtime, object, name) : runtime.make<Method>(object, *method);
}

Value get_attribute(Runtime& runtime, const Value& object, std::string_view name) {
  Value value = python_attribute(runtime, object, name);
  if (!value.missing()) return value;
  if (object.is(Kind::kDict)) {
    const Value* found = object.as<Dict>().find(name);
    if (found != nullptr) return *found;
  }
  return undefined_attribute(runtime, object, name);
}

Value get_item(Runtime& runtime, const Value& object, const Value& key) {
  if (object.is_undefined()) raise_undefined(object);
  Value value = subscript(runtime, object, key);
  if (!value.missing()) return value;
  if (!key.is_string())
    return runtime.undefined(fmt::format("{} has no element {}", type_description(object), repr(key)));
  value = python_attribute(runtime, object, key.text());
  return value.missing() ? undefined_attribute(runtime, object, key.text()) : value;
}

Value get_slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step) {
  if (object.is_undefined()) raise_undefined(object);
  const bool sliceable =
      object.is_string() || object.is(Kind::kList) || object.is(Kind::kTuple) || object.is(Kind::kRange);
  if (!sliceable) raise(Raised::kType, "'{}' object cannot be sliced", type_name(object));
  const SliceBounds bounds = slice_bounds(start, stop, step, length(object));
  if (object.is_string()) return slice_string(runtime, object, bounds);
  if (object.is(Kind::kRange)) return slice_range(runtime, object.as<Range>(), bounds);
  return slice_items(runtime, object, bounds);
}

bool has_length(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kDictView:
    case Kind::kRange:
    case Kind::kLoop: return true;
    default: return false;
  }
}

int64_t length(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: return 0;
    case Kind::kString: return static_cast<int64_t>(value.as<String>().length);
    case Kind::kList:
    case Kind::kTuple: return static_cast<int64_t>(value.as<Sequence>().items.size());
    case Kind::kDict: return static_cast<int64_t>(value.as<Dict>().entries.size());
    case Kind::kDictView: return static_cast<int64_t>(value.as<DictView>().dict.as<Dict>().entries.size());
    case Kind::kRange: return value.as<Range>().length();
    case Kind::kLoop: return value.as<Loop>().length();
    default: raise(Raised::kType, "object of type '{}' has no len()", type_name(value));
  }
}

}  // namespace rival::text::jinja
