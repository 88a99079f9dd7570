// The keywords of one schema object: types, scalars, combinations and references.
#include <algorithm>

#include "base/limits.h"
#include "text/grammar/regex_parser.h"
#include "text/grammar/schema_compiler.h"
#include "text/grammar/schema_formats.h"

namespace rival::text::grammar {

Error SchemaCompiler::at(const json::object& o, std::string_view keyword, const Error& error) const {
  return with_context(error, fmt::format("{}/{}", refs_.path(o), keyword));
}

Error SchemaCompiler::wrong(const json::object& o, std::string_view keyword, std::string_view expected) const {
  std::string found = to_json_text(*o.if_contains(keyword));
  if (found.size() > 60) found = found.substr(0, 57) + "...";
  return at(o, keyword, make_error(ErrorCode::kInvalidArgument, "expected {}, found {}", expected, found));
}

Result<uint32_t> SchemaCompiler::count(const json::object& o, std::string_view keyword, uint32_t absent) {
  const json::value* v = o.if_contains(keyword);
  if (v == nullptr) return absent;
  const double number = v->is_int64() ? static_cast<double>(v->get_int64()) : v->is_uint64() ? static_cast<double>(v->get_uint64())
                        : v->is_double() ? v->get_double() : -1;
  if (number < 0 || number != static_cast<double>(static_cast<uint64_t>(std::min(number, 1e15)))) return wrong(o, keyword, "a whole number of at least 0");
  if (number < 4e9) return static_cast<uint32_t>(number);
  if (std::string_view(keyword).substr(0, 3) == "max") return kUnbounded;  // beyond any text
  return at(o, keyword, make_error(ErrorCode::kLimit, "{} is more than a text can hold", number));
}

Result<RegexId> SchemaCompiler::pattern(const json::value& value, const json::object& o, std::string_view keyword) {
  if (!value.is_string()) return wrong(o, keyword, "a string");
  Result<RegexId> result = parse_regex(value.get_string(), {}, regexes_);
  if (!result.ok()) return at(o, keyword, result.error());
  return result;
}

Result<Type> SchemaCompiler::schema_type(const json::value& schema) {
  if (const json::object* o = schema.if_object()) return object_type(*o);
  return make_error(ErrorCode::kInvalidArgument, "{}: expected a schema (an object or a boolean), found {}", refs_.path(schema),
                    to_json_text(schema).substr(0, 60));
}

Result<Type> SchemaCompiler::object_type(const json::object& o) {
  if (o.contains("$ref") && !siblings_of_ref_) {
    Type type = any_type();
    RIVAL_RETURN_IF_ERROR(apply_references(o, &type));
    return type;
  }
  RIVAL_ASSIGN_OR_RETURN(Type type, base_type(o));
  RIVAL_RETURN_IF_ERROR(apply_scalars(o, &type));
  if (!type.objects.empty()) {
    RIVAL_ASSIGN_OR_RETURN(std::optional<ObjectShape> shape, object_shape(o));
    if (shape) {
      RIVAL_ASSIGN_OR_RETURN(type.objects, intersect_all(shapes_->objects, type.objects, {add(std::move(*shape))}));
      std::erase_if(type.objects, [&](uint32_t i) { return !maybe_inhabited(shapes_->objects[i]); });
    }
  }
  if (!type.arrays.empty()) {
    RIVAL_ASSIGN_OR_RETURN(std::optional<ArrayShape> shape, array_shape(o));
    if (shape) {
      RIVAL_ASSIGN_OR_RETURN(type.arrays, intersect_all(shapes_->arrays, type.arrays, {add(std::move(*shape))}));
    }
  }
  RIVAL_RETURN_IF_ERROR(apply_references(o, &type));
  RIVAL_RETURN_IF_ERROR(apply_combiners(o, &type));
  RIVAL_RETURN_IF_ERROR(apply_conditional(o, &type));
  RIVAL_RETURN_IF_ERROR(apply_dependencies(o, &type));
  RIVAL_RETURN_IF_ERROR(apply_unevaluated(o, &type));
  return type;
}

// "type", "enum" and "const".
Result<Type> SchemaCompiler::base_type(const json::object& o) {
  Type type = any_type();
  if (const json::value* v = o.if_contains("type")) {
    const Type any = type;
    type = Type{};
    const json::array list = v->is_array() ? v->get_array() : json::array{*v};
    for (const json::value& name : list) {
      const std::string_view n = name.is_string() ? std::string_view(name.get_string()) : "";
      if (n == "null") type.null = true;
      else if (n == "boolean") type.yes = type.no = true;
      else if (n == "number") type.number = any.number;
      else if (n == "integer") type.number = type.number == any.number ? any.number : numbers_.integer(!draft4_);
      else if (n == "string") type.string = any.string;
      else if (n == "object") type.objects = any.objects;
      else if (n == "array") type.arrays = any.arrays;
      else return wrong(o, "type", "the name of a JSON type or a list of such");
    }
  }
  if (const json::value* v = o.if_contains("enum")) {
    if (!v->is_array()) return wrong(o, "enum", "an array");
    RIVAL_ASSIGN_OR_RETURN(const Type values, enumeration(v->get_array(), o));
    RIVAL_ASSIGN_OR_RETURN(type, intersect(values, type));
  }
  if (const json::value* v = o.if_contains("const")) {
    RIVAL_ASSIGN_OR_RETURN(const Type value, constant(*v));
    RIVAL_ASSIGN_OR_RETURN(type, intersect(value, type));
  }
  return type;
}

Result<Type> SchemaCompiler::enumeration(const json::array& values, const json::object& o) {
  Type type;
  std::vector<std::u32string> strings;
  std::vector<RegexId> numbers;
  for (const json::value& v : values) {
    if (v.is_string()) {
      RIVAL_ASSIGN_OR_RETURN(std::u32string s, to_characters(v.get_string()));
      strings.push_back(std::move(s));
      continue;
    }
    Result<Type> one = constant(v);
    if (!one.ok()) return at(o, "enum", one.error());
    if (one->number != kNever) numbers.push_back(one->number);
    one->number = kNever;
    RIVAL_ASSIGN_OR_RETURN(type, unite(type, *one));
  }
  type.string = literal_atom(std::move(strings));
  type.number = regexes_->any_of(std::move(numbers));
  return type;
}

Result<Type> SchemaCompiler::constant(const json::value& value) {
  Type type;
  if (value.is_null()) {
    type.null = true;
  } else if (const bool* b = value.if_bool()) {
    (*b ? type.yes : type.no) = true;
  } else if (value.is_number()) {
    RIVAL_ASSIGN_OR_RETURN(const Decimal decimal, to_decimal(value));
    type.number = numbers_.exactly(decimal);
  } else if (const json::string* s = value.if_string()) {
    RIVAL_ASSIGN_OR_RETURN(std::u32string text, to_characters(*s));
    type.string = literal_atom({std::move(text)});
  } else if (const json::array* a = value.if_array()) {
    ArrayShape shape;
    for (const json::value& item : *a) {
      RIVAL_ASSIGN_OR_RETURN(Type child, constant(item));
      shape.prefix.push_back(fixed(std::move(child)));
    }
    shape.items = kNeverType;
    shape.min = shape.max = static_cast<uint32_t>(a->size());
    type.arrays = {add(std::move(shape))};
  } else {
    std::map<std::u32string, TypeId> members;
    for (const auto& member : value.get_object()) {
      RIVAL_ASSIGN_OR_RETURN(std::u32string name, to_characters(member.key()));
      RIVAL_ASSIGN_OR_RETURN(Type child, constant(member.value()));
      members[std::move(name)] = fixed(std::move(child));
    }
    ObjectShape shape;
    shape.required.assign((members.size() + 63) / 64, 0);
    for (auto& [name, child] : members) {
      set_bit(&shape.required, shape.names.size());
      shape.names.push_back(name);
      shape.children.push_back(child);
    }
    shape.open = kNever;
    type.objects = {add(std::move(shape))};
  }
  return type;
}

Status SchemaCompiler::apply_scalars(const json::object& o, Type* type) {
  if (type->string != 0) RIVAL_RETURN_IF_ERROR(apply_strings(o, type));
  if (type->number == kNever) return {};
  std::vector<RegexId> parts{type->number};
  for (const bool low : {true, false}) {
    const std::string_view plain = low ? "minimum" : "maximum", exclusive = low ? "exclusiveMinimum" : "exclusiveMaximum";
    const json::value *bound = o.if_contains(plain), *strict = o.if_contains(exclusive);
    const bool strict_flag = strict != nullptr && strict->is_bool();  // draft 4
    auto add = [&](const json::value& v, std::string_view keyword, bool without) -> Status {
      Result<Decimal> d = to_decimal(v);
      if (!d.ok()) return at(o, keyword, d.error());
      parts.push_back(low ? numbers_.at_least(*d, without) : numbers_.at_most(*d, without));
      return {};
    };
    if (bound != nullptr) RIVAL_RETURN_IF_ERROR(add(*bound, plain, strict_flag && strict->get_bool()));
    if (strict != nullptr && !strict_flag) RIVAL_RETURN_IF_ERROR(add(*strict, exclusive, true));
  }
  for (const std::string_view keyword : {"multipleOf", "divisibleBy"}) {
    const json::value* divisor = o.if_contains(keyword);
    if (divisor == nullptr) continue;
    Result<Decimal> d = to_decimal(*divisor);
    if (!d.ok()) return at(o, keyword, d.error());
    Result<RegexId> multiple = numbers_.multiple_of(*d);
    if (!multiple.ok()) return at(o, keyword, multiple.error());
    parts.push_back(*multiple);
  }
  if (parts.size() == 1) return {};
  std::erase(parts, numbers_.any());
  type->number = regexes_->all_of(std::move(parts));
  if (!regexes_->live(type->number)) type->number = kNever;
  return {};
}

Status SchemaCompiler::apply_strings(const json::object& o, Type* type) {
  std::vector<RegexId> parts;
  RIVAL_ASSIGN_OR_RETURN(const uint32_t min, count(o, "minLength", 0));
  RIVAL_ASSIGN_OR_RETURN(const uint32_t max, count(o, "maxLength", kUnbounded));
  if (min > max) return type->string = 0, Status();
  if (min > 0 || max != kUnbounded) parts.push_back(regexes_->repeat(kAnyChar, min, max));
  if (const json::value* v = o.if_contains("pattern")) {
    RIVAL_ASSIGN_OR_RETURN(const RegexId language, pattern(*v, o, "pattern"));
    parts.push_back(language);
  }
  const json::value* format = o.if_contains("format");
  if (format != nullptr && format->is_string() && options_.formats) {
    Result<std::optional<RegexId>> language = format_language(format->get_string(), regexes_);
    if (!language.ok()) return at(o, "format", language.error());
    if (language->has_value()) parts.push_back(**language);
  }
  if (parts.empty()) return {};
  const RegexId language = regexes_->all_of(std::move(parts));
  type->string = language == kNever ? 0 : intersect_strings(type->string, language);
  if (!is_literal(type->string) && !regexes_->live(atom_id(type->string))) type->string = 0;
  return {};
}

Status SchemaCompiler::apply_references(const json::object& o, Type* type) {
  for (const char* keyword : {"$dynamicRef", "$recursiveRef"}) {
    if (o.contains(keyword)) return at(o, keyword, make_error(ErrorCode::kUnsupported, "this keyword is not supported"));
  }
  const json::value* ref = o.if_contains("$ref");
  if (ref == nullptr) return {};
  if (!ref->is_string()) return wrong(o, "$ref", "a string");
  Result<const json::value*> target = refs_.resolve(o, ref->get_string());
  if (!target.ok()) return at(o, "$ref", target.error());
  Result<Type> referred = this->type(schema_expression(**target));
  if (!referred.ok()) return referred.error();
  RIVAL_ASSIGN_OR_RETURN(*type, intersect(*type, *referred));
  return {};
}

}  // namespace rival::text::grammar
