// Filters that compare items with each other.
#include <algorithm>
#include <bit>

#include "text/jinja_attribute_getter.h"
#include "text/jinja_builtin.h"
#include "text/jinja_ops.h"

namespace rival::text::jinja {
namespace {

struct Keyed {
  Value key;
  Value item;
};

// Python's sorted(): stable, and only ever asks whether one key is less than another.
void sort_by_key(Runtime& runtime, std::vector<Keyed>& items, bool reverse) {
  if (items.size() == 1) return;
  runtime.spend(items.size() * std::bit_width(items.size()) / 4);
  std::stable_sort(items.begin(), items.end(), [reverse](const Keyed& a, const Keyed& b) {
    return reverse ? compare(Op::kLess, b.key, a.key) : compare(Op::kLess, a.key, b.key);
  });
}

Values items_of(std::vector<Keyed> keyed) {
  Values items;
  items.reserve(keyed.size());
  for (Keyed& entry : keyed) items.push_back(std::move(entry.item));
  return items;
}

Value sort(Runtime& runtime, const Bound& a) {
  const auto getters = AttributeGetter::split(runtime, a[3], !a.flag(2, false));
  std::vector<Keyed> keyed;
  for (const Value& item : to_values(runtime, a[0])) keyed.push_back({AttributeGetter::several(getters, item), item});
  sort_by_key(runtime, keyed, a.integer(1, 0) != 0);
  return runtime.list(items_of(std::move(keyed)));
}

template <Op kBetter>
Value extreme(Runtime& runtime, const Bound& a) {
  const AttributeGetter getter(runtime, a[2], !a.flag(1, false));
  const Value iterator = iterate(runtime, a[0]);
  Value best, best_key, item;
  while (iterator.as<Iterator>().next(item)) {
    const Value key = getter(item);
    if (!best.missing() && !compare(kBetter, key, best_key)) continue;
    best = item;
    best_key = key;
  }
  return best.missing() ? runtime.undefined("No aggregated item, sequence was empty.") : best;
}

Value groupby(Runtime& runtime, const Bound& a) {
  const bool ignore_case = !a.flag(3, false);
  const AttributeGetter getter(runtime, a[1], ignore_case, a[2]);
  const AttributeGetter original(runtime, a[1], false, a[2]);
  std::vector<Keyed> keyed;
  for (const Value& item : to_values(runtime, a[0])) keyed.push_back({getter(item), item});
  sort_by_key(runtime, keyed, false);
  Values groups;
  for (size_t i = 0; i < keyed.size();) {
    Values members;
    const size_t start = i;
    for (; i < keyed.size() && equal(keyed[i].key, keyed[start].key); ++i) members.push_back(keyed[i].item);
    const Value grouper = ignore_case ? original(members[0]) : keyed[start].key;
    groups.push_back(runtime.tuple({grouper, runtime.list(std::move(members))}));
    groups.back().as<Sequence>().group = true;
  }
  return runtime.list(std::move(groups));
}

Value dictsort(Runtime& runtime, const Bound& a) {
  const bool case_sensitive = a.flag(1, false);
  const std::string by = a.given(2) ? to_text(a[2]) : "key";
  if (by != "key" && by != "value") raise(Raised::kRuntime, "You can only sort by either \"key\" or \"value\"");
  if (!a[0].is(Kind::kDict)) raise_argument(a[0], "a mapping");
  const AttributeGetter fold(runtime, Value(), !case_sensitive);
  std::vector<Keyed> keyed;
  for (const Dict::Entry& entry : a[0].as<Dict>().entries)
    keyed.push_back({fold(by == "key" ? entry.key : entry.value), runtime.tuple({entry.key, entry.value})});
  sort_by_key(runtime, keyed, a.integer(3, 0) != 0);
  return runtime.list(items_of(std::move(keyed)));
}

constexpr Builtin kOrderFilters[] = {
    {"dictsort", "value case_sensitive? by? reverse?", dictsort},
    {"groupby", "value attribute default? case_sensitive?", groupby},
    {"max", "value case_sensitive? attribute?", extreme<Op::kGreater>},
    {"min", "value case_sensitive? attribute?", extreme<Op::kLess>},
    {"sort", "value reverse? case_sensitive? attribute?", sort},
};

}  // namespace

std::span<const Builtin> order_filters() { return kOrderFilters; }

}  // namespace rival::text::jinja
