#include <algorithm>

#include "base/limits.h"
#include "text/jinja_interpreter.h"
#include "text/jinja_ops.h"

namespace rival::text::jinja {

Value Interpreter::evaluate(const Expr& expr, Activation& scope) {
  runtime_.spend(1);
  runtime_.check_stack();
  switch (expr.kind) {
    case ExprKind::kNone: return Value::none();
    case ExprKind::kBool: return Value::boolean(expr.integer != 0);
    case ExprKind::kInt: return Value::integer(expr.integer);
    case ExprKind::kFloat: return Value::real(expr.real);
    case ExprKind::kText: return constant(expr);
    case ExprKind::kName: return evaluate_name(expr, scope);
    case ExprKind::kNamespaceAttribute: break;  // only ever a target
    case ExprKind::kTuple:
    case ExprKind::kList: return evaluate_items(expr, scope);
    case ExprKind::kDict: return evaluate_dict(expr, scope);
    case ExprKind::kNot: return Value::boolean(!truth(evaluate(*expr.items[0], scope)));
    case ExprKind::kNegate: return negate(evaluate(*expr.items[0], scope));
    case ExprKind::kPlus: return plus(evaluate(*expr.items[0], scope));
    case ExprKind::kArithmetic: {
      const Value left = evaluate(*expr.items[0], scope);
      const Value right = evaluate(*expr.items[1], scope);
      line_ = expr.line;
      return arithmetic(runtime_, expr.op, left, right);
    }
    case ExprKind::kAnd:
    case ExprKind::kOr: {
      Value left = evaluate(*expr.items[0], scope);
      const bool decided = truth(left) == (expr.kind == ExprKind::kOr);
      return decided ? left : evaluate(*expr.items[1], scope);
    }
    case ExprKind::kCompare: return evaluate_compare(expr, scope);
    case ExprKind::kConcat: return evaluate_concat(expr, scope);
    case ExprKind::kConditional: return evaluate_conditional(expr, scope);
    case ExprKind::kAttribute: {
      const Value object = evaluate(*expr.items[0], scope);
      line_ = expr.line;
      return get_attribute(runtime_, object, expr.text);
    }
    case ExprKind::kItem: {
      const Value object = evaluate(*expr.items[0], scope);
      const Value key = evaluate(*expr.items[1], scope);
      line_ = expr.line;
      return get_item(runtime_, object, key);
    }
    case ExprKind::kSlice: return evaluate_slice(expr, scope);
    case ExprKind::kCall: return evaluate_call(expr, scope, Value());
    case ExprKind::kFilter:
    case ExprKind::kTest: return evaluate_row(expr, scope);
  }
  return Value();
}

Value Interpreter::constant(const Expr& expr) {
  Value& kept = constants_[static_cast<size_t>(expr.constant)];
  if (kept.missing()) kept = runtime_.string(std::string(expr.text));
  return kept;
}

Value Interpreter::evaluate_name(const Expr& expr, Activation& scope) {
  const Value& value = slot(expr.variable, scope);
  return value.missing() ? runtime_.undefined(fmt::format("{} is undefined", repr_text(expr.text))) : value;
}

Value Interpreter::evaluate_items(const Expr& expr, Activation& scope) {
  Values items;
  items.reserve(expr.items.size());
  for (const Expr* item : expr.items) items.push_back(evaluate(*item, scope));
  return expr.kind == ExprKind::kList ? runtime_.list(std::move(items)) : runtime_.tuple(std::move(items));
}

Value Interpreter::evaluate_dict(const Expr& expr, Activation& scope) {
  const Value dict = runtime_.make<Dict>();
  for (size_t i = 0; i + 1 < expr.items.size(); i += 2) {
    const Value key = evaluate(*expr.items[i], scope);
    dict.as<Dict>().set(key, evaluate(*expr.items[i + 1], scope));
  }
  return dict;
}

Value Interpreter::evaluate_compare(const Expr& expr, Activation& scope) {
  Value left = evaluate(*expr.items[0], scope);
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    Value right = evaluate(*expr.items[i + 1], scope);
    line_ = expr.line;
    if (!compare(expr.ops[i], left, right)) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Interpreter::evaluate_concat(const Expr& expr, Activation& scope) {
  std::string result;
  for (const Expr* item : expr.items) append(result, evaluate(*item, scope));
  return runtime_.string(std::move(result));
}

Value Interpreter::evaluate_conditional(const Expr& expr, Activation& scope) {
  if (truth(evaluate(*expr.items[0], scope))) return evaluate(*expr.items[1], scope);
  if (expr.items.size() > 2) return evaluate(*expr.items[2], scope);
  return runtime_.undefined("the inline if-expression evaluated to false and no else section was defined.");
}

Value Interpreter::evaluate_slice(const Expr& expr, Activation& scope) {
  const Value object = evaluate(*expr.items[0], scope);
  Value bounds[3];
  for (size_t i = 0; i < 3; ++i)
    if (expr.items[i + 1] != nullptr) bounds[i] = evaluate(*expr.items[i + 1], scope);
  line_ = expr.line;
  return get_slice(runtime_, object, bounds[0], bounds[1], bounds[2]);
}

Value Interpreter::evaluate_row(const Expr& expr, Activation& scope) {
  Arguments arguments;
  arguments.positional.push_back(expr.items[0] == nullptr ? block_text_ : evaluate(*expr.items[0], scope));
  evaluate_arguments(*expr.call, scope, arguments);
  line_ = expr.line;
  if (expr.builtin == nullptr)
    raise(Raised::kRuntime, "no {} named {} found", expr.kind == ExprKind::kFilter ? "filter" : "test",
          repr_text(expr.text));
  return call_builtin(runtime_, *expr.builtin, std::move(arguments));
}

// ---- calls ---------------------------------------------------------------------------------------------------------

Value Interpreter::evaluate_call(const Expr& expr, Activation& scope, Value caller) {
  const Value callee = evaluate(*expr.items[0], scope);
  Arguments arguments;
  evaluate_arguments(*expr.call, scope, arguments);
  if (!caller.missing()) arguments.keywords.emplace_back(runtime_.string("caller"), std::move(caller));
  line_ = expr.line;
  return call(callee, std::move(arguments));
}

void Interpreter::evaluate_arguments(const CallSyntax& call, Activation& scope, Arguments& arguments) {
  for (const Expr* item : call.positional) arguments.positional.push_back(evaluate(*item, scope));
  for (const Keyword& keyword : call.keywords)
    arguments.keywords.emplace_back(runtime_.string(std::string(keyword.name)), evaluate(*keyword.value, scope));
  if (call.star != nullptr) {
    const Values more = to_values(runtime_, evaluate(*call.star, scope));
    arguments.positional.insert(arguments.positional.end(), more.begin(), more.end());
  }
  if (call.double_star != nullptr) spread_keywords(evaluate(*call.double_star, scope), arguments);
}

void Interpreter::spread_keywords(const Value& mapping, Arguments& arguments) {
  if (!mapping.is(Kind::kDict))
    raise(Raised::kType, "argument after ** must be a mapping, not {}", type_name(mapping));
  for (const Dict::Entry& entry : mapping.as<Dict>().entries) {
    if (!entry.key.is_string()) raise(Raised::kType, "keywords must be strings");
    for (const auto& [name, value] : arguments.keywords)
      if (equal(name, entry.key))
        raise(Raised::kType, "got multiple values for keyword argument '{}'", name.text());
    arguments.keywords.emplace_back(entry.key, entry.value);
  }
}

Value Interpreter::call(const Value& callee, Arguments&& arguments) {
  switch (callee.kind()) {
    case Kind::kUndefined: raise_undefined(callee);
    case Kind::kMacro: return call_macro(callee, std::move(arguments));
    case Kind::kFunction: return call_builtin(runtime_, callee.as<Function>().builtin, std::move(arguments));
    case Kind::kMethod:
      arguments.positional.insert(arguments.positional.begin(), callee.as<Method>().self);
      return call_builtin(runtime_, callee.as<Method>().builtin, std::move(arguments));
    case Kind::kJoiner: {
      if (!arguments.positional.empty() || !arguments.keywords.empty())
        raise(Raised::kType, "a joiner takes no arguments");
      Joiner& joiner = callee.as<Joiner>();
      return std::exchange(joiner.used, true) ? joiner.separator : runtime_.string("");
    }
    case Kind::kLoop: {
      const Loop& loop = callee.as<Loop>();
      if (arguments.positional.size() != 1 || !arguments.keywords.empty())
        raise(Raised::kType, "loop() takes one argument");
      if (loop.recursive == nullptr)
        raise(Raised::kType, "the loop must have the 'recursive' marker to be called recursively");
      return run_recursive(*loop.recursive, loop.scope, arguments.positional[0], loop.depth0 + 1);
    }
    default: raise(Raised::kType, "'{}' object is not callable", type_name(callee));
  }
}

Value Interpreter::call_macro(const Value& macro, Arguments&& arguments) {
  if (call_depth_ >= limits::kTemplateCallDepthMax) raise(Raised::kLimit, "maximum recursion depth exceeded");
  const MacroBody& body = macro.as<Macro>().body;
  const Value variables =
      runtime_.make<Activation>(static_cast<size_t>(body.slot_count), macro.as<Macro>().activation);
  Activation& scope = variables.as<Activation>();
  bind_macro(body, std::move(arguments), scope);
  enter(body.scope, scope);
  ++call_depth_;
  for (const MacroParameter& parameter : body.parameters) {
    Value& target = scope.slots[static_cast<size_t>(parameter.slot)];
    if (!target.missing()) continue;
    target = parameter.default_value != nullptr
                 ? evaluate(*parameter.default_value, scope)
                 : runtime_.undefined(fmt::format("parameter {} was not provided", repr_text(parameter.name)));
  }
  std::string out;
  run(body.body, scope, out);
  --call_depth_;
  return runtime_.string(std::move(out));
}

void Interpreter::bind_macro(const MacroBody& body, Arguments&& arguments, Activation& scope) {
  const auto at = [&](int slot) -> Value& { return scope.slots[static_cast<size_t>(slot)]; };
  const auto take = [&](std::string_view name) {
    Value value;
    auto& keywords = arguments.keywords;
    const auto found =
        std::find_if(keywords.begin(), keywords.end(), [&](const auto& k) { return k.first.text() == name; });
    if (found != keywords.end()) {
      value = std::move(found->second);
      keywords.erase(found);
    }
    return value;
  };
  const size_t given = std::min(arguments.positional.size(), body.parameters.size());
  for (size_t i = 0; i < given; ++i) at(body.parameters[i].slot) = arguments.positional[i];
  for (size_t i = given; i < body.parameters.size(); ++i) at(body.parameters[i].slot) = take(body.parameters[i].name);
  if (body.caller_slot >= 0) {
    Value caller = take("caller");
    at(body.caller_slot) = caller.missing() || caller.is_none() ? runtime_.undefined("No caller defined") : caller;
  }
  if (body.kwargs_slot >= 0) {
    const Value rest = runtime_.make<Dict>();
    for (const auto& [name, value] : arguments.keywords) rest.as<Dict>().set(name, value);
    at(body.kwargs_slot) = rest;
  } else if (!arguments.keywords.empty()) {
    raise(Raised::kType, "macro {} takes no keyword argument '{}'", repr_text(body.name),
          arguments.keywords.front().first.text());
  }
  if (body.varargs_slot >= 0)
    at(body.varargs_slot) = runtime_.tuple({arguments.positional.begin() + static_cast<ptrdiff_t>(given),
                                            arguments.positional.end()});
  else if (arguments.positional.size() > given)
    raise(Raised::kType, "macro {} takes not more than {} argument(s)", repr_text(body.name),
          body.parameters.size());
}

}  // namespace rival::text::jinja
