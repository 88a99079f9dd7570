// Intersection and union of types.
#include <algorithm>

#include "base/limits.h"
#include "text/grammar/schema_compiler.h"

namespace rival::text::grammar {

namespace {

constexpr size_t kLiteralsAsRegexMax = 1'000;

void merge_sorted(const std::vector<std::u32string>& from, std::vector<std::u32string>* into) {
  std::vector<std::u32string> merged;
  std::ranges::set_union(from, *into, std::back_inserter(merged));
  *into = std::move(merged);
}

// Appends the shape unless an equal one is there.
template <typename Shape>
void add_distinct(const std::deque<Shape>& shapes, uint32_t index, std::vector<uint32_t>* list) {
  for (uint32_t i : *list) {
    if (i == index || shapes[i] == shapes[index]) return;
  }
  list->push_back(index);
}

}  // namespace

Type SchemaCompiler::any_type() {
  if (shapes_->objects.empty()) {
    add(ObjectShape{});
    add(ArrayShape{});
  }
  return {.null = true, .yes = true, .no = true, .number = numbers_.any(), .string = kAnything, .objects = {0}, .arrays = {0}};
}

// ---- strings -----------------------------------------------------------------------------------------------

Atom SchemaCompiler::literal_atom(std::vector<std::u32string> strings) {
  std::sort(strings.begin(), strings.end());
  strings.erase(std::unique(strings.begin(), strings.end()), strings.end());
  return strings.empty() ? 0 : literals_->add(std::move(strings)) | kLiteralAtom;
}

RegexId SchemaCompiler::as_regex(Atom atom) {
  if (!is_literal(atom)) return atom_id(atom);
  std::vector<RegexId> parts;
  for (const std::u32string& s : literals_->list_of(atom_id(atom))) parts.push_back(regexes_->literal(s));
  return regexes_->any_of(std::move(parts));
}

Atom SchemaCompiler::intersect_strings(Atom a, Atom b) {
  if (a == b || b == kAnything) return a;
  if (a == kAnything) return b;
  if (a == 0 || b == 0) return 0;
  if (!is_literal(a)) std::swap(a, b);
  if (is_literal(a)) {
    std::vector<std::u32string> kept;
    const std::vector<std::u32string>& list = literals_->list_of(atom_id(a));
    const auto& other = is_literal(b) ? literals_->list_of(atom_id(b)) : list;
    for (const std::u32string& s : list) {
      if (is_literal(b) ? std::ranges::binary_search(other, s) : regexes_->matches(atom_id(b), s)) kept.push_back(s);
    }
    return literal_atom(std::move(kept));
  }
  const RegexId both = regexes_->all_of({atom_id(a), atom_id(b)});
  return both == kNever || !regexes_->live(both) ? 0 : both;
}

Atom SchemaCompiler::unite_strings(Atom a, Atom b) {
  if (a == b || b == 0) return a;
  if (a == 0) return b;
  if (a == kAnything || b == kAnything) return kAnything;
  if (is_literal(a) && is_literal(b)) {
    std::vector<std::u32string> all = literals_->list_of(atom_id(a));
    const auto& more = literals_->list_of(atom_id(b));
    all.insert(all.end(), more.begin(), more.end());
    return literal_atom(std::move(all));
  }
  return regexes_->any_of({as_regex(a), as_regex(b)});
}

// ---- objects -----------------------------------------------------------------------------------------------

// What a key of this name must hold: its own child, or what patterns and additionalProperties ask for.
TypeId SchemaCompiler::child_of(const ObjectShape& s, const std::u32string& name) {
  const auto it = std::ranges::lower_bound(s.names, name);
  if (it != s.names.end() && *it == name) return s.children[it - s.names.begin()];
  if (s.open != kAnything && !regexes_->matches(s.open, name)) return kNeverType;
  std::vector<TypeId> parts;
  for (const ObjectShape::Pattern& p : s.patterns) {
    if (p.key == kAnything || regexes_->matches(p.key, name)) parts.push_back(p.child);
  }
  return parts.empty() ? s.additional : all_of(std::move(parts));
}

namespace {

void remap_bits(const NameBits& from, const std::vector<uint32_t>& to_index, NameBits* to) {
  for (size_t i = 0; i < to_index.size(); ++i) {
    if (test_bit(from, i)) set_bit(to, to_index[i]);
  }
}

}  // namespace

std::optional<ObjectShape> SchemaCompiler::intersect(const ObjectShape& a, const ObjectShape& b) {
  ObjectShape r;
  std::ranges::set_union(a.names, b.names, std::back_inserter(r.names));
  r.required.assign((r.names.size() + 63) / 64, 0);
  for (const std::u32string& name : r.names) r.children.push_back(all_of({child_of(a, name), child_of(b, name)}));
  for (const ObjectShape* s : {&a, &b}) {
    std::vector<uint32_t> index;
    for (const std::u32string& name : s->names) index.push_back(static_cast<uint32_t>(std::ranges::lower_bound(r.names, name) - r.names.begin()));
    remap_bits(s->required, index, &r.required);
    for (const ObjectShape::Dependency& d : s->dependencies) {
      ObjectShape::Dependency moved{index[d.name], NameBits(r.required.size())};
      remap_bits(d.required, index, &moved.required);
      r.dependencies.push_back(std::move(moved));
    }
    for (const auto& o : s->obligations) {
      if (std::ranges::find(r.obligations, o) == r.obligations.end()) r.obligations.push_back(o);
    }
  }
  r.open = regexes_->all_of({a.open, b.open});
  if (!regexes_->live(r.open)) r.open = kNever;
  if (a.patterns.empty() && b.patterns.empty()) {
    r.additional = all_of({a.additional, b.additional});
  } else {
    for (const ObjectShape* s : {&a, &b}) {
      std::vector<RegexId> keys;
      for (const ObjectShape::Pattern& p : s->patterns) {
        keys.push_back(p.key);
        if (std::ranges::find(r.patterns, p) == r.patterns.end()) r.patterns.push_back(p);
      }
      const ObjectShape::Pattern rest{regexes_->negate(regexes_->any_of(std::move(keys))), s->additional};
      if (s->additional != kAnyType && std::ranges::find(r.patterns, rest) == r.patterns.end()) r.patterns.push_back(rest);
    }
  }
  r.min = std::max(a.min, b.min);
  r.max = std::min(a.max, b.max);
  if (needs_evaluated_) {
    r.evaluated_names = a.evaluated_names;
    merge_sorted(b.evaluated_names, &r.evaluated_names);
    r.evaluated_patterns = a.evaluated_patterns;
    r.evaluated_patterns.insert(r.evaluated_patterns.end(), b.evaluated_patterns.begin(), b.evaluated_patterns.end());
    r.evaluated_all = a.evaluated_all || b.evaluated_all;
  }
  if (!settle_obligations(&r) || !maybe_inhabited(r)) return std::nullopt;
  return r;
}

// A demand on some member that only one tracked name can meet is a demand on that name; false: none can.
bool SchemaCompiler::settle_obligations(ObjectShape* s) {
  std::vector<ObjectShape::Obligation> kept;
  for (const ObjectShape::Obligation& o : s->obligations) {
    std::vector<size_t> names;
    for (size_t i = 0; i < s->names.size(); ++i) {
      if (s->children[i] != kNeverType && regexes_->matches(o.key, s->names[i])) names.push_back(i);
    }
    if (names.size() > 1 || regexes_->live(regexes_->all_of({s->open, o.key}))) {
      kept.push_back(o);
    } else if (names.empty()) {
      return false;
    } else {
      set_bit(&s->required, names[0]);
      s->children[names[0]] = all_of({s->children[names[0]], o.child});
    }
  }
  s->obligations = std::move(kept);
  return true;
}

// ---- arrays ------------------------------------------------------------------------------------------------

TypeId SchemaCompiler::child_of(const ArrayShape& s, size_t index) const {
  return index < s.prefix.size() ? s.prefix[index] : s.items;
}

std::optional<ArrayShape> SchemaCompiler::intersect(const ArrayShape& a, const ArrayShape& b) {
  ArrayShape r;
  for (size_t i = 0; i < std::max(a.prefix.size(), b.prefix.size()); ++i) r.prefix.push_back(all_of({child_of(a, i), child_of(b, i)}));
  r.items = all_of({a.items, b.items});
  r.min = std::max(a.min, b.min);
  r.max = std::min(a.max, b.max);
  r.contains = a.contains;
  for (const ArrayShape::Contains& c : b.contains) {
    if (std::ranges::find(r.contains, c) == r.contains.end()) r.contains.push_back(c);
  }
  r.unique = a.unique.empty() ? b.unique : a.unique;  // either names every value
  r.evaluated = std::max(a.evaluated, b.evaluated);
  r.evaluated_contains = a.evaluated_contains;
  r.evaluated_contains.insert(r.evaluated_contains.end(), b.evaluated_contains.begin(), b.evaluated_contains.end());
  if (!maybe_inhabited(r)) return std::nullopt;
  return r;
}

// ---- types -------------------------------------------------------------------------------------------------

Status SchemaCompiler::check_alternatives(size_t count) const {
  if (count <= limits::kGrammarAlternativesMax) return {};
  return make_error(ErrorCode::kLimit, "the schema leaves more than {} alternatives open at one place", limits::kGrammarAlternativesMax);
}

// The alternatives of both lists in pairs. Shape 0 is "anything".
template <typename Shape>
Result<std::vector<uint32_t>> SchemaCompiler::intersect_all(std::deque<Shape>& shapes, const std::vector<uint32_t>& a,
                                                            const std::vector<uint32_t>& b) {
  std::vector<uint32_t> r;
  if (a == b) return a;
  for (uint32_t i : a) {
    for (uint32_t j : b) {
      if (i == j || j == 0) add_distinct(shapes, i, &r);
      else if (i == 0) add_distinct(shapes, j, &r);
      else if (auto shape = intersect(shapes[i], shapes[j])) add_distinct(shapes, add(std::move(*shape)), &r);
    }
    RIVAL_RETURN_IF_ERROR(check_budget());
    RIVAL_RETURN_IF_ERROR(check_alternatives(r.size()));
  }
  return r;
}

template Result<std::vector<uint32_t>> SchemaCompiler::intersect_all(std::deque<ObjectShape>&, const std::vector<uint32_t>&,
                                                                     const std::vector<uint32_t>&);
template Result<std::vector<uint32_t>> SchemaCompiler::intersect_all(std::deque<ArrayShape>&, const std::vector<uint32_t>&,
                                                                     const std::vector<uint32_t>&);

Result<Type> SchemaCompiler::intersect(const Type& a, const Type& b) {
  Type r{.null = a.null && b.null, .yes = a.yes && b.yes, .no = a.no && b.no, .objects = {}, .arrays = {}};
  r.string = intersect_strings(a.string, b.string);
  r.number = a.number == numbers_.any() ? b.number : b.number == numbers_.any() ? a.number : regexes_->all_of({a.number, b.number});
  if (!regexes_->live(r.number)) r.number = kNever;
  RIVAL_ASSIGN_OR_RETURN(r.objects, intersect_all(shapes_->objects, a.objects, b.objects));
  RIVAL_ASSIGN_OR_RETURN(r.arrays, intersect_all(shapes_->arrays, a.arrays, b.arrays));
  return r;
}

Result<Type> SchemaCompiler::unite(const Type& a, const Type& b) {
  Type r = a;
  r.null |= b.null;
  r.yes |= b.yes;
  r.no |= b.no;
  r.number = a.number == numbers_.any() || b.number == numbers_.any() ? numbers_.any() : regexes_->any_of({a.number, b.number});
  if (a.string != b.string && a.string != 0 && b.string != 0 && is_literal(a.string) != is_literal(b.string)) {
    const Atom list = is_literal(a.string) ? a.string : b.string;
    if (literals_->list_of(atom_id(list)).size() > kLiteralsAsRegexMax) {
      return make_error(ErrorCode::kLimit, "the schema joins an enumeration of more than {} strings with a pattern", kLiteralsAsRegexMax);
    }
  }
  r.string = unite_strings(a.string, b.string);
  for (uint32_t i : b.objects) add_distinct(shapes_->objects, i, &r.objects);
  for (uint32_t i : b.arrays) add_distinct(shapes_->arrays, i, &r.arrays);
  if (!needs_evaluated_) {  // beside "anything" no other alternative matters
    if (std::ranges::find(r.objects, 0u) != r.objects.end()) r.objects = {0};
    if (std::ranges::find(r.arrays, 0u) != r.arrays.end()) r.arrays = {0};
  }
  RIVAL_RETURN_IF_ERROR(check_alternatives(std::max(r.objects.size(), r.arrays.size())));
  return r;
}

}  // namespace rival::text::grammar
