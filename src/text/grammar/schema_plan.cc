// From normal forms to what the machine runs: everything reachable is typed, values that cannot exist are cut away.
#include <algorithm>
#include <ranges>

#include "base/limits.h"
#include "text/grammar/schema_compiler.h"

namespace rival::text::grammar {

namespace {

constexpr size_t kObligationsMax = 4;
constexpr size_t kContainsMax = 3;            // counters of 16 bits in Thread::hits
constexpr size_t kKeyClassesMax = 30;         // patterns of one object: bits of a mask
constexpr size_t kKeyLanguagesMax = 64;       // sets of patterns that some key matches together
constexpr uint32_t kContainsCountMax = 60'000;

}  // namespace

Status SchemaCompiler::reach_all(TypeId root) {
  std::vector<TypeId> open{root};
  std::vector<bool> seen;
  while (!open.empty()) {
    const TypeId id = open.back();
    open.pop_back();
    if (id >= seen.size()) seen.resize(nodes_.size());
    if (seen[id]) continue;
    seen[id] = true;
    RIVAL_ASSIGN_OR_RETURN(const Type t, type(id));
    reachable_.push_back(id);
    for (uint32_t i : t.objects) RIVAL_RETURN_IF_ERROR(plan_object(i, &open));
    for (uint32_t i : t.arrays) RIVAL_RETURN_IF_ERROR(plan_array(i, &open));
  }
  return {};
}

std::vector<ObjectPlan::Choice> SchemaCompiler::member_choices(const ObjectShape& shape, TypeId base, uint32_t obligations) {
  std::vector<ObjectPlan::Choice> choices;
  if (base == kNeverType) return choices;
  for (uint32_t hits = obligations;; hits = (hits - 1) & obligations) {  // every subset
    std::vector<TypeId> parts{base};
    for (size_t k = 0; k < shape.obligations.size(); ++k) {
      if ((hits >> k & 1) != 0) parts.push_back(shape.obligations[k].child);
    }
    const TypeId child = all_of(std::move(parts));
    if (child != kNeverType) choices.push_back({hits, child});
    if (hits == 0) return choices;
  }
}

Status SchemaCompiler::plan_object(uint32_t index, std::vector<TypeId>* open) {
  if (index >= shapes_->object_plans.size()) shapes_->object_plans.resize(shapes_->objects.size());
  if (shapes_->object_plans[index].shape != nullptr) return {};
  ObjectPlan plan;
  const ObjectShape& shape = shapes_->objects[index];
  plan.shape = &shape;
  object_order_.push_back(index);
  if (shape.obligations.size() > kObligationsMax || shape.patterns.size() + shape.obligations.size() > kKeyClassesMax) {
    return make_error(ErrorCode::kLimit, "an object of the schema has more than {} patterns for its keys", kKeyClassesMax);
  }
  const uint32_t required = static_cast<uint32_t>(std::ranges::count_if(std::views::iota(size_t{0}, shape.names.size()),
                                                                        [&](size_t i) { return test_bit(shape.required, i); }));
  if (shape.min > std::max(required, 1u) && shape.open != kNever) {
    return make_error(ErrorCode::kUnsupported, "\"minProperties\" above 1 for an object with free keys is not supported");
  }
  for (size_t i = 0; i < shape.names.size(); ++i) {
    uint32_t matched = 0;
    for (size_t k = 0; k < shape.obligations.size(); ++k) matched |= uint32_t{regexes_->matches(shape.obligations[k].key, shape.names[i])} << k;
    plan.name_choices.push_back(member_choices(shape, shape.children[i], matched));
    for (const auto& choice : plan.name_choices.back()) open->push_back(choice.child);
  }
  RIVAL_RETURN_IF_ERROR(add_open_choices(&plan, open));
  // A demand on some member must stay within reach however many members were read.
  uint32_t reachable = 0;
  for (const auto& [mask, choices] : plan.open_choices) {
    for (const auto& choice : choices) reachable |= choice.hits;
  }
  if (reachable + 1 != uint32_t{1} << shape.obligations.size() || (reachable != 0 && shape.max != kUnbounded)) {
    return make_error(ErrorCode::kUnsupported, "a demand on some member (by \"not\", \"oneOf\" or \"if\") of an object "
                      "with a bounded number of members is not supported");
  }
  shapes_->object_plans[index] = std::move(plan);
  return {};
}

// Splits the free keys by the set of patterns and obligations that they match.
Status SchemaCompiler::add_open_choices(ObjectPlan* plan, std::vector<TypeId>* open) {
  const ObjectShape& s = *plan->shape;
  std::vector<std::pair<uint32_t, RegexId>> languages;
  if (s.open != kNever) languages.emplace_back(0, s.open);
  const size_t patterns = s.patterns.size();
  for (size_t k = 0; k < patterns + s.obligations.size(); ++k) {
    const RegexId key = k < patterns ? s.patterns[k].key : s.obligations[k - patterns].key;
    std::vector<std::pair<uint32_t, RegexId>> split;
    for (const auto& [mask, language] : languages) {
      const RegexId in = regexes_->all_of({language, key}), out = regexes_->all_of({language, regexes_->negate(key)});
      if (regexes_->live(in)) split.emplace_back(mask | uint32_t{1} << k, in);
      if (regexes_->live(out)) split.emplace_back(mask, out);
    }
    languages = std::move(split);
    if (languages.size() > kKeyLanguagesMax || regexes_->overflowed()) {
      return make_error(ErrorCode::kLimit, "the patterns for the keys of an object overlap in too many ways");
    }
  }
  for (const auto& [mask, language] : languages) {
    std::vector<TypeId> parts;
    for (size_t k = 0; k < patterns; ++k) {
      if ((mask >> k & 1) != 0) parts.push_back(s.patterns[k].child);
    }
    const TypeId base = parts.empty() ? s.additional : all_of(std::move(parts));
    plan->open_languages[mask] = language;
    std::vector<ObjectPlan::Choice>& choices = plan->open_choices[mask];
    choices = member_choices(s, base, mask >> patterns);
    for (const auto& choice : choices) open->push_back(choice.child);
  }
  return {};
}

// Each value is a choice of its own, whose hit says that it was taken.
Status SchemaCompiler::plan_unique(ArrayPlan* plan, std::vector<TypeId>* open) {
  const ArrayShape& s = *plan->shape;
  if (!s.prefix.empty() || !s.contains.empty()) {
    return make_error(ErrorCode::kUnsupported, "\"uniqueItems\" together with \"prefixItems\" or \"contains\" is not supported");
  }
  std::vector<ArrayPlan::Choice>& choices = plan->choices.emplace_back();
  for (size_t i = 0; i < s.unique.size(); ++i) {
    const TypeId child = all_of({s.items, s.unique[i]});
    if (child == kNeverType) continue;
    choices.push_back({uint32_t{1} << i, child});
    open->push_back(child);
  }
  return {};
}

Status SchemaCompiler::plan_array(uint32_t index, std::vector<TypeId>* open) {
  if (index >= shapes_->array_plans.size()) shapes_->array_plans.resize(shapes_->arrays.size());
  if (shapes_->array_plans[index].shape != nullptr) return {};
  ArrayPlan plan;
  const ArrayShape& s = shapes_->arrays[index];
  plan.shape = &s;
  array_order_.push_back(index);
  if (!s.unique.empty()) {
    RIVAL_RETURN_IF_ERROR(plan_unique(&plan, open));
    shapes_->array_plans[index] = std::move(plan);
    return {};
  }
  size_t positions = s.prefix.size() + 1;
  for (const ArrayShape::Contains& c : s.contains) {
    positions = std::max<size_t>(positions, c.from + 1);
    const bool small = c.min < kContainsCountMax && (c.max == kUnbounded || c.max < kContainsCountMax);
    if (!small || s.contains.size() > kContainsMax) return make_error(ErrorCode::kLimit, "\"contains\" of the schema counts too much");
  }
  for (size_t i = 0; i < positions; ++i) {
    std::vector<ArrayPlan::Choice>& choices = plan.choices.emplace_back();
    for (uint32_t hits = 0; hits < uint32_t{1} << s.contains.size(); ++hits) {
      std::vector<TypeId> parts{child_of(s, i)};
      bool possible = true;
      for (size_t k = 0; k < s.contains.size(); ++k) {
        const bool hit = (hits >> k & 1) != 0;
        possible &= !hit || i >= s.contains[k].from;
        if (hit) parts.push_back(s.contains[k].child);
        else if (s.contains[k].max != kUnbounded && i >= s.contains[k].from) parts.push_back(negate(s.contains[k].child));
      }
      const TypeId child = possible ? all_of(std::move(parts)) : kNeverType;
      if (child == kNeverType) continue;
      choices.push_back({hits, child});
      open->push_back(child);
    }
  }
  shapes_->array_plans[index] = std::move(plan);
  return {};
}

// ---- which values exist ------------------------------------------------------------------------------------

// The least fixed point: a type has a value if one can be built from values found before.
void SchemaCompiler::find_inhabited() {
  shapes_->inhabited.assign(nodes_.size(), 0);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = reachable_.size(); i-- > 0;) {
      const TypeId id = reachable_[i];
      if (shapes_->inhabited[id] != 0 || !inhabited(nodes_[id].type)) continue;
      shapes_->inhabited[id] = 1;
      changed = true;
    }
  }
}

bool SchemaCompiler::inhabited(const Type& t) const {
  if (t.null || t.yes || t.no || t.string != 0 || t.number != kNever) return true;
  return std::ranges::any_of(t.objects, [&](uint32_t i) { return inhabited(shapes_->object_plans[i]); }) ||
         std::ranges::any_of(t.arrays, [&](uint32_t i) { return inhabited(shapes_->array_plans[i]); });
}

template <typename Choices>
bool SchemaCompiler::any_inhabited(const Choices& choices) const {
  return std::ranges::any_of(choices, [&](const auto& c) { return shapes_->inhabited[c.child] != 0; });
}

bool SchemaCompiler::inhabited(const ObjectPlan& plan) const {
  const ObjectShape& s = *plan.shape;
  if (s.min > s.max) return false;
  uint32_t hits = 0, names = 0, required = 0;
  const auto note = [&](const auto& choices) {
    for (const auto& c : choices) hits |= shapes_->inhabited[c.child] != 0 ? c.hits : 0;
  };
  for (size_t i = 0; i < s.names.size(); ++i) {
    const bool possible = any_inhabited(plan.name_choices[i]), needed = test_bit(s.required, i);
    if (needed && !possible) return false;
    names += possible;
    required += needed;
    note(plan.name_choices[i]);
  }
  bool open = false;
  for (const auto& [mask, choices] : plan.open_choices) {
    open |= any_inhabited(choices);
    note(choices);
  }
  return required <= s.max && (open || names >= s.min) && hits + 1 == uint32_t{1} << s.obligations.size();
}

bool SchemaCompiler::inhabited(const ArrayPlan& plan) const {
  const ArrayShape& s = *plan.shape;
  if (s.min > s.max) return false;
  uint32_t length = 0;  // that items can be found for
  while (length < plan.choices.size() && any_inhabited(plan.choices[length])) ++length;
  const bool endless = length == plan.choices.size();
  if (!endless && length < s.min) return false;
  if (!s.unique.empty() && s.min > static_cast<size_t>(std::ranges::count_if(plan.choices[0], [&](const auto& c) { return shapes_->inhabited[c.child] != 0; }))) return false;
  const uint32_t end = endless ? s.max : std::min(length, s.max);
  for (size_t k = 0; k < s.contains.size(); ++k) {
    uint64_t possible = 0;
    for (uint32_t i = 0; i < plan.choices.size() && i < end; ++i) {
      const bool hit = std::ranges::any_of(plan.choices[i], [&](const auto& c) { return (c.hits >> k & 1) != 0 && shapes_->inhabited[c.child] != 0; });
      if (hit) possible += i + 1 == plan.choices.size() ? end - i : 1;
    }
    if (possible < s.contains[k].min || s.contains[k].min > s.contains[k].max) return false;
  }
  return true;
}

// ---- the last pass -----------------------------------------------------------------------------------------

void SchemaCompiler::finish_plans() {
  shapes_->types.resize(nodes_.size());
  for (TypeId id : reachable_) {
    Type& t = shapes_->types[id] = nodes_[id].type;
    std::erase_if(t.objects, [&](uint32_t i) { return !inhabited(shapes_->object_plans[i]); });
    std::erase_if(t.arrays, [&](uint32_t i) { return !inhabited(shapes_->array_plans[i]); });
  }
  const auto unfit = [&](const auto& c) { return shapes_->inhabited[c.child] == 0; };
  for (uint32_t i : object_order_) {
    ObjectPlan& plan = shapes_->object_plans[i];
    for (auto& choices : plan.name_choices) std::erase_if(choices, unfit);
    for (auto& [mask, choices] : plan.open_choices) std::erase_if(choices, unfit);
    finish_plan(&plan);
  }
  for (uint32_t i : array_order_) {
    ArrayPlan& plan = shapes_->array_plans[i];
    const ArrayShape& s = *plan.shape;
    for (auto& choices : plan.choices) std::erase_if(choices, unfit);
    uint32_t length = 0;
    while (length < plan.choices.size() && !plan.choices[length].empty()) ++length;
    plan.max = length == plan.choices.size() ? s.max : std::min(length, s.max);
    if (!s.unique.empty()) plan.max = std::min(plan.max, static_cast<uint32_t>(plan.choices[0].size()));
    plan.count_clamp = plan.max != kUnbounded ? kUnbounded : std::max<uint32_t>(s.min, static_cast<uint32_t>(plan.choices.size() - 1));
  }
}

void SchemaCompiler::finish_plan(ObjectPlan* plan) {
  const ObjectShape& s = *plan->shape;
  plan->words = static_cast<uint32_t>((s.names.size() + 63) / 64);
  plan->allowed.assign(plan->words, 0);
  for (size_t i = 0; i < s.names.size(); ++i) {
    if (!plan->name_choices[i].empty()) set_bit(&plan->allowed, i);
  }
  if (!s.names.empty()) plan->names = literals_->add(s.names);
  std::vector<RegexId> open;
  bool all = true;
  for (const auto& [mask, choices] : plan->open_choices) {
    all &= !choices.empty();
    if (!choices.empty()) open.push_back(plan->open_languages.at(mask));
  }
  plan->open = all ? s.open : regexes_->any_of(std::move(open));
  plan->count_clamp = s.max != kUnbounded ? kUnbounded : s.min;
}

}  // namespace rival::text::grammar
