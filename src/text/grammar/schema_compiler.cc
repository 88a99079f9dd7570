#include "text/grammar/schema_compiler.h"

#include <algorithm>

#include "base/limits.h"

namespace rival::text::grammar {

namespace {

constexpr int kExpressionDepthMax = 400;  // nested types in work; bounds the stack
constexpr int kProbeDepthMax = 6;         // how deep emptiness is looked for while types are being built

bool mentions(const json::value& v, std::string_view prefix) {
  if (const json::array* a = v.if_array()) return std::ranges::any_of(*a, [&](const json::value& x) { return mentions(x, prefix); });
  const json::object* o = v.if_object();
  return o != nullptr && std::ranges::any_of(*o, [&](const auto& m) {
    return std::string_view(m.key()).substr(0, prefix.size()) == prefix || mentions(m.value(), prefix);
  });
}

std::string_view dialect(const json::value& schema) {
  const json::object* o = schema.if_object();
  const json::value* uri = o == nullptr ? nullptr : o->if_contains("$schema");
  return uri == nullptr || !uri->is_string() ? std::string_view() : std::string_view(uri->get_string());
}

}  // namespace

Result<CompiledSchema> compile_schema(const json::value& schema, const SchemaOptions& options) {
  return SchemaCompiler(schema, options).run();
}

SchemaCompiler::SchemaCompiler(const json::value& schema, const SchemaOptions& options)
    : root_(schema), options_(options), draft4_(dialect(schema).find("draft-04") != std::string_view::npos),
      siblings_of_ref_(dialect(schema).find("/draft-0") == std::string_view::npos), refs_(schema, !siblings_of_ref_),
      out_{std::make_unique<RegexPool>(), std::make_unique<LiteralPool>(), std::make_unique<Shapes>(), kNeverType},
      regexes_(out_.regexes.get()), literals_(out_.literals.get()), shapes_(out_.shapes.get()), numbers_(regexes_) {
  nodes_.push_back({{Expression::Kind::kNever, nullptr, {}}, State::kDone, {}});
  nodes_.push_back({{Expression::Kind::kAny, nullptr, {}}, State::kDone, any_type()});
  needs_evaluated_ = mentions(schema, "unevaluated");
}

Result<CompiledSchema> SchemaCompiler::run() {
  const TypeId root = schema_expression(root_);
  RIVAL_RETURN_IF_ERROR(reach_all(root));
  find_inhabited();
  if (shapes_->inhabited[root] == 0) return make_error(ErrorCode::kInvalidArgument, "the schema at # allows no value at all");
  finish_plans();
  if (regexes_->overflowed()) return make_error(ErrorCode::kLimit, "the schema combines patterns that are too complex to check");
  out_.root = root;
  return std::move(out_);
}

Status SchemaCompiler::check_budget() const {
  if (nodes_.size() > limits::kGrammarTypesMax || shapes_->objects.size() + shapes_->arrays.size() > limits::kGrammarTypesMax) {
    return make_error(ErrorCode::kLimit, "the schema has more than {} combinations", limits::kGrammarTypesMax);
  }
  const bool too_large = regexes_->size() > limits::kGrammarRegexNodesMax || regexes_->work() > limits::kGrammarCompileWork;
  if (too_large) return make_error(ErrorCode::kLimit, "the patterns of the schema combine to something too large");
  return {};
}

// ---- expressions -------------------------------------------------------------------------------------------

TypeId SchemaCompiler::schema_expression(const json::value& schema) {
  if (const bool* b = schema.if_bool()) return *b ? kAnyType : kNeverType;
  if (schema.is_object() && schema.get_object().empty()) return kAnyType;
  const auto [it, fresh] = by_schema_.emplace(&schema, static_cast<TypeId>(nodes_.size()));
  if (fresh) nodes_.push_back({{Expression::Kind::kSchema, &schema, {}}, State::kNew, {}});
  return it->second;
}

TypeId SchemaCompiler::combine(Expression::Kind kind, std::vector<TypeId> parts) {
  const auto [it, fresh] = by_parts_.emplace(std::pair{kind, parts}, static_cast<TypeId>(nodes_.size()));
  if (fresh) nodes_.push_back({{kind, nullptr, std::move(parts)}, State::kNew, {}});
  return it->second;
}

TypeId SchemaCompiler::all_of(std::vector<TypeId> parts) {
  std::vector<TypeId> flat;
  for (TypeId id : parts) {
    const Expression& e = nodes_[id].expression;
    if (e.kind == Expression::Kind::kAll) flat.insert(flat.end(), e.parts.begin(), e.parts.end());
    else if (id != kAnyType) flat.push_back(id);
  }
  std::sort(flat.begin(), flat.end());
  flat.erase(std::unique(flat.begin(), flat.end()), flat.end());
  if (flat.empty()) return kAnyType;
  if (flat[0] == kNeverType) return kNeverType;
  return flat.size() == 1 ? flat[0] : combine(Expression::Kind::kAll, std::move(flat));
}

TypeId SchemaCompiler::any_of(std::vector<TypeId> parts) {
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  std::erase(parts, kNeverType);
  if (std::ranges::find(parts, kAnyType) != parts.end()) return kAnyType;
  if (parts.empty()) return kNeverType;
  return parts.size() == 1 ? parts[0] : combine(Expression::Kind::kAnyOf, std::move(parts));
}

TypeId SchemaCompiler::negate(TypeId id) {
  if (id == kNeverType) return kAnyType;
  if (id == kAnyType) return kNeverType;
  const Expression& e = nodes_[id].expression;
  return e.kind == Expression::Kind::kNot ? e.parts[0] : combine(Expression::Kind::kNot, {id});
}

TypeId SchemaCompiler::fixed(Type type) {
  nodes_.push_back({{Expression::Kind::kFixed, nullptr, {}}, State::kDone, std::move(type)});
  return static_cast<TypeId>(nodes_.size() - 1);
}

Result<Type> SchemaCompiler::type(TypeId id) {
  Node& node = nodes_[id];
  if (node.state == State::kDone) return node.type;
  if (node.state == State::kBusy) return make_error(ErrorCode::kInvalidArgument, "the schema refers to itself without end");
  if (depth_ > kExpressionDepthMax) return make_error(ErrorCode::kLimit, "the schema nests combinations deeper than {}", kExpressionDepthMax);
  RIVAL_RETURN_IF_ERROR(check_budget());
  node.state = State::kBusy;
  ++depth_;
  Result<Type> result = build(node.expression);
  --depth_;
  node.state = result.ok() ? State::kDone : State::kNew;
  if (result.ok()) node.type = *result;
  return result;
}

Result<Type> SchemaCompiler::build(const Expression& e) {
  switch (e.kind) {
    case Expression::Kind::kSchema: return schema_type(*e.schema);
    case Expression::Kind::kNot: {
      RIVAL_ASSIGN_OR_RETURN(const Type inner, type(e.parts[0]));
      return complement(inner);
    }
    case Expression::Kind::kAll: case Expression::Kind::kAnyOf: {
      RIVAL_ASSIGN_OR_RETURN(Type result, type(e.parts[0]));
      for (size_t i = 1; i < e.parts.size(); ++i) {
        RIVAL_ASSIGN_OR_RETURN(const Type part, type(e.parts[i]));
        RIVAL_ASSIGN_OR_RETURN(result, e.kind == Expression::Kind::kAll ? intersect(result, part) : unite(result, part));
      }
      return result;
    }
    default: return make_error(ErrorCode::kInternal, "a fixed type was built");
  }
}

// ---- emptiness while building ------------------------------------------------------------------------------

bool SchemaCompiler::maybe_inhabited(TypeId id) {
  if (id == kNeverType || id == kAnyType) return id == kAnyType;
  if (nodes_[id].state == State::kBusy || probe_depth_ >= kProbeDepthMax) return true;
  ++probe_depth_;
  const Result<Type> t = type(id);
  const bool maybe = !t.ok() || maybe_inhabited(*t);
  --probe_depth_;
  return maybe;
}

bool SchemaCompiler::maybe_inhabited(const Type& t) {
  if (t.null || t.yes || t.no || t.string != 0 || t.number != kNever) return true;
  return std::ranges::any_of(t.objects, [&](uint32_t i) { return maybe_inhabited(shapes_->objects[i]); }) ||
         std::ranges::any_of(t.arrays, [&](uint32_t i) { return maybe_inhabited(shapes_->arrays[i]); });
}

bool SchemaCompiler::maybe_inhabited(const ObjectShape& s) {
  if (s.min > s.max) return false;
  size_t allowed = 0;
  for (size_t i = 0; i < s.names.size(); ++i) {
    allowed += s.children[i] != kNeverType;
    if (test_bit(s.required, i) && !maybe_inhabited(s.children[i])) return false;
  }
  return s.open != kNever || allowed >= s.min;
}

bool SchemaCompiler::maybe_inhabited(const ArrayShape& s) {
  if (s.min > s.max) return false;
  for (size_t i = 0; i < s.min; ++i) {
    if (!maybe_inhabited(child_of(s, i))) return false;
    if (i >= s.prefix.size()) break;
  }
  return std::ranges::all_of(s.contains, [&](const auto& c) { return c.min <= c.max && (c.min == 0 || s.max > c.from); });
}

uint32_t SchemaCompiler::add(ObjectShape shape) {
  shapes_->objects.push_back(std::move(shape));
  return static_cast<uint32_t>(shapes_->objects.size() - 1);
}

uint32_t SchemaCompiler::add(ArrayShape shape) {
  shapes_->arrays.push_back(std::move(shape));
  return static_cast<uint32_t>(shapes_->arrays.size() - 1);
}

}  // namespace rival::text::grammar
