// allOf, anyOf, oneOf, not, if, dependent schemas and unevaluated members of one schema object.
#include <algorithm>

#include "text/grammar/regex_parser.h"
#include "text/grammar/schema_compiler.h"

namespace rival::text::grammar {

namespace {

constexpr size_t kEvaluatedBranchesMax = 4;  // anyOf under unevaluatedProperties: 15 sets of branches

}  // namespace

Status SchemaCompiler::apply_combiners(const json::object& o, Type* type) {
  for (const char* keyword : {"allOf", "anyOf", "oneOf"}) {
    const json::value* v = o.if_contains(keyword);
    if (v == nullptr) continue;
    if (!v->is_array() || v->get_array().empty()) return wrong(o, keyword, "a list of schemas");
    const json::array& list = v->get_array();
    std::vector<TypeId> branches;
    for (const json::value& branch : list) branches.push_back(schema_expression(branch));
    const std::string_view k = keyword;
    if (k == "allOf") {
      for (TypeId branch : branches) {
        RIVAL_ASSIGN_OR_RETURN(const Type t, this->type(branch));
        RIVAL_ASSIGN_OR_RETURN(*type, intersect(*type, t));
      }
      continue;
    }
    Result<Type> united = k == "oneOf" ? one_of(o, list) : needs_evaluated_ ? evaluated_any_of(branches) : this->type(any_of(branches));
    if (!united.ok()) return united.error();
    RIVAL_ASSIGN_OR_RETURN(*type, intersect(*type, *united));
  }
  if (const json::value* v = o.if_contains("not")) {
    RIVAL_ASSIGN_OR_RETURN(const Type inner, this->type(schema_expression(*v)));
    Result<Type> rest = subtract(*type, inner);
    if (!rest.ok()) return at(o, "not", rest.error());
    *type = std::move(*rest);
  }
  return {};
}

// Each set of branches in its own right: a text that matches more of them has more of it evaluated.
Result<Type> SchemaCompiler::evaluated_any_of(const std::vector<TypeId>& branches) {
  if (branches.size() > kEvaluatedBranchesMax) {
    return make_error(ErrorCode::kUnsupported, "\"anyOf\" of more than {} schemas together with an unevaluated keyword is not supported",
                      kEvaluatedBranchesMax);
  }
  Type result;
  for (size_t set = 1; set < size_t{1} << branches.size(); ++set) {
    Type all = any_type();
    for (size_t i = 0; i < branches.size(); ++i) {
      if ((set >> i & 1) == 0) continue;
      RIVAL_ASSIGN_OR_RETURN(const Type branch, type(branches[i]));
      RIVAL_ASSIGN_OR_RETURN(all, intersect(all, branch));
    }
    RIVAL_ASSIGN_OR_RETURN(result, unite(result, all));
  }
  return result;
}

// Exactly one: each branch less all others. A part that two branches share is only taken apart where it is not empty.
Result<Type> SchemaCompiler::one_of(const json::object& o, const json::array& list) {
  std::vector<Type> branches;
  for (const json::value& v : list) {
    RIVAL_ASSIGN_OR_RETURN(Type branch, type(schema_expression(v)));
    branches.push_back(std::move(branch));
  }
  Type result;
  for (size_t i = 0; i < branches.size(); ++i) {
    Type rest = branches[i];
    for (size_t j = 0; j < branches.size(); ++j) {
      if (i == j) continue;
      RIVAL_ASSIGN_OR_RETURN(const Type shared, intersect(branches[i], branches[j]));
      if (!maybe_inhabited(shared)) continue;
      // Only the kinds that overlap: the others would be complemented for nothing.
      Type other = branches[j];
      if (shared.objects.empty()) other.objects.clear();
      if (shared.arrays.empty()) other.arrays.clear();
      if (shared.string == 0) other.string = 0;
      if (shared.number == kNever) other.number = kNever;
      Result<Type> less = subtract(rest, other);
      if (!less.ok()) return at(o, "oneOf", less.error());
      rest = std::move(*less);
    }
    Result<Type> united = unite(result, rest);
    if (!united.ok()) return at(o, "oneOf", united.error());
    result = std::move(*united);
  }
  return result;
}

Status SchemaCompiler::apply_conditional(const json::object& o, Type* type) {
  const json::value* condition = o.if_contains("if");
  const json::value *then = o.if_contains("then"), *otherwise = o.if_contains("else");
  if (condition == nullptr || (then == nullptr && otherwise == nullptr && !needs_evaluated_)) return {};
  RIVAL_ASSIGN_OR_RETURN(const Type met, this->type(schema_expression(*condition)));
  RIVAL_ASSIGN_OR_RETURN(Type yes, intersect(*type, met));
  Result<Type> no = subtract(*type, met);
  if (!no.ok()) return at(o, "if", no.error());
  if (then != nullptr) {
    RIVAL_ASSIGN_OR_RETURN(const Type demand, this->type(schema_expression(*then)));
    RIVAL_ASSIGN_OR_RETURN(yes, intersect(yes, demand));
  }
  if (otherwise != nullptr) {
    RIVAL_ASSIGN_OR_RETURN(const Type demand, this->type(schema_expression(*otherwise)));
    RIVAL_ASSIGN_OR_RETURN(*no, intersect(*no, demand));
  }
  RIVAL_ASSIGN_OR_RETURN(*type, unite(yes, *no));
  return {};
}

// A member whose presence asks for a schema: without the member, or with it and the schema.
Status SchemaCompiler::apply_dependencies(const json::object& o, Type* type) {
  for (const char* keyword : {"dependentSchemas", "dependencies"}) {
    const json::value* v = o.if_contains(keyword);
    if (v == nullptr) continue;
    if (!v->is_object()) return wrong(o, keyword, "an object");
    for (const auto& member : v->get_object()) {
      if (member.value().is_array() || member.value().is_string()) continue;  // names, see object_shape()
      RIVAL_ASSIGN_OR_RETURN(const std::u32string name, to_characters(member.key()));
      RIVAL_ASSIGN_OR_RETURN(const Type demand, this->type(schema_expression(member.value())));
      Type without = any_type(), with = any_type();
      for (const bool required : {false, true}) {
        ObjectShape shape;
        shape.names = {name};
        shape.children = {required ? kAnyType : kNeverType};
        shape.required = {required ? uint64_t{1} : 0};
        (required ? with : without).objects = {add(std::move(shape))};
      }
      Type only_objects;
      only_objects.objects = with.objects;
      RIVAL_ASSIGN_OR_RETURN(const Type demanded, intersect(only_objects, demand));
      RIVAL_ASSIGN_OR_RETURN(const Type either, unite(without, demanded));
      RIVAL_ASSIGN_OR_RETURN(*type, intersect(*type, either));
    }
  }
  return {};
}

Status SchemaCompiler::apply_unevaluated(const json::object& o, Type* type) {
  if (const json::value* v = o.if_contains("unevaluatedProperties")) {
    const TypeId rest = schema_expression(*v);
    std::vector<uint32_t> objects;
    for (uint32_t i : type->objects) {
      const ObjectShape& s = shapes_->objects[i];
      ObjectShape u;
      if (!s.evaluated_all) {
        u.names = s.evaluated_names;
        u.children.assign(u.names.size(), kAnyType);
        u.required.assign((u.names.size() + 63) / 64, 0);
        for (RegexId key : s.evaluated_patterns) u.patterns.push_back({key, kAnyType});
        if (rest == kNeverType) u.open = regexes_->any_of(s.evaluated_patterns);
        else u.additional = rest;
      }
      u.evaluated_all = true;
      if (auto both = intersect(s, u)) objects.push_back(add(std::move(*both)));
    }
    type->objects = std::move(objects);
  }
  if (const json::value* v = o.if_contains("unevaluatedItems")) {
    const TypeId rest = schema_expression(*v);
    std::vector<uint32_t> arrays;
    for (uint32_t i : type->arrays) {
      const ArrayShape& s = shapes_->arrays[i];
      if (!s.evaluated_contains.empty()) {
        return at(o, "unevaluatedItems", make_error(ErrorCode::kUnsupported, "this keyword together with \"contains\" is not supported"));
      }
      ArrayShape u;
      if (s.evaluated != kUnbounded) {
        u.prefix.assign(s.evaluated, kAnyType);
        u.items = rest;
      }
      u.evaluated = kUnbounded;
      if (auto both = intersect(s, u)) arrays.push_back(add(std::move(*both)));
    }
    type->arrays = std::move(arrays);
  }
  return {};
}

}  // namespace rival::text::grammar
