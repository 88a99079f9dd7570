// The token stream and the expression half of the parser; jinja_parser.cc derives the statements from it.
#pragma once

#include <string_view>
#include <vector>

#include "text/jinja_ast.h"
#include "text/jinja_lexer.h"

namespace rival::text::jinja {

class ExpressionParser {
 protected:
  ExpressionParser(std::vector<Token> tokens, Tree& tree) : tree_(tree), tokens_(std::move(tokens)) {}

  // ---- stream ----
  const Token& current() const { return tokens_[at_]; }
  const Token& look() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& next() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }
  bool at(TokenKind kind) const { return current().kind == kind; }
  bool at_name(std::string_view name) const { return at(TokenKind::kName) && current().text == name; }
  bool skip_if(TokenKind kind);
  bool skip_if_name(std::string_view name);
  const Token& expect(TokenKind kind, std::string_view what);
  void expect_name(std::string_view name);
  [[noreturn]] void fail(std::string_view message, int line) const;
  [[noreturn]] void fail_unexpected(std::string_view expected) const;

  // ---- expressions ----
  Expr* parse_expression(bool with_conditional = true);
  struct TupleRules {
    bool simplified = false;     // only names and literals: an assignment target
    bool conditional = true;     // `a if b else c` may appear
    bool parentheses = false;    // inside of them, so that it may be empty
    bool namespaces = false;     // `name.attribute` is a target
    std::string_view end = {};   // a name that ends it
  };
  Expr* parse_tuple(const TupleRules& rules);
  Expr* parse_primary(bool namespaces);
  Expr* parse_filter(Expr* node, bool start_inline);

  // An expression node whose depth is that of its deepest item plus one. Raises kLimit.
  Expr* make(ExprKind kind, int line, std::vector<Expr*> items = {});

  // Bounds recursion of the parser itself.
  struct Nested {
    explicit Nested(ExpressionParser& owner);
    ~Nested() { --parser.depth_; }
    ExpressionParser& parser;
  };

  Tree& tree_;

 private:
  Expr* parse_conditional();
  Expr* parse_or();
  Expr* parse_and();
  Expr* parse_not();
  Expr* parse_compare();
  bool parse_compare_operator(Op& op);
  Expr* parse_sum();
  Expr* parse_concat();
  Expr* parse_product();
  Expr* parse_power();
  Expr* parse_unary(bool with_filter);
  Expr* parse_name(bool namespaces);
  Expr* parse_text();
  Expr* parse_list();
  Expr* parse_dict();
  Expr* parse_postfix(Expr* node);
  Expr* parse_filter_chain(Expr* node);
  Expr* parse_subscript(Expr* node);
  Expr* parse_subscripts(Expr* node, int line);
  Expr* parse_subscribed();
  Expr* parse_call(Expr* node);
  CallSyntax* parse_call_arguments();
  void parse_call_argument(CallSyntax& call, int line);
  Expr* parse_test(Expr* node);
  bool test_argument_follows() const;
  Expr* binary(Op op, Expr* left, Expr* right, int line);
  Expr* attach_call(Expr* node, CallSyntax* call);
  std::string_view parse_dotted_name();

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace rival::text::jinja
