// iter(), reversed() and list() of Python.
#include "text/jinja_loop.h"
#include "text/jinja_ops.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

Value view_item(Runtime& runtime, const DictView& view, size_t index) {
  const Dict::Entry& entry = view.dict.as<Dict>().entries[index];
  switch (view.part) {
    case DictView::Part::kKeys: return entry.key;
    case DictView::Part::kValues: return entry.value;
    default: return runtime.tuple({entry.key, entry.value});
  }
}

// Item `index` of anything with a length, other than a string (whose characters are not found by index alone).
Value item_at(Runtime& runtime, const Value& value, int64_t index) {
  const auto at = static_cast<size_t>(index);
  switch (value.kind()) {
    case Kind::kList:
    case Kind::kTuple: return value.as<Sequence>().items[at];
    case Kind::kDict: return value.as<Dict>().entries[at].key;
    case Kind::kDictView: return view_item(runtime, value.as<DictView>(), at);
    case Kind::kRange: return Value::integer(range_item(value.as<Range>(), index));
    default: return Value();
  }
}

const char* iterator_name(const Value& value) {
  switch (value.kind()) {
    case Kind::kList: return "list_iterator";
    case Kind::kTuple: return "tuple_iterator";
    case Kind::kDict: return "dict_keyiterator";
    case Kind::kRange: return "range_iterator";
    default: return "iterator";
  }
}

Value iterate_string(Runtime& runtime, const Value& value) {
  return runtime.iterator(
      [&runtime, value, at = size_t{0}](Value& out) mutable {
        const std::string& text = value.as<String>().text;
        if (at >= text.size()) return false;
        std::string item;
        append_code_point(item, next_code_point(text, at));
        out = runtime.string(std::move(item));
        return true;
      },
      "str_iterator");
}

Value iterate_loop(Runtime& runtime, const Value& value) {
  return runtime.iterator([&runtime, value](Value& out) {
    Value item;
    if (!value.as<Loop>().advance(item)) return false;
    out = runtime.tuple({item, value});
    return true;
  });
}

}  // namespace

bool iterable(const Value& value) {
  return value.is_undefined() || value.is(Kind::kIterator) || has_length(value);
}

Value iterate(Runtime& runtime, const Value& value) {
  if (value.is(Kind::kIterator)) return value;
  if (value.is_string()) return iterate_string(runtime, value);
  if (value.is(Kind::kLoop)) return iterate_loop(runtime, value);
  if (!iterable(value)) raise(Raised::kType, "'{}' object is not iterable", type_name(value));
  return runtime.iterator(
      [&runtime, value, at = int64_t{0}, count = length(value)](Value& out) mutable {
        if (at == count) return false;
        out = item_at(runtime, value, at++);
        return true;
      },
      iterator_name(value));
}

Value reversed(Runtime& runtime, const Value& value) {
  if (value.is_string()) {
    const Value characters = runtime.list(to_values(runtime, value));
    return reversed(runtime, characters);
  }
  if (!has_length(value) || value.is(Kind::kLoop))
    raise(Raised::kType, "'{}' object is not reversible", type_name(value));
  return runtime.iterator(
      [&runtime, value, left = length(value)](Value& out) mutable {
        if (left == 0) return false;
        out = item_at(runtime, value, --left);
        return true;
      },
      value.is(Kind::kList) ? "list_reverseiterator" : "reversed");
}

Values to_values(Runtime& runtime, const Value& value) {
  if (value.is(Kind::kList) || value.is(Kind::kTuple)) {
    runtime.spend(value.as<Sequence>().items.size() / 16);
    return value.as<Sequence>().items;
  }
  const Value iterator = iterate(runtime, value);
  Values items;
  Value item;
  while (iterator.as<Iterator>().next(item)) {
    runtime.charge(sizeof(Value));
    runtime.discharge(sizeof(Value));
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace rival::text::jinja
