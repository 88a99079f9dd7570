#include "text/jinja_parser.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/limits.h"
#include "text/jinja_parser_base.h"
#include "text/jinja_scope.h"

namespace rival::text::jinja {
namespace {

using EndTags = std::initializer_list<std::string_view>;

class Parser : ExpressionParser {
 public:
  Parser(std::string_view source, Tree& tree) : ExpressionParser(tokenize(source, tree), tree) {}

  void run() { tree_.root = parse_body({}); }

 private:
  // ---- bodies --------------------------------------------------------------------------------------------------

  // Statements up to one of `ends`, whose name is then the current token; or to the end of the template.
  Body parse_body(EndTags ends) {
    Body body;
    Stmt* output = nullptr;
    while (!at(TokenKind::kEnd)) {
      if (at(TokenKind::kData)) {
        add_output(body, output, tree_.text(std::string(current().text), current().line));
        next();
      } else if (skip_if(TokenKind::kVariableBegin)) {
        add_output(body, output, parse_tuple({}));
        expect(TokenKind::kVariableEnd, "'}}'");
      } else {
        next();  // the lexer makes nothing else here than the begin of a block
        if (std::any_of(ends.begin(), ends.end(), [&](auto end) { return at_name(end); })) return body;
        output = nullptr;
        body.statements.push_back(parse_statement());
        expect(TokenKind::kBlockEnd, "'%}'");
      }
    }
    if (ends.size() > 0)
      fail(fmt::format("unexpected end of the template, expected {}", *std::prev(ends.end())), current().line);
    return body;
  }

  void add_output(Body& body, Stmt*& output, Expr* expression) {
    if (output == nullptr) {
      output = tree_.stmt(StmtKind::kOutput, expression->line);
      body.statements.push_back(output);
    }
    output->outputs.push_back(expression);
  }

  // The rest of a tag and its body, up to one of `ends`.
  Body parse_block(EndTags ends) {
    skip_if(TokenKind::kColon);
    expect(TokenKind::kBlockEnd, "'%}'");
    return parse_body(ends);
  }

  Body parse_closed_block(std::string_view end) {
    Body body = parse_block({end});
    next();
    return body;
  }

  // ---- statements ----------------------------------------------------------------------------------------------

  Stmt* parse_statement() {
    const Nested nested(*this);
    const Token& token = current();
    if (token.kind != TokenKind::kName) fail_unexpected("a tag");
    struct Row {
      std::string_view tag;
      Stmt* (Parser::*parse)();
    };
    static constexpr Row kRows[] = {
        {"for", &Parser::parse_for},           {"if", &Parser::parse_if},
        {"set", &Parser::parse_set},           {"macro", &Parser::parse_macro},
        {"call", &Parser::parse_call_block},   {"filter", &Parser::parse_filter_block},
        {"with", &Parser::parse_with},         {"print", &Parser::parse_print},
        {"break", &Parser::parse_loop_control}, {"continue", &Parser::parse_loop_control},
        {"generation", &Parser::parse_generation}, {"block", &Parser::parse_named_block},
        {"autoescape", &Parser::parse_autoescape}, {"include", &Parser::parse_unsupported},
        {"import", &Parser::parse_unsupported}, {"from", &Parser::parse_unsupported},
        {"extends", &Parser::parse_unsupported},
    };
    for (const Row& row : kRows)
      if (row.tag == token.text) return (this->*row.parse)();
    fail(fmt::format("unknown tag {}", repr_text(token.text)), token.line);
  }

  Expr* parse_target(const TupleRules& rules) {
    Expr* target = parse_tuple(rules);
    check_target(*target);
    return target;
  }

  void check_target(const Expr& target) const {
    if (target.kind == ExprKind::kTuple) {
      for (const Expr* item : target.items) check_target(*item);
    } else if (target.kind != ExprKind::kName && target.kind != ExprKind::kNamespaceAttribute) {
      fail("cannot assign to this", target.line);
    }
  }

  Stmt* parse_for() {
    Stmt* stmt = tree_.stmt(StmtKind::kFor, next().line);
    stmt->target = parse_target({.simplified = true, .end = "in"});
    expect_name("in");
    stmt->value = parse_tuple({.conditional = false, .end = "recursive"});
    if (skip_if_name("if")) stmt->test = parse_expression();
    stmt->recursive = skip_if_name("recursive");
    stmt->body = parse_block({"endfor", "else"});
    if (next().text == "else") stmt->else_body = parse_closed_block("endfor");
    return stmt;
  }

  Stmt* parse_if() {
    Stmt* stmt = tree_.stmt(StmtKind::kIf, next().line);
    while (true) {
      Expr* test = parse_tuple({.conditional = false});
      stmt->branches.push_back({test, parse_block({"elif", "else", "endif"})});
      const std::string_view tag = next().text;
      if (tag == "elif") continue;
      if (tag == "else") stmt->branches.push_back({nullptr, parse_closed_block("endif")});
      return stmt;
    }
  }

  Stmt* parse_set() {
    const int line = next().line;
    Expr* target = parse_target({.simplified = true, .namespaces = true});
    Stmt* stmt = tree_.stmt(StmtKind::kSet, line);
    stmt->target = target;
    if (skip_if(TokenKind::kAssign)) {
      stmt->value = parse_tuple({});
      return stmt;
    }
    stmt->kind = StmtKind::kSetBlock;
    stmt->value = parse_filter(nullptr, false);
    stmt->body = parse_closed_block("endset");
    return stmt;
  }

  void parse_signature(MacroBody& macro) {
    expect(TokenKind::kLeftParen, "'('");
    while (!at(TokenKind::kRightParen)) {
      if (!macro.parameters.empty()) expect(TokenKind::kComma, "','");
      MacroParameter parameter{parse_plain_name()};
      for (const MacroParameter& other : macro.parameters)
        if (other.name == parameter.name) fail(fmt::format("duplicate argument {}", parameter.name), current().line);
      if (skip_if(TokenKind::kAssign))
        parameter.default_value = parse_expression();
      else if (!macro.parameters.empty() && macro.parameters.back().default_value != nullptr)
        fail("non-default argument follows default argument", current().line);
      macro.parameters.push_back(parameter);
    }
    next();
  }

  std::string_view parse_plain_name() {
    const Token& token = expect(TokenKind::kName, "a name");
    static constexpr std::string_view kConstants[] = {"true", "false", "none", "True", "False", "None"};
    for (const std::string_view constant : kConstants)
      if (token.text == constant) fail("cannot assign to a constant", token.line);
    return token.text;
  }

  Stmt* parse_macro() {
    Stmt* stmt = tree_.stmt(StmtKind::kMacro, next().line);
    stmt->name = parse_plain_name();
    stmt->macro = tree_.macro();
    stmt->macro->name = stmt->name;
    parse_signature(*stmt->macro);
    stmt->macro->body = parse_closed_block("endmacro");
    return stmt;
  }

  Stmt* parse_call_block() {
    Stmt* stmt = tree_.stmt(StmtKind::kCallBlock, next().line);
    stmt->macro = tree_.macro();
    stmt->macro->anonymous = true;
    if (at(TokenKind::kLeftParen)) parse_signature(*stmt->macro);
    stmt->value = parse_expression();
    if (stmt->value->kind != ExprKind::kCall) fail("expected a call", stmt->line);
    stmt->macro->body = parse_closed_block("endcall");
    return stmt;
  }

  Stmt* parse_generation() {
    Stmt* stmt = tree_.stmt(StmtKind::kGeneration, next().line);
    stmt->macro = tree_.macro();
    stmt->macro->anonymous = true;
    stmt->macro->body = parse_closed_block("endgeneration");
    tree_.has_generation = true;
    return stmt;
  }

  Stmt* parse_filter_block() {
    Stmt* stmt = tree_.stmt(StmtKind::kFilterBlock, next().line);
    stmt->value = parse_filter(nullptr, true);
    stmt->body = parse_closed_block("endfilter");
    return stmt;
  }

  Stmt* parse_with() {
    Stmt* stmt = tree_.stmt(StmtKind::kWith, next().line);
    while (!at(TokenKind::kBlockEnd)) {
      if (!stmt->targets.empty()) expect(TokenKind::kComma, "','");
      stmt->targets.push_back(parse_target({.simplified = true}));
      expect(TokenKind::kAssign, "'='");
      stmt->outputs.push_back(parse_expression());
    }
    stmt->body = parse_closed_block("endwith");
    return stmt;
  }

  Stmt* parse_print() {
    Stmt* stmt = tree_.stmt(StmtKind::kOutput, next().line);
    while (!at(TokenKind::kBlockEnd)) {
      if (!stmt->outputs.empty()) expect(TokenKind::kComma, "','");
      stmt->outputs.push_back(parse_expression());
    }
    return stmt;
  }

  Stmt* parse_loop_control() {
    const Token& token = next();
    return tree_.stmt(token.text == "break" ? StmtKind::kBreak : StmtKind::kContinue, token.line);
  }

  Stmt* parse_named_block() {
    Stmt* stmt = tree_.stmt(StmtKind::kBlock, next().line);
    stmt->name = expect(TokenKind::kName, "a name").text;
    for (const Stmt* other : tree_.blocks)
      if (other->name == stmt->name) fail(fmt::format("block {} defined twice", stmt->name), stmt->line);
    if (at_name("scoped") || at_name("required"))
      raise(Raised::kUnsupported, "line {}: scoped and required blocks are not supported", stmt->line);
    tree_.blocks.push_back(stmt);
    stmt->body = parse_closed_block("endblock");
    skip_if_name(stmt->name);
    return stmt;
  }

  Stmt* parse_autoescape() {
    Stmt* stmt = tree_.stmt(StmtKind::kScope, next().line);
    const Expr* on = parse_expression();
    if (on->kind != ExprKind::kBool || on->integer != 0)
      raise(Raised::kUnsupported, "line {}: autoescape is not supported", stmt->line);
    stmt->body = parse_closed_block("endautoescape");
    return stmt;
  }

  // There is nothing to load a second template from: an error if it is reached, as in jinja2 without a loader.
  Stmt* parse_unsupported() {
    const Token& token = next();
    Stmt* stmt = tree_.stmt(StmtKind::kUnsupported, token.line);
    stmt->name = token.text;
    while (!at(TokenKind::kBlockEnd) && !at(TokenKind::kEnd)) next();
    return stmt;
  }
};

}  // namespace

std::unique_ptr<const Tree> parse_template(std::string_view source) {
  auto tree = std::make_unique<Tree>();
  Parser(source, *tree).run();
  resolve_names(*tree);
  return tree;
}

}  // namespace rival::text::jinja
