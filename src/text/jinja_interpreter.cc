#include "text/jinja_interpreter.h"

#include "base/limits.h"
#include "text/jinja_ops.h"

namespace rival::text::jinja {

Interpreter::Interpreter(const Tree& tree, Runtime& runtime, Value variables)
    : tree_(tree),
      runtime_(runtime),
      variables_(std::move(variables)),
      exported_(runtime.make<Dict>()),
      constants_(tree.constants.size()) {}

std::string Interpreter::render() {
  std::string out;
  root_out_ = &out;
  const Value root = runtime_.make<Activation>(static_cast<size_t>(tree_.slot_count), Value());
  Activation& scope = root.as<Activation>();
  enter(tree_.scope, scope);
  run(tree_.root, scope, out);
  return out;
}

// ---- statements ----------------------------------------------------------------------------------------------------

Interpreter::Flow Interpreter::run(const Body& body, Activation& scope, std::string& out) {
  for (const Stmt* stmt : body.statements) {
    const Flow flow = run(*stmt, scope, out);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run(const Stmt& stmt, Activation& scope, std::string& out) {
  line_ = stmt.line;
  runtime_.spend(1);
  runtime_.check_stack();
  switch (stmt.kind) {
    case StmtKind::kOutput:
      for (const Expr* expr : stmt.outputs) output(*expr, scope, out);
      break;
    case StmtKind::kFor: return run_for(stmt, scope, out);
    case StmtKind::kIf: return run_if(stmt, scope, out);
    case StmtKind::kSet: run_set(stmt, scope); break;
    case StmtKind::kSetBlock:
    case StmtKind::kFilterBlock: return run_captured(stmt, scope, out);
    case StmtKind::kMacro: {
      const Value macro = runtime_.make<Macro>(*stmt.macro, Value(&scope));
      slot(stmt.variable, scope) = macro;
      if (stmt.exports) exported_.as<Dict>().set(runtime_.string(std::string(stmt.name)), macro);
      break;
    }
    case StmtKind::kCallBlock: run_call_block(stmt, scope, out); break;
    case StmtKind::kGeneration: run_generation(stmt, scope, out); break;
    case StmtKind::kWith: return run_with(stmt, scope, out);
    case StmtKind::kScope: {
      enter(stmt.scope, scope);
      const Flow flow = run(stmt.body, scope, out);
      leave(stmt.scope, scope);
      return flow;
    }
    case StmtKind::kBlock: run_block(stmt, out); break;
    case StmtKind::kBreak: return Flow::kBreak;
    case StmtKind::kContinue: return Flow::kContinue;
    case StmtKind::kUnsupported:
      raise(Raised::kUnsupported, "{{% {} %}} needs a second template, and there is none", stmt.name);
  }
  return Flow::kNext;
}

void Interpreter::output(const Expr& expr, Activation& scope, std::string& out) {
  if (expr.kind == ExprKind::kText)
    out += expr.text;
  else
    append_text(out, evaluate(expr, scope));
  Runtime::check_size(out.size());
}

void Interpreter::append(std::string& out, const Value& value) {
  append_text(out, value);
  Runtime::check_size(out.size());
}

// What a filter or call block gives is joined to the output as it is.
void Interpreter::append_block(std::string& out, const Value& value) {
  if (!value.is_string())
    raise(Raised::kType, "sequence item: expected str instance, {} found", type_name(value));
  append(out, value);
}

Interpreter::Flow Interpreter::run_if(const Stmt& stmt, Activation& scope, std::string& out) {
  for (const Branch& branch : stmt.branches)
    if (branch.test == nullptr || truth(evaluate(*branch.test, scope))) return run(branch.body, scope, out);
  return Flow::kNext;
}

void Interpreter::run_set(const Stmt& stmt, Activation& scope) {
  check_namespaces(*stmt.target, scope);
  assign(*stmt.target, evaluate(*stmt.value, scope), scope);
  if (stmt.exports && !tree_.blocks.empty()) publish(*stmt.target, scope);
}

Interpreter::Flow Interpreter::run_captured(const Stmt& stmt, Activation& scope, std::string& out) {
  enter(stmt.scope, scope);
  std::string captured;
  const Flow flow = run(stmt.body, scope, captured);
  if (flow != Flow::kNext) return flow;
  Value result = runtime_.string(std::move(captured));
  if (stmt.value != nullptr) {
    block_text_ = std::move(result);
    result = evaluate(*stmt.value, scope);
    block_text_ = Value();
  }
  if (stmt.kind == StmtKind::kFilterBlock) {
    append_block(out, result);
  } else {
    check_namespaces(*stmt.target, scope);
    assign(*stmt.target, result, scope);
    if (stmt.exports && !tree_.blocks.empty()) publish(*stmt.target, scope);
  }
  leave(stmt.scope, scope);
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_with(const Stmt& stmt, Activation& scope, std::string& out) {
  enter(stmt.scope, scope);
  for (size_t i = 0; i < stmt.targets.size(); ++i)
    assign(*stmt.targets[i], evaluate(*stmt.outputs[i], scope), scope);
  const Flow flow = run(stmt.body, scope, out);
  leave(stmt.scope, scope);
  return flow;
}

void Interpreter::run_call_block(const Stmt& stmt, Activation& scope, std::string& out) {
  const Value caller = runtime_.make<Macro>(*stmt.macro, Value(&scope));
  append_block(out, evaluate_call(*stmt.value, scope, caller));
}

void Interpreter::run_generation(const Stmt& stmt, Activation& scope, std::string& out) {
  const Value result = call_macro(runtime_.make<Macro>(*stmt.macro, Value(&scope)), {});
  const size_t start = root_out_->size();
  generations_.emplace_back(start, start + result.text().size());
  append(out, result);
}

void Interpreter::run_block(const Stmt& stmt, std::string& out) {
  const Value variables = runtime_.make<Activation>(static_cast<size_t>(stmt.slot_count), Value());
  enter(stmt.scope, variables.as<Activation>());
  run(stmt.body, variables.as<Activation>(), out);
}

// ---- loops ---------------------------------------------------------------------------------------------------------

Interpreter::Flow Interpreter::run_for(const Stmt& stmt, Activation& scope, std::string& out) {
  const Value items = evaluate(*stmt.value, scope);
  if (!stmt.recursive) return run_loop(stmt, items, scope, scope, out, 0);
  append(out, run_recursive(stmt, Value(&scope), items, 0));
  return Flow::kNext;
}

Value Interpreter::run_recursive(const Stmt& stmt, const Value& outer, const Value& items, int64_t depth) {
  if (depth > limits::kTemplateCallDepthMax) raise(Raised::kLimit, "maximum recursion depth exceeded");
  const Value variables = runtime_.make<Activation>(static_cast<size_t>(stmt.slot_count), outer);
  std::string out;
  run_loop(stmt, items, outer.as<Activation>(), variables.as<Activation>(), out, depth);
  return runtime_.string(std::move(out));
}

Interpreter::Flow Interpreter::run_loop(const Stmt& stmt, Value items, Activation& outer, Activation& scope,
                                        std::string& out, int64_t depth) {
  if (stmt.test != nullptr) items = filtered(stmt, items, outer);
  if (stmt.uses_loop) {
    const Stmt* recursive = stmt.recursive ? &stmt : nullptr;
    items = runtime_.make<Loop>(std::move(items), Value(&outer), recursive, depth);
  }
  const bool completed = run_iterations(stmt, items, scope, out);
  leave(stmt.scope, scope);
  if (completed || stmt.else_body.statements.empty()) return Flow::kNext;
  enter(stmt.else_scope, scope);
  const Flow flow = run(stmt.else_body, scope, out);
  leave(stmt.else_scope, scope);
  return flow;
}

// Whether any iteration ran to its end: jinja2 runs the else branch also behind a loop whose every iteration was
// left by continue or break.
bool Interpreter::run_iterations(const Stmt& stmt, const Value& items, Activation& scope, std::string& out) {
  bool completed = false;
  const auto iterate_with = [&](auto next) {
    Value item;
    while (next(item)) {
      const Flow flow = run_iteration(stmt, item, scope, out);
      completed = completed || flow == Flow::kNext;
      if (flow == Flow::kBreak) return;
    }
  };
  if (stmt.uses_loop) {
    Loop& loop = items.as<Loop>();
    iterate_with([&](Value& item) {
      if (!loop.advance(item)) return false;
      slot(stmt.loop, scope) = items;
      return true;
    });
  } else {
    const Value iterator = iterate(runtime_, items);
    iterate_with([&](Value& item) { return iterator.as<Iterator>().next(item); });
  }
  return completed;
}

Interpreter::Flow Interpreter::run_iteration(const Stmt& stmt, const Value& item, Activation& scope,
                                             std::string& out) {
  assign(*stmt.target, item, scope);
  enter(stmt.scope, scope);
  return run(stmt.body, scope, out);
}

Value Interpreter::filtered(const Stmt& stmt, const Value& items, Activation& outer) {
  const Value iterator = iterate(runtime_, items);
  return runtime_.iterator([this, &stmt, iterator, outer = Value(&outer), variables = Value()](Value& out) mutable {
    if (variables.missing()) {
      variables = runtime_.make<Activation>(static_cast<size_t>(stmt.test_slot_count), outer);
      enter(stmt.test_scope, variables.as<Activation>());
    }
    Value item;
    while (iterator.as<Iterator>().next(item)) {
      assign(*stmt.test_target, item, variables.as<Activation>());
      if (!truth(evaluate(*stmt.test, variables.as<Activation>()))) continue;
      out = std::move(item);
      return true;
    }
    return false;
  });
}

// ---- variables -----------------------------------------------------------------------------------------------------

void Interpreter::enter(const Scope& entered, Activation& scope) {
  for (const Load& load : entered.loads) {
    Value& target = scope.slots[static_cast<size_t>(load.slot)];
    switch (load.from) {
      case Load::From::kParameter: break;
      case Load::From::kContext: target = resolve(load.name); break;
      case Load::From::kAlias: target = slot(load.alias, scope); break;
      case Load::From::kNothing: target = Value(); break;
    }
  }
}

void Interpreter::leave(const Scope& left, Activation& scope) {
  for (const Load& load : left.loads) scope.slots[static_cast<size_t>(load.slot)] = Value();
}

Value Interpreter::resolve(std::string_view name) {
  if (const Value* found = exported_.as<Dict>().find(name)) return *found;
  if (const Value* found = variables_.as<Dict>().find(name)) return *found;
  const Builtin* global = find_global(name);
  return global == nullptr ? Value() : runtime_.make<Function>(*global);
}

Value& Interpreter::slot(const VariableRef& variable, Activation& scope) {
  Activation* activation = &scope;
  for (int i = 0; i < variable.hops; ++i) activation = &activation->parent.as<Activation>();
  return activation->slots[static_cast<size_t>(variable.slot)];
}

void Interpreter::assign(const Expr& target, const Value& value, Activation& scope) {
  switch (target.kind) {
    case ExprKind::kTuple: unpack(target, value, scope); break;
    case ExprKind::kNamespaceAttribute: assign_attribute(target, value, scope); break;
    default: slot(target.variable, scope) = value;
  }
}

void Interpreter::unpack(const Expr& target, const Value& value, Activation& scope) {
  if (!iterable(value)) raise(Raised::kType, "cannot unpack non-iterable {} object", type_name(value));
  const Value iterator = iterate(runtime_, value);
  Values items;
  Value item;
  while (items.size() <= target.items.size() && iterator.as<Iterator>().next(item)) items.push_back(item);
  if (items.size() > target.items.size())
    raise(Raised::kValue, "too many values to unpack (expected {})", target.items.size());
  if (items.size() < target.items.size())
    raise(Raised::kValue, "not enough values to unpack (expected {}, got {})", target.items.size(), items.size());
  for (size_t i = 0; i < items.size(); ++i) assign(*target.items[i], items[i], scope);
}

void Interpreter::check_namespaces(const Expr& target, Activation& scope) {
  if (target.kind == ExprKind::kTuple)
    for (const Expr* item : target.items) check_namespaces(*item, scope);
  if (target.kind == ExprKind::kNamespaceAttribute && !slot(target.variable, scope).is(Kind::kNamespace))
    raise(Raised::kRuntime, "cannot assign attribute on non-namespace object");
}

void Interpreter::assign_attribute(const Expr& target, const Value& value, Activation& scope) {
  const Expr& attribute = *target.items[0];
  if (attribute.text.starts_with('_'))
    raise(Raised::kSecurity, "a namespace cannot hold {}: the name starts with an underscore",
          repr_text(attribute.text));
  slot(target.variable, scope).as<Namespace>().attributes.as<Dict>().set(constant(attribute), value);
}

void Interpreter::publish(const Expr& target, Activation& scope) {
  if (target.kind == ExprKind::kTuple)
    for (const Expr* item : target.items) publish(*item, scope);
  if (target.kind == ExprKind::kName)
    exported_.as<Dict>().set(runtime_.string(std::string(target.text)), slot(target.variable, scope));
}

}  // namespace rival::text::jinja
