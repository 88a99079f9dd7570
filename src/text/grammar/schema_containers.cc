// The keywords that say what an object or an array holds.
#include <algorithm>
#include <set>

#include "base/limits.h"
#include "text/grammar/regex_parser.h"
#include "text/grammar/schema_compiler.h"

namespace rival::text::grammar {

namespace {

constexpr const char* kObjectKeywords[] = {"properties", "patternProperties", "additionalProperties", "required", "minProperties",
                                           "maxProperties", "propertyNames", "dependentRequired", "dependencies"};
constexpr const char* kArrayKeywords[] = {"items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"};
constexpr size_t kPrefixMax = 10'000;
constexpr size_t kUniqueValuesMax = 32;  // bits of a choice
constexpr int kListRefsMax = 8;          // references one after the other

bool has_any(const json::object& o, std::span<const char* const> keywords) {
  return std::ranges::any_of(keywords, [&](const char* k) { return o.contains(k); });
}

}  // namespace

// Everything about an object before its names are sorted.
struct SchemaCompiler::ObjectDraft {
  std::map<std::u32string, TypeId> declared;
  std::set<std::u32string> names, required;
  std::map<std::u32string, std::vector<std::u32string>> dependencies;
};

Status SchemaCompiler::read_names(const json::object& o, std::string_view keyword, const json::value& list, std::set<std::u32string>* out) {
  if (!list.is_array()) return wrong(o, keyword, "a list of names");
  for (const json::value& v : list.get_array()) {
    if (!v.is_string()) return wrong(o, keyword, "a list of names");
    RIVAL_ASSIGN_OR_RETURN(std::u32string name, to_characters(v.get_string()));
    out->insert(std::move(name));
  }
  return {};
}

Status SchemaCompiler::read_members(const json::object& o, ObjectDraft* draft, ObjectShape* shape) {
  if (const json::value* v = o.if_contains("properties")) {
    if (!v->is_object()) return wrong(o, "properties", "an object");
    for (const auto& member : v->get_object()) {
      RIVAL_ASSIGN_OR_RETURN(std::u32string name, to_characters(member.key()));
      draft->names.insert(name);
      draft->declared.emplace(std::move(name), schema_expression(member.value()));
    }
  }
  if (const json::value* v = o.if_contains("patternProperties")) {
    if (!v->is_object()) return wrong(o, "patternProperties", "an object");
    for (const auto& member : v->get_object()) {
      RIVAL_ASSIGN_OR_RETURN(const RegexId key, pattern(json::value(member.key()), o, "patternProperties"));
      shape->patterns.push_back({key, schema_expression(member.value())});
    }
  }
  if (const json::value* v = o.if_contains("required")) RIVAL_RETURN_IF_ERROR(read_names(o, "required", *v, &draft->required));
  for (const char* keyword : {"dependentRequired", "dependencies"}) {
    const json::value* v = o.if_contains(keyword);
    if (v == nullptr) continue;
    if (!v->is_object()) return wrong(o, keyword, "an object");
    for (const auto& member : v->get_object()) {
      if (!member.value().is_array() && !member.value().is_string()) continue;  // a schema, see apply_dependencies()
      std::set<std::u32string> needs;
      const json::value list = member.value().is_string() ? json::value(json::array{member.value()}) : member.value();
      RIVAL_RETURN_IF_ERROR(read_names(o, keyword, list, &needs));
      RIVAL_ASSIGN_OR_RETURN(std::u32string name, to_characters(member.key()));
      draft->names.insert(name);
      draft->names.insert(needs.begin(), needs.end());
      draft->dependencies[std::move(name)].assign(needs.begin(), needs.end());
    }
  }
  draft->names.insert(draft->required.begin(), draft->required.end());
  return {};
}

Result<std::optional<ObjectShape>> SchemaCompiler::object_shape(const json::object& o) {
  if (!has_any(o, kObjectKeywords)) return std::optional<ObjectShape>();
  ObjectShape s;
  ObjectDraft draft;
  RIVAL_RETURN_IF_ERROR(read_members(o, &draft, &s));
  RIVAL_ASSIGN_OR_RETURN(s.min, count(o, "minProperties", 0));
  RIVAL_ASSIGN_OR_RETURN(s.max, count(o, "maxProperties", kUnbounded));
  if (const json::value* v = o.if_contains("additionalProperties")) {
    if (!v->is_bool() && !v->is_object()) return wrong(o, "additionalProperties", "a schema");
    s.additional = schema_expression(*v);
    s.evaluated_all = true;
  }
  if (s.additional == kNeverType) {
    std::vector<RegexId> keys;
    for (const ObjectShape::Pattern& p : s.patterns) keys.push_back(p.key);
    s.open = regexes_->any_of(std::move(keys));
  }
  if (const json::value* v = o.if_contains("propertyNames")) {
    RIVAL_ASSIGN_OR_RETURN(const Type names, type(schema_expression(*v)));
    const Atom language = names.string;
    if (language != 0 && is_literal(language)) {  // a list: each name becomes a tracked one
      const auto& list = literals_->list_of(atom_id(language));
      for (const std::u32string& name : list) {
        if (s.open == kAnything || regexes_->matches(s.open, name)) draft.names.insert(name);
      }
      std::erase_if(draft.names, [&](const std::u32string& n) {
        return !std::ranges::binary_search(list, n) && !draft.declared.contains(n) && !draft.required.contains(n) && !draft.dependencies.contains(n);
      });
      s.open = kNever;
      finish_names(draft, &s, language);
    } else {
      finish_names(draft, &s, language);
      s.open = language == 0 ? kNever : regexes_->all_of({s.open, atom_id(language)});
      if (!regexes_->live(s.open)) s.open = kNever;
    }
  } else {
    finish_names(draft, &s, kAnything);
  }
  if (needs_evaluated_) {
    for (const auto& [name, child] : draft.declared) s.evaluated_names.push_back(name);
    for (const ObjectShape::Pattern& p : s.patterns) s.evaluated_patterns.push_back(p.key);
  } else {
    s.evaluated_all = false;
  }
  return std::optional<ObjectShape>(std::move(s));
}

// Sorts the tracked names and says what each must hold. `language`: of propertyNames.
void SchemaCompiler::finish_names(const ObjectDraft& draft, ObjectShape* s, Atom language) {
  s->names.assign(draft.names.begin(), draft.names.end());
  s->required.assign((s->names.size() + 63) / 64, 0);
  const auto index_of = [&](const std::u32string& name) { return static_cast<uint32_t>(std::ranges::lower_bound(s->names, name) - s->names.begin()); };
  for (const std::u32string& name : s->names) {
    std::vector<TypeId> parts;
    const auto declared = draft.declared.find(name);
    if (declared != draft.declared.end()) parts.push_back(declared->second);
    for (const ObjectShape::Pattern& p : s->patterns) {
      if (regexes_->matches(p.key, name)) parts.push_back(p.child);
    }
    TypeId child = parts.empty() && declared == draft.declared.end() ? s->additional : all_of(std::move(parts));
    const bool spelled = language == kAnything || (language != 0 && intersect_strings(literal_atom({name}), language) != 0);
    s->children.push_back(spelled ? child : kNeverType);
  }
  for (const std::u32string& name : draft.required) set_bit(&s->required, index_of(name));
  for (const auto& [name, needs] : draft.dependencies) {
    ObjectShape::Dependency d{index_of(name), NameBits(s->required.size())};
    bool possible = true;
    for (const std::u32string& need : needs) {
      set_bit(&d.required, index_of(need));
      possible &= s->children[index_of(need)] != kNeverType;
    }
    if (!possible) s->children[d.name] = kNeverType;
    else s->dependencies.push_back(std::move(d));
  }
}

// The values that a schema says one by one, if it does.
std::optional<json::array> SchemaCompiler::listed_values(const json::value& schema) {
  const json::object* o = schema.if_object();
  for (int refs = 0; o != nullptr && o->contains("$ref") && refs < kListRefsMax; ++refs) {
    const json::string* ref = o->at("$ref").if_string();
    if (ref == nullptr) return std::nullopt;
    const Result<const json::value*> target = refs_.resolve(*o, *ref);
    if (!target.ok()) return std::nullopt;
    o = (*target)->if_object();
  }
  if (o == nullptr) return std::nullopt;
  if (const json::value* value = o->if_contains("const")) return json::array{*value};
  const json::value *list = o->if_contains("enum"), *type = o->if_contains("type");
  if (list != nullptr && list->is_array()) return list->get_array();
  if (type == nullptr) return std::nullopt;
  json::array values;
  for (const json::value& name : type->is_array() ? type->get_array() : json::array{*type}) {
    if (name == "null") values.emplace_back(nullptr);
    else if (name == "boolean") values.insert(values.end(), {true, false});
    else return std::nullopt;
  }
  return values;
}

// What the items of an array can be whose items must differ. Errors: kUnsupported where that are not a few scalars, all
// named: what was written would have to be remembered.
Result<std::vector<TypeId>> SchemaCompiler::unique_values(const json::object& o, const ArrayShape& s, const json::value* items) {
  const Error refusal = at(o, "uniqueItems", make_error(ErrorCode::kUnsupported, "this keyword is not supported, but for items that are each one of a few constants"));
  const auto listed = items != nullptr && s.prefix.empty() && s.contains.empty() ? listed_values(*items) : std::nullopt;
  if (!listed) return refusal;
  std::vector<Type> values;
  std::set<std::u32string> strings;
  for (const json::value& value : *listed) {
    if (value.is_array() || value.is_object()) return refusal;
    RIVAL_ASSIGN_OR_RETURN(Type type, constant(value));
    if (value.is_string()) {
      RIVAL_ASSIGN_OR_RETURN(std::u32string text, to_characters(value.get_string()));
      if (strings.insert(std::move(text)).second) values.push_back(std::move(type));
    } else if (std::ranges::find(values, type) == values.end()) {
      values.push_back(std::move(type));
    }
  }
  if (values.empty() || values.size() > kUniqueValuesMax) return refusal;
  std::vector<TypeId> out;
  for (Type& type : values) out.push_back(fixed(std::move(type)));
  return out;
}

Result<std::optional<ArrayShape>> SchemaCompiler::array_shape(const json::object& o) {
  if (!has_any(o, kArrayKeywords)) return std::optional<ArrayShape>();
  ArrayShape s;
  const json::value *prefix = o.if_contains("prefixItems"), *items = o.if_contains("items");
  const char* prefix_keyword = "prefixItems";
  if (prefix == nullptr && items != nullptr && items->is_array()) {  // up to 2019-09
    prefix = items;
    prefix_keyword = "items";
    items = o.if_contains("additionalItems");
  }
  if (prefix != nullptr) {
    if (!prefix->is_array() || prefix->get_array().size() > kPrefixMax) return wrong(o, prefix_keyword, "a list of schemas");
    for (const json::value& v : prefix->get_array()) s.prefix.push_back(schema_expression(v));
    s.evaluated = static_cast<uint32_t>(s.prefix.size());
  }
  if (items != nullptr) {
    s.items = schema_expression(*items);
    s.evaluated = kUnbounded;
  }
  RIVAL_ASSIGN_OR_RETURN(s.min, count(o, "minItems", 0));
  RIVAL_ASSIGN_OR_RETURN(s.max, count(o, "maxItems", kUnbounded));
  if (const json::value* v = o.if_contains("contains")) {
    RIVAL_ASSIGN_OR_RETURN(const uint32_t min, count(o, "minContains", 1));
    RIVAL_ASSIGN_OR_RETURN(const uint32_t max, count(o, "maxContains", kUnbounded));
    if (min > 0 || max != kUnbounded) s.contains.push_back({schema_expression(*v), 0, min, max});
    if (needs_evaluated_) s.evaluated_contains.push_back(schema_expression(*v));
  }
  if (const json::value* v = o.if_contains("uniqueItems")) {
    if (!v->is_bool()) return wrong(o, "uniqueItems", "a boolean");
    if (v->get_bool() && s.max > 1) {
      RIVAL_ASSIGN_OR_RETURN(s.unique, unique_values(o, s, items));
    }
  }
  if (!needs_evaluated_) s.evaluated = 0;
  return std::optional<ArrayShape>(std::move(s));
}

}  // namespace rival::text::grammar
