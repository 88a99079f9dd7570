// The syntax tree of a template. Nodes live in a Tree, which only grows while a template is parsed; memory is linear
// in its source. Names point into the Tree. What resolve_names (jinja_scope.h) finds out is marked "resolved".
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja_ops.h"

namespace rival::text::jinja {

struct Builtin;
struct Expr;
struct Stmt;

enum class ExprKind : uint8_t {
  kNone, kBool, kInt, kFloat, kText,
  kName, kNamespaceAttribute,
  kTuple, kList, kDict,      // items; a dict's are key, value, key, value
  kNot, kNegate, kPlus,      // items[0]
  kArithmetic,               // items[0] op items[1]
  kAnd, kOr,                 // items[0], items[1]
  kCompare,                  // items[0] ops[0] items[1] ops[1] items[2] ...
  kConcat,                   // items
  kConditional,              // items: test, then[, otherwise]
  kAttribute,                // items[0].text
  kItem,                     // items[0][items[1]]
  kSlice,                    // items[0][items[1]:items[2]:items[3]]; absent ones are null
  kCall,                     // items[0](call)
  kFilter, kTest,            // items[0] | text(call); a filter block's filter has null at the chain's end
};

struct Keyword {
  std::string_view name;
  Expr* value;
};

struct CallSyntax {
  std::vector<Expr*> positional;
  std::vector<Keyword> keywords;
  Expr* star = nullptr;         // *items
  Expr* double_star = nullptr;  // **mapping
};

// A variable: `hops` functions outwards, then a slot there. Resolved.
struct VariableRef {
  int hops = 0;
  int slot = -1;
};

struct Expr {
  ExprKind kind;
  int line = 0;
  int depth = 1;  // of the tree below
  union {
    int64_t integer = 0;
    double real;
    Op op;
  };
  int constant = -1;           // of text: its number among the constants of the tree
  std::string_view text;       // of a name, attribute, filter, test; the content of kText
  std::vector<Expr*> items;
  std::vector<Op> ops;
  CallSyntax* call = nullptr;
  VariableRef variable;               // resolved
  const Builtin* builtin = nullptr;   // of a filter or test; null: unknown, an error when it runs
};

enum class StmtKind : uint8_t {
  kOutput, kFor, kIf, kSet, kSetBlock, kMacro, kCallBlock, kFilterBlock, kWith,
  kBreak, kContinue, kGeneration, kBlock, kScope, kUnsupported,
};

// What a variable holds when its scope is entered. Resolved.
struct Load {
  enum class From : uint8_t { kParameter, kContext, kAlias, kNothing };
  From from;
  int slot;
  VariableRef alias;
  std::string_view name;
};

struct Scope {  // resolved
  std::vector<Load> loads;
};

struct Body {
  std::vector<Stmt*> statements;
};

struct MacroParameter {
  std::string_view name;
  Expr* default_value = nullptr;
  int slot = -1;  // resolved
};

struct MacroBody {
  std::string_view name;
  bool anonymous = false;  // the body of a call block
  std::vector<MacroParameter> parameters;
  Body body;
  Scope scope;           // resolved, as all below
  int slot_count = 0;
  bool uses_caller = false;
  int caller_slot = -1, kwargs_slot = -1, varargs_slot = -1;
};

struct Branch {  // of an if
  Expr* test;    // null: else
  Body body;
};

struct Stmt {
  StmtKind kind;
  int line = 0;
  std::string_view name;       // of a macro or block; of an unsupported tag
  Expr* target = nullptr;      // of for, set, set block
  Expr* value = nullptr;       // set: value; for: iterable; filter block, set block: filter; call block: the call
  Expr* test = nullptr;        // of for
  std::vector<Expr*> outputs;  // of output; with: values
  std::vector<Expr*> targets;  // of with
  std::vector<Branch> branches;
  Body body, else_body;
  bool recursive = false;
  MacroBody* macro = nullptr;  // of macro, call block, generation

  // resolved
  Expr* test_target = nullptr;  // the target once more, as variables of the function that filters items
  Scope scope, else_scope, test_scope;
  bool uses_loop = false;  // `loop` is looked at
  VariableRef loop;
  int slot_count = 0;       // of the function of a recursive loop, a block
  int test_slot_count = 0;  // of the function that filters a loop's items
  VariableRef variable;     // of a macro's name
  bool exports = false;     // an assignment at top level, which blocks can see
};

class Tree {
 public:
  Expr* expr(ExprKind kind, int line);
  Stmt* stmt(StmtKind kind, int line);
  CallSyntax* call() { return &calls_.emplace_back(); }
  MacroBody* macro() { return &macros_.emplace_back(); }
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  Expr* text(std::string content, int line);

  Body root;
  Scope scope;         // resolved
  int slot_count = 0;  // resolved
  std::vector<std::string_view> constants;
  std::vector<Stmt*> blocks;
  bool has_generation = false;

  // Every name that is read, attribute and text constant, for ChatTemplate::uses.
  const std::deque<Expr>& expressions() const { return exprs_; }

 private:
  std::deque<Expr> exprs_;
  std::deque<Stmt> stmts_;
  std::deque<CallSyntax> calls_;
  std::deque<MacroBody> macros_;
  std::deque<std::string> texts_;
};

}  // namespace rival::text::jinja
