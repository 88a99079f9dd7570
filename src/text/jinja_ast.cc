#include "text/jinja_ast.h"

#include <utility>

namespace rival::text::jinja {

Expr* Tree::expr(ExprKind kind, int line) {
  Expr& node = exprs_.emplace_back();
  node.kind = kind;
  node.line = line;
  return &node;
}

Stmt* Tree::stmt(StmtKind kind, int line) {
  Stmt& node = stmts_.emplace_back();
  node.kind = kind;
  node.line = line;
  return &node;
}

Expr* Tree::text(std::string content, int line) {
  Expr* node = expr(ExprKind::kText, line);
  node->text = keep(std::move(content));
  node->constant = static_cast<int>(constants.size());
  constants.push_back(node->text);
  return node;
}

}  // namespace rival::text::jinja
