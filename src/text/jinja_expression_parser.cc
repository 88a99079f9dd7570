#include <algorithm>

#include "base/limits.h"
#include "text/jinja_builtin.h"
#include "text/jinja_parser_base.h"

namespace rival::text::jinja {

// ---- stream --------------------------------------------------------------------------------------------------------

ExpressionParser::Nested::Nested(ExpressionParser& owner) : parser(owner) {
  if (++parser.depth_ > limits::kTemplateDepthMax) {
    --parser.depth_;
    raise(Raised::kLimit, "line {}: nested more than {} deep", parser.current().line, limits::kTemplateDepthMax);
  }
}

bool ExpressionParser::skip_if(TokenKind kind) {
  if (!at(kind)) return false;
  next();
  return true;
}

bool ExpressionParser::skip_if_name(std::string_view name) {
  if (!at_name(name)) return false;
  next();
  return true;
}

const Token& ExpressionParser::expect(TokenKind kind, std::string_view what) {
  if (!at(kind)) fail_unexpected(what);
  return next();
}

void ExpressionParser::expect_name(std::string_view name) {
  if (!at_name(name)) fail_unexpected(name);
  next();
}

void ExpressionParser::fail(std::string_view message, int line) const {
  raise(Raised::kSyntax, "line {}: {}", line, message);
}

void ExpressionParser::fail_unexpected(std::string_view expected) const {
  const Token& token = current();
  if (token.kind == TokenKind::kEnd)
    fail(fmt::format("unexpected end of the template, expected {}", expected), token.line);
  fail(fmt::format("expected {}, found {}", expected,
                   token.text.empty() ? "the end of a tag" : repr_text(token.text.substr(0, 40))),
       token.line);
}

Expr* ExpressionParser::make(ExprKind kind, int line, std::vector<Expr*> items) {
  Expr* node = tree_.expr(kind, line);
  for (const Expr* item : items)
    if (item != nullptr) node->depth = std::max(node->depth, item->depth + 1);
  node->items = std::move(items);
  if (node->depth > limits::kTemplateTreeDepthMax)
    raise(Raised::kLimit, "line {}: an expression of more than {} operations", line, limits::kTemplateTreeDepthMax);
  return node;
}

// ---- operators, loosest first --------------------------------------------------------------------------------------

Expr* ExpressionParser::parse_expression(bool with_conditional) {
  const Nested nested(*this);
  return with_conditional ? parse_conditional() : parse_or();
}

Expr* ExpressionParser::parse_conditional() {
  int line = current().line;
  Expr* node = parse_or();
  while (skip_if_name("if")) {
    Expr* test = parse_or();
    std::vector<Expr*> items = {test, node};
    if (skip_if_name("else")) items.push_back(parse_expression());
    node = make(ExprKind::kConditional, line, std::move(items));
    line = current().line;
  }
  return node;
}

Expr* ExpressionParser::parse_or() {
  Expr* node = parse_and();
  for (int line = current().line; skip_if_name("or"); line = current().line)
    node = make(ExprKind::kOr, line, {node, parse_and()});
  return node;
}

Expr* ExpressionParser::parse_and() {
  Expr* node = parse_not();
  for (int line = current().line; skip_if_name("and"); line = current().line)
    node = make(ExprKind::kAnd, line, {node, parse_not()});
  return node;
}

Expr* ExpressionParser::parse_not() {
  const int line = current().line;
  if (!skip_if_name("not")) return parse_compare();
  const Nested nested(*this);
  return make(ExprKind::kNot, line, {parse_not()});
}

bool ExpressionParser::parse_compare_operator(Op& op) {
  switch (current().kind) {
    case TokenKind::kEqual: op = Op::kEqual; break;
    case TokenKind::kNotEqual: op = Op::kNotEqual; break;
    case TokenKind::kLess: op = Op::kLess; break;
    case TokenKind::kLessEqual: op = Op::kLessEqual; break;
    case TokenKind::kGreater: op = Op::kGreater; break;
    case TokenKind::kGreaterEqual: op = Op::kGreaterEqual; break;
    default:
      op = at_name("not") ? Op::kNotIn : Op::kIn;
      if (op == Op::kIn && !at_name("in")) return false;
      if (op == Op::kNotIn && (look().kind != TokenKind::kName || look().text != "in")) return false;
      if (op == Op::kNotIn) next();
  }
  next();
  return true;
}

Expr* ExpressionParser::parse_compare() {
  const int line = current().line;
  Expr* first = parse_sum();
  std::vector<Expr*> items = {first};
  std::vector<Op> ops;
  for (Op op{}; parse_compare_operator(op);) {
    ops.push_back(op);
    items.push_back(parse_sum());
  }
  if (ops.empty()) return first;
  Expr* node = make(ExprKind::kCompare, line, std::move(items));
  node->ops = std::move(ops);
  return node;
}

Expr* ExpressionParser::binary(Op op, Expr* left, Expr* right, int line) {
  Expr* node = make(ExprKind::kArithmetic, line, {left, right});
  node->op = op;
  return node;
}

Expr* ExpressionParser::parse_sum() {
  Expr* node = parse_concat();
  while (at(TokenKind::kAdd) || at(TokenKind::kSub)) {
    const Token& token = next();
    node = binary(token.kind == TokenKind::kAdd ? Op::kAdd : Op::kSub, node, parse_concat(), token.line);
  }
  return node;
}

Expr* ExpressionParser::parse_concat() {
  const int line = current().line;
  std::vector<Expr*> items = {parse_product()};
  while (skip_if(TokenKind::kTilde)) items.push_back(parse_product());
  return items.size() == 1 ? items[0] : make(ExprKind::kConcat, line, std::move(items));
}

Expr* ExpressionParser::parse_product() {
  Expr* node = parse_power();
  while (true) {
    Op op{};
    switch (current().kind) {
      case TokenKind::kMul: op = Op::kMul; break;
      case TokenKind::kDiv: op = Op::kDiv; break;
      case TokenKind::kFloorDiv: op = Op::kFloorDiv; break;
      case TokenKind::kMod: op = Op::kMod; break;
      default: return node;
    }
    const int line = next().line;
    node = binary(op, node, parse_power(), line);
  }
}

Expr* ExpressionParser::parse_power() {
  Expr* node = parse_unary(true);
  while (at(TokenKind::kPow)) {
    const int line = next().line;
    node = binary(Op::kPow, node, parse_unary(true), line);
  }
  return node;
}

Expr* ExpressionParser::parse_unary(bool with_filter) {
  const int line = current().line;
  Expr* node = nullptr;
  if (at(TokenKind::kSub) || at(TokenKind::kAdd)) {
    const Nested nested(*this);
    const ExprKind kind = next().kind == TokenKind::kSub ? ExprKind::kNegate : ExprKind::kPlus;
    node = make(kind, line, {parse_unary(false)});
  } else {
    node = parse_primary(false);
  }
  node = parse_postfix(node);
  return with_filter ? parse_filter_chain(node) : node;
}

// ---- primaries -----------------------------------------------------------------------------------------------------

Expr* ExpressionParser::parse_primary(bool namespaces) {
  const Token& token = current();
  switch (token.kind) {
    case TokenKind::kName: return parse_name(namespaces);
    case TokenKind::kText: return parse_text();
    case TokenKind::kInteger: {
      Expr* node = tree_.expr(ExprKind::kInt, next().line);
      node->integer = token.integer;
      return node;
    }
    case TokenKind::kFloat: {
      Expr* node = tree_.expr(ExprKind::kFloat, next().line);
      node->real = token.real;
      return node;
    }
    case TokenKind::kLeftParen: {
      next();
      Expr* node = parse_tuple({.parentheses = true});
      expect(TokenKind::kRightParen, "')'");
      return node;
    }
    case TokenKind::kLeftBracket: return parse_list();
    case TokenKind::kLeftBrace: return parse_dict();
    default: fail_unexpected("an expression");
  }
}

Expr* ExpressionParser::parse_name(bool namespaces) {
  const Token& token = next();
  const std::string_view name = token.text;
  if (name == "true" || name == "True" || name == "false" || name == "False") {
    Expr* node = tree_.expr(ExprKind::kBool, token.line);
    node->integer = name == "true" || name == "True" ? 1 : 0;
    return node;
  }
  if (name == "none" || name == "None") return tree_.expr(ExprKind::kNone, token.line);
  const bool attribute = namespaces && skip_if(TokenKind::kDot);
  Expr* node = tree_.expr(attribute ? ExprKind::kNamespaceAttribute : ExprKind::kName, token.line);
  node->text = name;
  if (attribute) node->items.push_back(tree_.text(std::string(expect(TokenKind::kName, "a name").text), token.line));
  return node;
}

Expr* ExpressionParser::parse_text() {
  const int line = current().line;
  std::string content;
  while (at(TokenKind::kText)) content += next().text;
  return tree_.text(std::move(content), line);
}

Expr* ExpressionParser::parse_tuple(const TupleRules& rules) {
  const Nested nested(*this);
  int line = current().line;
  std::vector<Expr*> items;
  bool is_tuple = false;
  while (true) {
    if (!items.empty()) expect(TokenKind::kComma, "','");
    if (at(TokenKind::kVariableEnd) || at(TokenKind::kBlockEnd) || at(TokenKind::kRightParen)) break;
    if (!rules.end.empty() && at_name(rules.end)) break;
    items.push_back(rules.simplified ? parse_primary(rules.namespaces) : parse_expression(rules.conditional));
    if (!at(TokenKind::kComma)) break;
    is_tuple = true;
    line = current().line;
  }
  if (!is_tuple && !items.empty()) return items[0];
  if (!is_tuple && !rules.parentheses) fail_unexpected("an expression");
  return make(ExprKind::kTuple, line, std::move(items));
}

Expr* ExpressionParser::parse_list() {
  const int line = next().line;
  std::vector<Expr*> items;
  while (!at(TokenKind::kRightBracket)) {
    if (!items.empty()) expect(TokenKind::kComma, "','");
    if (at(TokenKind::kRightBracket)) break;
    items.push_back(parse_expression());
  }
  expect(TokenKind::kRightBracket, "']'");
  return make(ExprKind::kList, line, std::move(items));
}

Expr* ExpressionParser::parse_dict() {
  const int line = next().line;
  std::vector<Expr*> items;
  while (!at(TokenKind::kRightBrace)) {
    if (!items.empty()) expect(TokenKind::kComma, "','");
    if (at(TokenKind::kRightBrace)) break;
    items.push_back(parse_expression());
    expect(TokenKind::kColon, "':'");
    items.push_back(parse_expression());
  }
  expect(TokenKind::kRightBrace, "'}'");
  return make(ExprKind::kDict, line, std::move(items));
}

// ---- what follows a primary ----------------------------------------------------------------------------------------

Expr* ExpressionParser::parse_postfix(Expr* node) {
  while (true) {
    if (at(TokenKind::kDot) || at(TokenKind::kLeftBracket))
      node = parse_subscript(node);
    else if (at(TokenKind::kLeftParen))
      node = parse_call(node);
    else
      return node;
  }
}

Expr* ExpressionParser::parse_filter_chain(Expr* node) {
  while (true) {
    if (at(TokenKind::kPipe))
      node = parse_filter(node, false);
    else if (at_name("is"))
      node = parse_test(node);
    else if (at(TokenKind::kLeftParen))
      node = parse_call(node);
    else
      return node;
  }
}

Expr* ExpressionParser::parse_subscript(Expr* node) {
  const Token& token = next();
  if (token.kind == TokenKind::kLeftBracket) return parse_subscripts(node, token.line);
  const Token& attribute = next();
  if (attribute.kind == TokenKind::kName) {
    Expr* result = make(ExprKind::kAttribute, token.line, {node});
    result->text = attribute.text;
    return result;
  }
  if (attribute.kind != TokenKind::kInteger) fail("expected a name or a number behind '.'", attribute.line);
  Expr* index = tree_.expr(ExprKind::kInt, attribute.line);
  index->integer = attribute.integer;
  return make(ExprKind::kItem, token.line, {node, index});
}

Expr* ExpressionParser::parse_subscripts(Expr* node, int line) {
  std::vector<Expr*> arguments;
  while (!at(TokenKind::kRightBracket)) {
    if (!arguments.empty()) expect(TokenKind::kComma, "','");
    arguments.push_back(parse_subscribed());
  }
  expect(TokenKind::kRightBracket, "']'");
  if (arguments.size() == 1 && arguments[0]->kind == ExprKind::kSlice) {
    arguments[0]->items[0] = node;
    return make(ExprKind::kSlice, line, arguments[0]->items);
  }
  for (const Expr* argument : arguments)
    if (argument->kind == ExprKind::kSlice) fail("several slices in one subscript are not supported", line);
  Expr* key = arguments.size() == 1 ? arguments[0] : make(ExprKind::kTuple, line, std::move(arguments));
  return make(ExprKind::kItem, line, {node, key});
}

Expr* ExpressionParser::parse_subscribed() {
  const int line = current().line;
  std::vector<Expr*> items(4, nullptr);
  if (!at(TokenKind::kColon)) {
    items[1] = parse_expression();
    if (!at(TokenKind::kColon)) return items[1];
  }
  next();
  const auto absent = [&] {
    return at(TokenKind::kColon) || at(TokenKind::kRightBracket) || at(TokenKind::kComma);
  };
  if (!absent()) items[2] = parse_expression();
  if (skip_if(TokenKind::kColon) && !absent()) items[3] = parse_expression();
  return make(ExprKind::kSlice, line, std::move(items));
}

// ---- calls, filters, tests -----------------------------------------------------------------------------------------

Expr* ExpressionParser::attach_call(Expr* node, CallSyntax* call) {
  node->call = call;
  const auto deepen = [&](const Expr* item) {
    if (item != nullptr) node->depth = std::max(node->depth, item->depth + 1);
  };
  for (const Expr* item : call->positional) deepen(item);
  for (const Keyword& keyword : call->keywords) deepen(keyword.value);
  deepen(call->star);
  deepen(call->double_star);
  return node;
}

Expr* ExpressionParser::parse_call(Expr* node) {
  const int line = current().line;
  CallSyntax* call = parse_call_arguments();
  return attach_call(make(ExprKind::kCall, line, {node}), call);
}

CallSyntax* ExpressionParser::parse_call_arguments() {
  const int line = expect(TokenKind::kLeftParen, "'('").line;
  CallSyntax* call = tree_.call();
  for (bool first = true; !at(TokenKind::kRightParen); first = false) {
    if (!first) {
      expect(TokenKind::kComma, "','");
      if (at(TokenKind::kRightParen)) break;
    }
    parse_call_argument(*call, line);
  }
  expect(TokenKind::kRightParen, "')'");
  return call;
}

void ExpressionParser::parse_call_argument(CallSyntax& call, int line) {
  const auto ensure = [&](bool valid) {
    if (!valid) fail("invalid syntax for function call expression", line);
  };
  if (skip_if(TokenKind::kMul)) {
    ensure(call.star == nullptr && call.double_star == nullptr);
    call.star = parse_expression();
  } else if (skip_if(TokenKind::kPow)) {
    ensure(call.double_star == nullptr);
    call.double_star = parse_expression();
  } else if (at(TokenKind::kName) && look().kind == TokenKind::kAssign) {
    ensure(call.double_star == nullptr);
    const std::string_view name = next().text;
    next();
    for (const Keyword& keyword : call.keywords)
      if (keyword.name == name) fail(fmt::format("keyword argument repeated: {}", name), line);
    call.keywords.push_back({name, parse_expression()});
  } else {
    ensure(call.star == nullptr && call.double_star == nullptr && call.keywords.empty());
    call.positional.push_back(parse_expression());
  }
}

std::string_view ExpressionParser::parse_dotted_name() {
  std::string_view name = expect(TokenKind::kName, "a name").text;
  while (skip_if(TokenKind::kDot))
    name = tree_.keep(fmt::format("{}.{}", name, expect(TokenKind::kName, "a name").text));
  return name;
}

Expr* ExpressionParser::parse_filter(Expr* node, bool start_inline) {
  while (at(TokenKind::kPipe) || start_inline) {
    if (!start_inline) next();
    start_inline = false;
    const int line = current().line;
    const std::string_view name = parse_dotted_name();
    CallSyntax* call = at(TokenKind::kLeftParen) ? parse_call_arguments() : tree_.call();
    node = attach_call(make(ExprKind::kFilter, line, {node}), call);
    node->text = name;
    node->builtin = find_filter(name);
  }
  return node;
}

bool ExpressionParser::test_argument_follows() const {
  switch (current().kind) {
    case TokenKind::kName: return !at_name("else") && !at_name("or") && !at_name("and");
    case TokenKind::kText:
    case TokenKind::kInteger:
    case TokenKind::kFloat:
    case TokenKind::kLeftBracket:
    case TokenKind::kLeftBrace: return true;
    default: return false;
  }
}

Expr* ExpressionParser::parse_test(Expr* node) {
  const int line = next().line;
  const bool negated = skip_if_name("not");
  const std::string_view name = parse_dotted_name();
  CallSyntax* call = nullptr;
  if (at(TokenKind::kLeftParen)) {
    call = parse_call_arguments();
  } else {
    call = tree_.call();
    if (test_argument_follows()) {
      if (at_name("is")) fail("you cannot chain multiple tests with is", line);
      const Nested nested(*this);
      call->positional.push_back(parse_postfix(parse_primary(false)));
    }
  }
  Expr* test = attach_call(make(ExprKind::kTest, line, {node}), call);
  test->text = name;
  test->builtin = find_test(name);
  return negated ? make(ExprKind::kNot, line, {test}) : test;
}

}  // namespace rival::text::jinja
