// Tokens of a template, with jinja2's rules for white space: trim_blocks and lstrip_blocks are on, a newline at the
// very end goes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/jinja_ast.h"

namespace rival::text::jinja {

enum class TokenKind : uint8_t {
  kEnd, kData, kVariableBegin, kVariableEnd, kBlockBegin, kBlockEnd,
  kName, kText, kInteger, kFloat,
  kAdd, kSub, kMul, kDiv, kFloorDiv, kMod, kPow, kTilde,
  kLeftParen, kRightParen, kLeftBracket, kRightBracket, kLeftBrace, kRightBrace,
  kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual,
  kAssign, kDot, kColon, kPipe, kComma, kSemicolon,
};

struct Token {
  TokenKind kind;
  int line;
  std::string_view text;  // of data, name, string
  int64_t integer = 0;
  double real = 0;
};

// Raises kSyntax. The texts live in `tree`; the last token is kEnd.
std::vector<Token> tokenize(std::string_view source, Tree& tree);

}  // namespace rival::text::jinja
