// Filters on sequences, in their order.
#include <memory>

#include "text/jinja_attribute_getter.h"
#include "text/jinja_builtin.h"
#include "text/jinja_ops.h"

namespace rival::text::jinja {
namespace {

Value first(Runtime& runtime, const Bound& a) {
  Value item;
  if (iterate(runtime, a[0]).as<Iterator>().next(item)) return item;
  return runtime.undefined("No first item, sequence was empty.");
}

Value last(Runtime& runtime, const Bound& a) {
  if (a[0].is_undefined()) return runtime.undefined("No last item, sequence was empty.");
  Value item;
  if (reversed(runtime, a[0]).as<Iterator>().next(item)) return item;
  return runtime.undefined("No last item, sequence was empty.");
}

Value random_filter(Runtime&, const Bound&) {
  raise(Raised::kUnsupported, "the filter random is not supported: a prompt must not depend on chance");
}

Value length_filter(Runtime&, const Bound& a) { return Value::integer(length(a[0])); }

Value list(Runtime& runtime, const Bound& a) { return runtime.list(to_values(runtime, a[0])); }

Value join(Runtime& runtime, const Bound& a) {
  const AttributeGetter getter(runtime, a[2], false);
  const std::string between = a.given(1) ? to_text(a[1]) : "";
  const Value iterator = iterate(runtime, a[0]);
  std::string result;
  Value item;
  for (size_t i = 0; iterator.as<Iterator>().next(item); ++i) {
    if (i > 0) result += between;
    append_text(result, getter(item));
    Runtime::check_size(result.size());
  }
  return runtime.string(std::move(result));
}

Value sum(Runtime& runtime, const Bound& a) {
  const AttributeGetter getter(runtime, a[1], false);
  const Value iterator = iterate(runtime, a[0]);
  Value total = a.given(2) ? a[2] : Value::integer(0);
  if (total.is_string()) raise(Raised::kType, "sum() can't sum strings [use ''.join(seq) instead]");
  Value item;
  while (iterator.as<Iterator>().next(item)) total = arithmetic(runtime, Op::kAdd, total, getter(item));
  return total;
}

Value reverse(Runtime& runtime, const Bound& a) {
  if (a[0].is_string()) return get_slice(runtime, a[0], Value(), Value(), Value::integer(-1));
  if (has_length(a[0])) return reversed(runtime, a[0]);
  if (!iterable(a[0])) raise(Raised::kRuntime, "argument must be iterable");
  return runtime.list(to_values(runtime, reversed(runtime, runtime.list(to_values(runtime, a[0])))));
}

Value batch(Runtime& runtime, const Bound& a) {
  const int64_t size = integer_argument(a[1]);
  const Value fill = a.none(2) ? Value() : a[2];
  return runtime.iterator([&runtime, source = a[0], iterator = Value(), size, fill,
                           pending = Value()](Value& out) mutable {
    if (iterator.missing()) iterator = iterate(runtime, source);
    Values items;
    if (!pending.missing()) items.push_back(std::exchange(pending, Value()));
    Value item;
    while (iterator.as<Iterator>().next(item)) {
      if (static_cast<int64_t>(items.size()) == size) {
        pending = item;
        out = runtime.list(std::move(items));
        return true;
      }
      items.push_back(item);
    }
    if (items.empty()) return false;
    while (!fill.missing() && static_cast<int64_t>(items.size()) < size) {
      runtime.spend(1);
      items.push_back(fill);
    }
    out = runtime.list(std::move(items));
    return true;
  });
}

Value slice(Runtime& runtime, const Bound& a) {
  const int64_t slices = integer_argument(a[1]);
  const Value fill = a.none(2) ? Value() : a[2];
  return runtime.iterator([&runtime, source = a[0], items = Value(), slices, fill, number = int64_t{0},
                           start = size_t{0}](Value& out) mutable {
    if (items.missing()) items = runtime.list(to_values(runtime, source));
    if (slices == 0) raise(Raised::kArithmetic, "integer division or modulo by zero");
    if (number >= slices) return false;
    const Values& all = items.as<Sequence>().items;
    const auto count = static_cast<int64_t>(all.size());
    const bool extra = number < count % slices;
    const auto size = static_cast<size_t>(count / slices + (extra ? 1 : 0));
    Values part(all.begin() + static_cast<ptrdiff_t>(start), all.begin() + static_cast<ptrdiff_t>(start + size));
    if (!fill.missing() && !extra) part.push_back(fill);
    start += size;
    ++number;
    out = runtime.list(std::move(part));
    return true;
  });
}

Value items(Runtime& runtime, const Bound& a) {
  return runtime.iterator([&runtime, source = a[0], iterator = Value()](Value& out) mutable {
    if (iterator.missing()) {
      if (source.is_undefined()) return false;
      if (!source.is(Kind::kDict)) raise(Raised::kType, "Can only get item pairs from a mapping.");
      iterator = iterate(runtime, runtime.make<DictView>(source, DictView::Part::kItems));
    }
    return iterator.as<Iterator>().next(out);
  });
}

Value unique(Runtime& runtime, const Bound& a) {
  const AttributeGetter getter(runtime, a[2], !a.flag(1, false));
  return runtime.iterator([&runtime, source = a[0], iterator = Value(), getter,
                           seen = runtime.make<Dict>()](Value& out) mutable {
    if (iterator.missing()) iterator = iterate(runtime, source);
    Value item;
    while (iterator.as<Iterator>().next(item)) {
      const Value key = getter(item);
      if (seen.as<Dict>().find(key) != nullptr) continue;
      seen.as<Dict>().set(key, Value::none());
      out = item;
      return true;
    }
    return false;
  });
}

constexpr Builtin kSequenceFilters[] = {
    {"batch", "value linecount fill_with?", batch},
    {"count", "/obj", length_filter},
    {"first", "seq", first},
    {"items", "value", items},
    {"join", "value d? attribute?", join},
    {"last", "seq", last},
    {"length", "/obj", length_filter},
    {"list", "value", list},
    {"random", "seq", random_filter},
    {"reverse", "value", reverse},
    {"slice", "value slices fill_with?", slice},
    {"sum", "iterable attribute? start?", sum},
    {"unique", "value case_sensitive? attribute?", unique},
};

}  // namespace

std::span<const Builtin> sequence_filters() { return kSequenceFilters; }

}  // namespace rival::text::jinja
