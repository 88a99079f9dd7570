// Runs a Tree. One Interpreter is one render: statements in jinja_interpreter.cc, expressions and calls in
// jinja_evaluate.cc. Raises (jinja_error.h); line() then tells where.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja_ast.h"
#include "text/jinja_builtin.h"
#include "text/jinja_loop.h"

namespace rival::text::jinja {

class Interpreter {
 public:
  // `variables` is a Dict that belongs to `runtime`; `tree` outlives this.
  Interpreter(const Tree& tree, Runtime& runtime, Value variables);

  std::string render();
  int line() const { return line_; }
  // Bytes of the result, [first, second), that {% generation %} blocks wrote.
  const std::vector<std::pair<size_t, size_t>>& generations() const { return generations_; }

 private:
  enum class Flow { kNext, kBreak, kContinue };

  // ---- statements ----
  Flow run(const Body& body, Activation& scope, std::string& out);
  Flow run(const Stmt& stmt, Activation& scope, std::string& out);
  void output(const Expr& expr, Activation& scope, std::string& out);
  void append(std::string& out, const Value& value);
  void append_block(std::string& out, const Value& value);
  Flow run_for(const Stmt& stmt, Activation& scope, std::string& out);
  Value run_recursive(const Stmt& stmt, const Value& outer, const Value& items, int64_t depth);
  // A break or continue in the else branch means the loop around.
  Flow run_loop(const Stmt& stmt, Value items, Activation& outer, Activation& scope, std::string& out, int64_t depth);
  bool run_iterations(const Stmt& stmt, const Value& items, Activation& scope, std::string& out);
  Flow run_iteration(const Stmt& stmt, const Value& item, Activation& scope, std::string& out);
  Value filtered(const Stmt& stmt, const Value& items, Activation& outer);
  Flow run_if(const Stmt& stmt, Activation& scope, std::string& out);
  void run_set(const Stmt& stmt, Activation& scope);
  Flow run_captured(const Stmt& stmt, Activation& scope, std::string& out);  // set block, filter block
  Flow run_with(const Stmt& stmt, Activation& scope, std::string& out);
  void run_call_block(const Stmt& stmt, Activation& scope, std::string& out);
  void run_generation(const Stmt& stmt, Activation& scope, std::string& out);
  void run_block(const Stmt& stmt, std::string& out);

  // ---- variables ----
  void enter(const Scope& entered, Activation& scope);
  void leave(const Scope& left, Activation& scope);
  Value resolve(std::string_view name);  // a variable of the render or a global; kMissing
  Value& slot(const VariableRef& variable, Activation& scope);
  void assign(const Expr& target, const Value& value, Activation& scope);
  void unpack(const Expr& target, const Value& value, Activation& scope);
  void check_namespaces(const Expr& target, Activation& scope);
  void assign_attribute(const Expr& target, const Value& value, Activation& scope);
  void publish(const Expr& target, Activation& scope);

  // ---- expressions ----
  Value evaluate(const Expr& expr, Activation& scope);
  Value evaluate_name(const Expr& expr, Activation& scope);
  Value evaluate_items(const Expr& expr, Activation& scope);
  Value evaluate_dict(const Expr& expr, Activation& scope);
  Value evaluate_compare(const Expr& expr, Activation& scope);
  Value evaluate_concat(const Expr& expr, Activation& scope);
  Value evaluate_conditional(const Expr& expr, Activation& scope);
  Value evaluate_slice(const Expr& expr, Activation& scope);
  Value evaluate_row(const Expr& expr, Activation& scope);  // a filter or a test
  Value evaluate_call(const Expr& expr, Activation& scope, Value caller);
  Value constant(const Expr& expr);
  void evaluate_arguments(const CallSyntax& call, Activation& scope, Arguments& arguments);
  void spread_keywords(const Value& mapping, Arguments& arguments);
  Value call(const Value& callee, Arguments&& arguments);
  Value call_macro(const Value& macro, Arguments&& arguments);
  void bind_macro(const MacroBody& body, Arguments&& arguments, Activation& scope);

  const Tree& tree_;
  Runtime& runtime_;
  Value variables_;  // of the render
  Value exported_;   // assigned at top level, for blocks
  Value block_text_;  // what a filter block's filter works on
  Values constants_;
  std::string* root_out_ = nullptr;
  std::vector<std::pair<size_t, size_t>> generations_;
  int line_ = 1;
  int call_depth_ = 0;
};

}  // namespace rival::text::jinja
