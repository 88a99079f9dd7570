// JSON Schema (drafts 4 to 2020-12) to Shapes. What cannot be enforced exactly is refused with its path.
//
// Every schema, and every boolean combination that comes up, is an expression with an id; type() brings one into
// normal form, children stay expressions. So recursion ends, and only what is reachable is ever built.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/json.h"
#include "base/result.h"
#include "text/grammar/schema_numbers.h"
#include "text/grammar/schema_refs.h"
#include "text/grammar/shapes.h"

namespace rival::text::grammar {

struct SchemaOptions {
  bool formats = true;  // enforce known formats; the specification leaves this to the program
};

struct CompiledSchema {
  std::unique_ptr<RegexPool> regexes;
  std::unique_ptr<LiteralPool> literals;
  std::unique_ptr<Shapes> shapes;
  TypeId root = kNeverType;
};

// Errors: kInvalidArgument for a broken or unsatisfiable schema, kUnsupported for a keyword that is not supported,
// kLimit where combinations explode; each names the path.
Result<CompiledSchema> compile_schema(const json::value& schema, const SchemaOptions& options);

class SchemaCompiler {
 public:
  SchemaCompiler(const json::value& schema, const SchemaOptions& options);
  Result<CompiledSchema> run();

 private:
  struct Expression {
    enum class Kind : uint8_t { kNever, kAny, kSchema, kAll, kAnyOf, kNot, kFixed } kind;
    const json::value* schema = nullptr;
    std::vector<TypeId> parts;
  };
  enum class State : uint8_t { kNew, kBusy, kDone };
  struct Node {
    Expression expression;
    State state = State::kNew;
    Type type;
  };

  // ---- expressions (schema_compiler.cc) ----
  TypeId schema_expression(const json::value& schema);
  TypeId all_of(std::vector<TypeId> parts);
  TypeId any_of(std::vector<TypeId> parts);
  TypeId negate(TypeId id);
  TypeId combine(Expression::Kind kind, std::vector<TypeId> parts);
  TypeId fixed(Type type);
  Result<Type> type(TypeId id);
  Result<Type> build(const Expression& expression);
  // False only if surely no value fits. Never fails: what cannot be told yet may have a value.
  bool maybe_inhabited(TypeId id);
  bool maybe_inhabited(const Type& type);
  bool maybe_inhabited(const ObjectShape& shape);
  bool maybe_inhabited(const ArrayShape& shape);

  // ---- keywords (schema_keywords.cc, schema_combiners.cc, schema_containers.cc) ----
  Result<Type> schema_type(const json::value& schema);
  Result<Type> object_type(const json::object& o);
  Result<Type> base_type(const json::object& o);
  Status apply_scalars(const json::object& o, Type* type);
  Status apply_strings(const json::object& o, Type* type);
  Status apply_combiners(const json::object& o, Type* type);
  Status apply_conditional(const json::object& o, Type* type);
  Status apply_dependencies(const json::object& o, Type* type);
  Status apply_references(const json::object& o, Type* type);
  Status apply_unevaluated(const json::object& o, Type* type);
  struct ObjectDraft;
  Result<std::optional<ObjectShape>> object_shape(const json::object& o);
  Status read_names(const json::object& o, std::string_view keyword, const json::value& list, std::set<std::u32string>* out);
  Status read_members(const json::object& o, ObjectDraft* draft, ObjectShape* shape);
  void finish_names(const ObjectDraft& draft, ObjectShape* shape, Atom language);
  Result<std::optional<ArrayShape>> array_shape(const json::object& o);
  Result<std::vector<TypeId>> unique_values(const json::object& o, const ArrayShape& shape, const json::value* items);
  std::optional<json::array> listed_values(const json::value& schema);
  Result<Type> one_of(const json::object& o, const json::array& branches);
  Result<Type> evaluated_any_of(const std::vector<TypeId>& branches);
  Result<Type> constant(const json::value& value);
  Result<Type> enumeration(const json::array& values, const json::object& o);
  Result<RegexId> pattern(const json::value& value, const json::object& o, std::string_view keyword);
  Result<uint32_t> count(const json::object& o, std::string_view keyword, uint32_t absent);
  Error at(const json::object& o, std::string_view keyword, const Error& error) const;
  Error wrong(const json::object& o, std::string_view keyword, std::string_view expected) const;

  // ---- algebra (schema_algebra.cc, schema_complement.cc) ----
  Type any_type();
  Result<Type> intersect(const Type& a, const Type& b);
  Result<Type> unite(const Type& a, const Type& b);
  Result<Type> complement(const Type& type);
  Result<Type> subtract(const Type& a, const Type& b);
  Atom intersect_strings(Atom a, Atom b);
  Atom unite_strings(Atom a, Atom b);
  RegexId as_regex(Atom atom);
  Atom literal_atom(std::vector<std::u32string> strings);
  std::optional<ObjectShape> intersect(const ObjectShape& a, const ObjectShape& b);
  std::optional<ArrayShape> intersect(const ArrayShape& a, const ArrayShape& b);
  bool settle_obligations(ObjectShape* shape);
  std::vector<ObjectShape> complement(const ObjectShape& shape);
  Result<std::vector<ArrayShape>> complement(const ArrayShape& shape);
  TypeId child_of(const ObjectShape& shape, const std::u32string& name);
  TypeId child_of(const ArrayShape& shape, size_t index) const;
  template <typename Shape>
  Result<std::vector<uint32_t>> intersect_all(std::deque<Shape>& shapes, const std::vector<uint32_t>& a, const std::vector<uint32_t>& b);
  Status check_alternatives(size_t count) const;
  Status check_budget() const;

  // ---- plans (schema_plan.cc) ----
  Status reach_all(TypeId root);
  Status plan_object(uint32_t index, std::vector<TypeId>* open);
  Status plan_array(uint32_t index, std::vector<TypeId>* open);
  Status plan_unique(ArrayPlan* plan, std::vector<TypeId>* open);
  Status add_open_choices(ObjectPlan* plan, std::vector<TypeId>* open);
  std::vector<ObjectPlan::Choice> member_choices(const ObjectShape& shape, TypeId base, uint32_t obligations);
  void find_inhabited();
  bool inhabited(const Type& type) const;
  bool inhabited(const ObjectPlan& plan) const;
  bool inhabited(const ArrayPlan& plan) const;
  template <typename Choices>
  bool any_inhabited(const Choices& choices) const;
  void finish_plans();
  void finish_plan(ObjectPlan* plan);

  uint32_t add(ObjectShape shape);
  uint32_t add(ArrayShape shape);

  const json::value& root_;
  SchemaOptions options_;
  const bool draft4_;
  const bool siblings_of_ref_;  // from 2019-09 on, keywords beside $ref count
  SchemaRefs refs_;
  CompiledSchema out_;
  RegexPool* regexes_;
  LiteralPool* literals_;
  Shapes* shapes_;
  Numbers numbers_;
  std::deque<Node> nodes_;
  std::unordered_map<const json::value*, TypeId> by_schema_;
  std::map<std::pair<Expression::Kind, std::vector<TypeId>>, TypeId> by_parts_;
  std::vector<TypeId> reachable_;
  std::vector<uint32_t> object_order_, array_order_;
  int depth_ = 0, probe_depth_ = 0;
  bool needs_evaluated_ = false;  // some schema has unevaluatedProperties or unevaluatedItems
};

}  // namespace rival::text::grammar
