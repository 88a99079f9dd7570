// Complement and difference of types.
#include <algorithm>

#include "text/grammar/schema_compiler.h"

namespace rival::text::grammar {

namespace {

ObjectShape with_name(const std::u32string& name, TypeId child, bool required) {
  ObjectShape s;
  s.names = {name};
  s.children = {child};
  s.required = {required ? uint64_t{1} : 0};
  return s;
}

}  // namespace

// One shape for each way to break one of the shape's demands.
std::vector<ObjectShape> SchemaCompiler::complement(const ObjectShape& s) {
  std::vector<ObjectShape> ways;
  std::vector<RegexId> names;
  for (size_t i = 0; i < s.names.size(); ++i) {
    names.push_back(regexes_->literal(s.names[i]));
    if (test_bit(s.required, i)) ways.push_back(with_name(s.names[i], kNeverType, false));
    if (s.children[i] != kAnyType) ways.push_back(with_name(s.names[i], negate(s.children[i]), true));
  }
  if (s.min > 0) ways.emplace_back().max = s.min - 1;
  if (s.max != kUnbounded) ways.emplace_back().min = s.max + 1;
  const RegexId others = regexes_->negate(regexes_->any_of(std::move(names)));
  auto some_member = [&](RegexId key, TypeId child) {
    if (child == kNeverType || !regexes_->live(key)) return;
    ways.emplace_back().obligations.push_back({key, child});
  };
  some_member(regexes_->all_of({others, regexes_->negate(s.open)}), kAnyType);
  std::vector<RegexId> patterns;
  for (const ObjectShape::Pattern& p : s.patterns) {
    patterns.push_back(p.key);
    some_member(regexes_->all_of({others, s.open, p.key}), negate(p.child));
  }
  some_member(regexes_->all_of({others, s.open, regexes_->negate(regexes_->any_of(std::move(patterns)))}), negate(s.additional));
  for (const ObjectShape::Dependency& d : s.dependencies) {
    for (size_t i = 0; i < s.names.size(); ++i) {
      if (!test_bit(d.required, i)) continue;
      if (auto way = intersect(with_name(s.names[d.name], kAnyType, true), with_name(s.names[i], kNeverType, false))) ways.push_back(*way);
    }
  }
  for (const ObjectShape::Obligation& o : s.obligations) ways.emplace_back().patterns.push_back({o.key, negate(o.child)});
  return ways;
}

Result<std::vector<ArrayShape>> SchemaCompiler::complement(const ArrayShape& s) {
  std::vector<ArrayShape> ways;
  if (!s.unique.empty()) return make_error(ErrorCode::kUnsupported, "\"uniqueItems\" inside of a negation is not supported");
  if (s.min > 0) ways.emplace_back().max = s.min - 1;
  if (s.max != kUnbounded) ways.emplace_back().min = s.max + 1;
  for (size_t i = 0; i < s.prefix.size(); ++i) {
    if (s.prefix[i] == kAnyType) continue;
    ArrayShape& way = ways.emplace_back();
    way.prefix.assign(i, kAnyType);
    way.prefix.push_back(negate(s.prefix[i]));
    way.min = static_cast<uint32_t>(i + 1);
  }
  if (s.items != kAnyType) {
    ways.emplace_back().contains.push_back({negate(s.items), static_cast<uint32_t>(s.prefix.size()), 1, kUnbounded});
  }
  for (const ArrayShape::Contains& c : s.contains) {
    if (c.min > 0) ways.emplace_back().contains.push_back({c.child, c.from, 0, c.min - 1});
    if (c.max != kUnbounded) ways.emplace_back().contains.push_back({c.child, c.from, c.max + 1, kUnbounded});
  }
  return ways;
}

Result<Type> SchemaCompiler::complement(const Type& t) { return subtract(any_type(), t); }

Result<Type> SchemaCompiler::subtract(const Type& a, const Type& b) {
  Type scalars{.null = a.null && !b.null, .yes = a.yes && !b.yes, .no = a.no && !b.no, .objects = {}, .arrays = {}};
  if (b.string == 0) {
    scalars.string = a.string;
  } else if (b.string != kAnything && a.string != 0) {
    scalars.string = intersect_strings(a.string, regexes_->negate(as_regex(b.string)));
  }
  if (b.number == kNever) scalars.number = a.number;
  else scalars.number = a.number == numbers_.any() ? numbers_.complement(b.number) : regexes_->all_of({a.number, numbers_.complement(b.number)});
  if (!regexes_->live(scalars.number)) scalars.number = kNever;
  scalars.objects = a.objects;
  for (uint32_t i : b.objects) {
    std::vector<uint32_t> ways;
    if (i != 0) {
      for (ObjectShape& way : complement(ObjectShape(shapes_->objects[i]))) ways.push_back(add(std::move(way)));
    }
    RIVAL_ASSIGN_OR_RETURN(scalars.objects, intersect_all(shapes_->objects, scalars.objects, ways));
  }
  scalars.arrays = a.arrays;
  for (uint32_t i : b.arrays) {
    std::vector<uint32_t> ways;
    if (i != 0) {
      RIVAL_ASSIGN_OR_RETURN(std::vector<ArrayShape> shapes, complement(ArrayShape(shapes_->arrays[i])));
      for (ArrayShape& way : shapes) ways.push_back(add(std::move(way)));
    }
    RIVAL_ASSIGN_OR_RETURN(scalars.arrays, intersect_all(shapes_->arrays, scalars.arrays, ways));
  }
  return scalars;
}

}  // namespace rival::text::grammar
