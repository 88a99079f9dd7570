#include "text/jinja_scope.h"

#include <algorithm>
#include <deque>
#include <initializer_list>
#include <vector>

#include "text/jinja_builtin.h"
#include "text/jinja_symbols.h"

namespace rival::text::jinja {
namespace {

template <typename Visit>
void for_each_child(const Expr& expr, Visit visit) {
  for (Expr* item : expr.items)
    if (item != nullptr) visit(*item);
  if (expr.call == nullptr) return;
  for (Expr* item : expr.call->positional) visit(*item);
  for (const Keyword& keyword : expr.call->keywords) visit(*keyword.value);
  if (expr.call->star != nullptr) visit(*expr.call->star);
  if (expr.call->double_star != nullptr) visit(*expr.call->double_star);
}

// ---- is a special name looked at? --------------------------------------------------------------------------------

// Looks for a name that is read before anything of that name is assigned, closures included.
class NameSearch {
 public:
  explicit NameSearch(std::string_view name) : name_(name) {}

  bool in(const Body& body) {
    search(body);
    return found_;
  }

 private:
  void search(const Body& body) {
    for (const Stmt* stmt : body.statements) search(*stmt);
  }
  void search(const Expr* expr) {
    if (expr == nullptr || found_ || hidden_) return;
    if (expr->kind == ExprKind::kName && expr->text == name_) found_ = true;
    for_each_child(*expr, [&](const Expr& child) { search(&child); });
  }
  void assign(const Expr* target) {
    if (target == nullptr) return;
    if (target->kind == ExprKind::kName && target->text == name_) hidden_ = true;
    for (const Expr* item : target->items)
      if (target->kind == ExprKind::kTuple) assign(item);
  }
  void search_macro(const MacroBody& macro) {
    for (const MacroParameter& parameter : macro.parameters)
      if (parameter.name == name_) hidden_ = true;
    for (const MacroParameter& parameter : macro.parameters) search(parameter.default_value);
    search(macro.body);
  }
  void search(const Stmt& stmt) {
    if (found_ || hidden_ || stmt.kind == StmtKind::kBlock) return;
    assign(stmt.target);
    for (const Expr* target : stmt.targets) assign(target);
    if (stmt.kind == StmtKind::kFilterBlock) search(stmt.body);
    search(stmt.value);
    for (const Expr* output : stmt.outputs) search(output);
    for (const Branch& branch : stmt.branches) {
      search(branch.test);
      search(branch.body);
    }
    search(stmt.body);
    search(stmt.else_body);
    search(stmt.test);
    if (stmt.macro != nullptr) search_macro(*stmt.macro);
  }

  std::string_view name_;
  bool found_ = false, hidden_ = false;
};

// ---- what a scope loads and stores -------------------------------------------------------------------------------

void analyze(Symbols& symbols, const Expr* expr) {
  if (expr == nullptr) return;
  if (expr->kind == ExprKind::kName || expr->kind == ExprKind::kNamespaceAttribute) symbols.load(expr->text);
  for_each_child(*expr, [&](const Expr& child) { analyze(symbols, &child); });
}

void analyze_target(Symbols& symbols, const Expr& target, bool parameter) {
  if (target.kind == ExprKind::kTuple) {
    for (const Expr* item : target.items) analyze_target(symbols, *item, parameter);
  } else if (target.kind == ExprKind::kNamespaceAttribute) {
    symbols.load(target.text);
  } else if (parameter) {
    symbols.declare_parameter(target.text);
  } else {
    symbols.store(target.text);
  }
}

void analyze(Symbols& symbols, const Body& body);

void analyze_if(Symbols& symbols, const Stmt& stmt) {
  const size_t before = symbols.stores_so_far();
  for (const Branch& branch : stmt.branches) {
    analyze(symbols, branch.test);
    analyze(symbols, branch.body);
  }
  symbols.join_branches(before);
}

// Statements with a scope of their own are looked at from outside only.
void analyze(Symbols& symbols, const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::kIf: analyze_if(symbols, stmt); return;
    case StmtKind::kMacro: symbols.store(stmt.name); return;
    case StmtKind::kSetBlock: analyze_target(symbols, *stmt.target, false); return;
    case StmtKind::kSet:
      analyze(symbols, stmt.value);
      analyze_target(symbols, *stmt.target, false);
      return;
    default:
      analyze(symbols, stmt.value);
      for (const Expr* output : stmt.outputs) analyze(symbols, output);
  }
}

void analyze(Symbols& symbols, const Body& body) {
  for (const Stmt* stmt : body.statements) analyze(symbols, *stmt);
}

// ---- resolution --------------------------------------------------------------------------------------------------

struct Frame {
  Symbols* symbols;
  bool toplevel = false;
  bool soft = false;     // in a condition: an unknown filter is an error only when it runs
  bool in_loop = false;  // break has a loop to leave, in the same function
};

class Resolver {
 public:
  explicit Resolver(Tree& tree) : tree_(tree) {}

  void run() {
    Unit& unit = units_.emplace_back();
    Symbols symbols(nullptr, &unit);
    analyze(symbols, tree_.root);
    resolve(tree_.root, {.symbols = &symbols, .toplevel = true});
    tree_.scope = symbols.scope();
    tree_.slot_count = static_cast<int>(unit.slots.size());
    for (Stmt* block : tree_.blocks) resolve_block(*block);
  }

 private:
  [[noreturn]] void fail(int line, std::string_view message) {
    raise(Raised::kSyntax, "line {}: {}", line, message);
  }

  Unit& unit_in(const Frame& frame) {
    Unit& unit = units_.emplace_back();
    unit.parent = frame.symbols->unit();
    return unit;
  }

  VariableRef reference(const Frame& frame, std::string_view name, int line) {
    const Identifier* identifier = frame.symbols->find(name);
    if (identifier == nullptr) fail(line, fmt::format("the name {} cannot be used here", name));
    return frame.symbols->reference(*identifier);
  }

  void resolve(Expr* expr, Frame frame) {
    if (expr == nullptr) return;
    if (expr->kind == ExprKind::kName) expr->variable = reference(frame, expr->text, expr->line);
    if ((expr->kind == ExprKind::kFilter || expr->kind == ExprKind::kTest) && expr->builtin == nullptr && !frame.soft)
      fail(expr->line, fmt::format("no {} named {}", expr->kind == ExprKind::kFilter ? "filter" : "test",
                                   repr_text(expr->text)));
    if (expr->kind == ExprKind::kConditional) frame.soft = true;
    for_each_child(*expr, [&](Expr& child) { resolve(&child, frame); });
  }

  void resolve_target(Expr& target, const Frame& frame) {
    if (target.kind == ExprKind::kTuple) {
      for (Expr* item : target.items) resolve_target(*item, frame);
      return;
    }
    if (target.kind == ExprKind::kName && target.text == "loop" && loops_ > 0)
      fail(target.line, "can't assign to the special loop variable");
    target.variable = reference(frame, target.text, target.line);
  }

  void resolve(Body& body, const Frame& frame) {
    for (Stmt* stmt : body.statements) resolve(*stmt, frame);
  }

  void resolve(Stmt& stmt, const Frame& frame) {
    switch (stmt.kind) {
      case StmtKind::kOutput:
        for (Expr* output : stmt.outputs) resolve(output, frame);
        return;
      case StmtKind::kFor: resolve_for(stmt, frame); return;
      case StmtKind::kIf: resolve_if(stmt, frame); return;
      case StmtKind::kSet:
        resolve(stmt.value, frame);
        resolve_target(*stmt.target, frame);
        stmt.exports = frame.toplevel;
        return;
      case StmtKind::kMacro:
        resolve_macro(*stmt.macro, frame, stmt.line);
        stmt.variable = reference(frame, stmt.name, stmt.line);
        stmt.exports = frame.toplevel;
        return;
      case StmtKind::kCallBlock:
      case StmtKind::kGeneration:
        resolve_macro(*stmt.macro, frame, stmt.line);
        resolve(stmt.value, frame);
        return;
      case StmtKind::kSetBlock:
      case StmtKind::kFilterBlock:
      case StmtKind::kScope: resolve_inner(stmt, frame); return;
      case StmtKind::kWith: resolve_with(stmt, frame); return;
      case StmtKind::kBreak:
      case StmtKind::kContinue:
        if (!frame.in_loop) fail(stmt.line, "break or continue outside of a loop");
        return;
      case StmtKind::kBlock:
      case StmtKind::kUnsupported: return;
    }
  }

  void resolve_if(Stmt& stmt, Frame frame) {
    frame.soft = true;
    for (Branch& branch : stmt.branches) {
      resolve(branch.test, frame);
      resolve(branch.body, frame);
    }
  }

  void resolve_inner(Stmt& stmt, const Frame& frame) {
    Symbols symbols(frame.symbols, frame.symbols->unit());
    analyze(symbols, stmt.body);
    if (stmt.kind == StmtKind::kFilterBlock) analyze(symbols, stmt.value);
    const Frame inner{.symbols = &symbols, .in_loop = frame.in_loop};
    resolve(stmt.body, inner);
    resolve(stmt.value, inner);
    if (stmt.target != nullptr) resolve_target(*stmt.target, frame);
    stmt.exports = frame.toplevel;
    stmt.scope = symbols.scope();
  }

  void resolve_with(Stmt& stmt, const Frame& frame) {
    Symbols symbols(frame.symbols, frame.symbols->unit());
    for (const Expr* target : stmt.targets) analyze_target(symbols, *target, true);
    analyze(symbols, stmt.body);
    const Frame inner{.symbols = &symbols, .in_loop = frame.in_loop};
    for (Expr* value : stmt.outputs) resolve(value, frame);
    for (Expr* target : stmt.targets) resolve_target(*target, inner);
    resolve(stmt.body, inner);
    stmt.scope = symbols.scope();
  }

  void resolve_for(Stmt& stmt, const Frame& frame) {
    ++loops_;
    stmt.uses_loop = stmt.recursive || NameSearch("loop").in(stmt.body);
    Unit& unit = stmt.recursive ? unit_in(frame) : *frame.symbols->unit();
    resolve(stmt.value, frame);
    if (stmt.test != nullptr) resolve_for_test(stmt, frame);

    Symbols symbols(frame.symbols, &unit);
    if (stmt.uses_loop) symbols.declare_parameter("loop");
    analyze_target(symbols, *stmt.target, true);
    analyze(symbols, stmt.body);
    const Frame inner{.symbols = &symbols, .in_loop = true};
    resolve_target(*stmt.target, inner);
    if (stmt.uses_loop) stmt.loop = reference(inner, "loop", stmt.line);
    resolve(stmt.body, inner);
    stmt.scope = symbols.scope();

    Symbols else_symbols(frame.symbols, &unit);
    analyze(else_symbols, stmt.else_body);
    resolve(stmt.else_body, {.symbols = &else_symbols, .in_loop = frame.in_loop && !stmt.recursive});
    stmt.else_scope = else_symbols.scope();
    stmt.slot_count = static_cast<int>(unit.slots.size());
    --loops_;
  }

  // The items of a loop with a test come from a function of its own, with its own copy of the loop's variables.
  void resolve_for_test(Stmt& stmt, const Frame& frame) {
    Unit& unit = unit_in(frame);
    Symbols symbols(frame.symbols, &unit);
    stmt.test_target = copy_target(*stmt.target);
    analyze_target(symbols, *stmt.test_target, true);
    analyze(symbols, stmt.test);
    const Frame inner{.symbols = &symbols};
    resolve_target(*stmt.test_target, inner);
    resolve(stmt.test, inner);
    stmt.test_scope = symbols.scope();
    stmt.test_slot_count = static_cast<int>(unit.slots.size());
  }

  Expr* copy_target(const Expr& target) {
    Expr* copy = tree_.expr(target.kind, target.line);
    copy->text = target.text;
    for (const Expr* item : target.items) copy->items.push_back(copy_target(*item));
    return copy;
  }

  void resolve_macro(MacroBody& macro, const Frame& frame, int line) {
    Unit& unit = unit_in(frame);
    Symbols symbols(frame.symbols, &unit);
    for (const MacroParameter& parameter : macro.parameters) symbols.declare_parameter(parameter.name);
    for (const MacroParameter& parameter : macro.parameters) analyze(symbols, parameter.default_value);
    declare_specials(macro, symbols, line);
    analyze(symbols, macro.body);
    const Frame inner{.symbols = &symbols};
    for (MacroParameter& parameter : macro.parameters) {
      resolve(parameter.default_value, inner);
      parameter.slot = symbols.find(parameter.name)->slot;
    }
    resolve(macro.body, inner);
    macro.scope = symbols.scope();
    macro.slot_count = static_cast<int>(unit.slots.size());
  }

  // `caller`, `kwargs` and `varargs` are parameters too, where the body looks at them.
  void declare_specials(MacroBody& macro, Symbols& symbols, int line) {
    const auto parameter = [&](std::string_view name) {
      return std::find_if(macro.parameters.begin(), macro.parameters.end(),
                          [&](const MacroParameter& p) { return p.name == name; });
    };
    const auto declare = [&](std::string_view name) {
      symbols.declare_parameter(name);
      return symbols.find(name)->slot;
    };
    const auto caller = parameter("caller");
    const bool names_caller = caller != macro.parameters.end();
    macro.uses_caller = NameSearch("caller").in(macro.body);
    if (macro.uses_caller && names_caller && caller->default_value == nullptr)
      fail(line, "the special \"caller\" argument must be omitted or be given a default");
    if (macro.uses_caller && !names_caller) macro.caller_slot = declare("caller");
    if (parameter("kwargs") == macro.parameters.end() && NameSearch("kwargs").in(macro.body))
      macro.kwargs_slot = declare("kwargs");
    if (parameter("varargs") == macro.parameters.end() && NameSearch("varargs").in(macro.body))
      macro.varargs_slot = declare("varargs");
  }

  void resolve_block(Stmt& block) {
    Unit& unit = units_.emplace_back();
    Symbols symbols(nullptr, &unit);
    analyze(symbols, block.body);
    resolve(block.body, {.symbols = &symbols});
    block.scope = symbols.scope();
    block.slot_count = static_cast<int>(unit.slots.size());
  }

  Tree& tree_;
  std::deque<Unit> units_;
  int loops_ = 0;  // for blocks around
};

}  // namespace

void resolve_names(Tree& tree) { Resolver(tree).run(); }

}  // namespace rival::text::jinja
