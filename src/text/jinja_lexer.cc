#include "text/jinja_lexer.h"

#include <algorithm>
#include <charconv>

#include "text/jinja_literal.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

struct Operator {
  std::string_view text;
  TokenKind kind;
};

constexpr Operator kOperators[] = {  // longer ones first
    {"//", TokenKind::kFloorDiv},   {"**", TokenKind::kPow},         {"==", TokenKind::kEqual},
    {"!=", TokenKind::kNotEqual},   {">=", TokenKind::kGreaterEqual}, {"<=", TokenKind::kLessEqual},
    {"+", TokenKind::kAdd},         {"-", TokenKind::kSub},          {"/", TokenKind::kDiv},
    {"*", TokenKind::kMul},         {"%", TokenKind::kMod},          {"~", TokenKind::kTilde},
    {"[", TokenKind::kLeftBracket}, {"]", TokenKind::kRightBracket}, {"(", TokenKind::kLeftParen},
    {")", TokenKind::kRightParen},  {"{", TokenKind::kLeftBrace},    {"}", TokenKind::kRightBrace},
    {">", TokenKind::kGreater},     {"<", TokenKind::kLess},         {"=", TokenKind::kAssign},
    {".", TokenKind::kDot},         {":", TokenKind::kColon},        {"|", TokenKind::kPipe},
    {",", TokenKind::kComma},       {";", TokenKind::kSemicolon},
};

std::string normalize_newlines(std::string_view source) {
  std::string result;
  result.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      result += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      result += source[i];
    }
  }
  if (result.ends_with('\n')) result.pop_back();
  return result;
}

size_t skip_space(std::string_view text, size_t at) {
  while (at < text.size()) {
    size_t after = at;
    if (!is_space(next_code_point(text, after))) break;
    at = after;
  }
  return at;
}

std::string_view strip_right(std::string_view text) {
  size_t end = 0;
  for (size_t at = 0; at < text.size();)
    if (!is_space(next_code_point(text, at))) end = at;
  return text.substr(0, end);
}

class Lexer {
 public:
  Lexer(std::string_view source, Tree& tree) : tree_(tree), source_(tree.keep(normalize_newlines(source))) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) root();
    push(TokenKind::kEnd);
    return std::move(tokens_);
  }

 private:
  // ---- text between tags ---------------------------------------------------------------------------------------

  void root() {
    const size_t begin = find_tag();
    const std::string_view data = source_.substr(at_, begin - at_);
    if (begin == source_.size()) {
      push_data(data);
      at_ = begin;
      return;
    }
    const char tag = source_[begin + 1];
    const char sign = sign_at(begin + 2);
    const size_t raw_end = tag == '%' ? match_raw(begin) : 0;
    push_data(strip_data(data, sign, tag == '{'));
    advance(raw_end != 0 ? raw_end : begin + 2 + (sign != 0 ? 1 : 0));
    if (raw_end != 0) return raw();
    if (tag == '#') return comment();
    push(tag == '{' ? TokenKind::kVariableBegin : TokenKind::kBlockBegin);
    code(tag == '{');
  }

  size_t find_tag() const {
    for (size_t i = source_.find('{', at_); i < source_.size() - 1; i = source_.find('{', i + 1))
      if (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#') return i;
    return source_.size();
  }

  char sign_at(size_t i) const {
    return i < source_.size() && (source_[i] == '-' || source_[i] == '+') ? source_[i] : '\0';
  }

  std::string_view strip_data(std::string_view data, char sign, bool variable) const {
    if (sign == '-') return strip_right(data);
    if (sign == '+' || variable) return data;
    const size_t newline = data.rfind('\n');
    const size_t line_start = newline == data.npos ? 0 : newline + 1;
    if (line_start == 0 && !line_starting_) return data;
    const bool blank = skip_space(data, line_start) == data.size();
    return blank ? data.substr(0, line_start) : data;
  }

  // `word` and its end tag behind "{%" at `begin`: the position behind them, 0 where it is something else.
  size_t match_word(size_t begin, std::string_view word) const {
    size_t i = begin + 2 + (sign_at(begin + 2) != 0 ? 1 : 0);
    i = skip_space(source_, i);
    if (!source_.substr(i).starts_with(word)) return 0;
    return skip_space(source_, i + word.size());
  }

  size_t match_raw(size_t begin) const {
    const size_t i = match_word(begin, "raw");
    if (i == 0) return 0;
    if (source_.substr(i).starts_with("-%}")) return skip_space(source_, i + 3);
    return source_.substr(i).starts_with("%}") ? i + 2 : 0;
  }

  // The end of a tag at `i` ("%}" or "#}", with its sign), 0 where there is none.
  size_t match_end(size_t i, std::string_view end) const {
    const char sign = sign_at(i);
    if (sign != 0) ++i;
    if (!source_.substr(i).starts_with(end)) return 0;
    i += end.size();
    if (sign == '-') return skip_space(source_, i);
    return sign == 0 && i < source_.size() && source_[i] == '\n' ? i + 1 : i;
  }

  void raw() {
    for (size_t i = source_.find("{%", at_); i != source_.npos; i = source_.find("{%", i + 1)) {
      const size_t word_end = match_word(i, "endraw");
      const size_t end = word_end == 0 ? 0 : match_end(word_end, "%}");
      if (end == 0) continue;
      push_data(strip_data(source_.substr(at_, i - at_), sign_at(i + 2), false));
      return advance(end);
    }
    raise(Raised::kSyntax, "line {}: missing end of raw directive", line_);
  }

  void comment() {
    for (size_t i = at_; i < source_.size(); ++i) {
      const size_t end = match_end(i, "#}");
      if (end != 0) return advance(end);
    }
    raise(Raised::kSyntax, "line {}: missing end of comment tag", line_);
  }

  // ---- inside tags ---------------------------------------------------------------------------------------------

  void code(bool variable) {
    std::string open;  // brackets that are not closed yet
    while (at_ < source_.size()) {
      const size_t end = open.empty() ? match_code_end(variable) : 0;
      if (end != 0) {
        push(variable ? TokenKind::kVariableEnd : TokenKind::kBlockEnd);
        return advance(end);
      }
      const size_t after_space = skip_space(source_, at_);
      if (after_space != at_)
        advance(after_space);
      else if (!number() && !name() && !text() && !operation(open))
        raise(Raised::kSyntax, "line {}: unexpected char {}", line_, repr_text(source_.substr(at_, 1)));
    }
  }

  size_t match_code_end(bool variable) const {
    if (!variable) return match_end(at_, "%}");
    const std::string_view rest = source_.substr(at_);
    if (rest.starts_with("-}}")) return skip_space(source_, at_ + 3);
    return rest.starts_with("}}") ? at_ + 2 : 0;
  }

  bool number() {
    const bool behind_dot = at_ > 0 && source_[at_ - 1] == '.';
    const NumberLiteral literal = scan_number(source_.substr(at_), !behind_dot);
    if (literal.size == 0) return false;
    Token token{literal.is_float ? TokenKind::kFloat : TokenKind::kInteger, line_, {}};
    token.integer = literal.integer;
    token.real = literal.real;
    tokens_.push_back(token);
    advance(at_ + literal.size);
    return true;
  }

  bool name() {
    size_t end = at_;
    while (end < source_.size()) {
      size_t after = end;
      const char32_t c = next_code_point(source_, after);
      if (!is_word(c) && !(c >= 0x80 && is_identifier("_" + std::string(source_.substr(end, after - end))))) break;
      end = after;
    }
    if (end == at_) return false;
    const std::string_view word = source_.substr(at_, end - at_);
    if (!is_identifier(word)) raise(Raised::kSyntax, "line {}: invalid character in identifier", line_);
    push(TokenKind::kName, word);
    advance(end);
    return true;
  }

  bool text() {
    const char quote = source_[at_];
    if (quote != '\'' && quote != '"') return false;
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) return false;
    const std::string_view inside = source_.substr(at_ + 1, end - at_ - 1);
    push(TokenKind::kText, inside.find('\\') == inside.npos ? inside : tree_.keep(unescape(inside, line_)));
    advance(end + 1);
    return true;
  }

  bool operation(std::string& open) {
    for (const Operator& candidate : kOperators) {
      if (!source_.substr(at_).starts_with(candidate.text)) continue;
      balance(open, source_[at_]);
      push(candidate.kind, candidate.text);
      advance(at_ + candidate.text.size());
      return true;
    }
    return false;
  }

  void balance(std::string& open, char c) const {
    if (c == '(' || c == '[' || c == '{') {
      open += c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c) raise(Raised::kSyntax, "line {}: unexpected '{}'", line_, c);
      open.pop_back();
    }
  }

  // ---- output --------------------------------------------------------------------------------------------------

  void push(TokenKind kind, std::string_view text = {}) { tokens_.push_back({kind, line_, text}); }
  void push_data(std::string_view data) {
    if (!data.empty()) push(TokenKind::kData, data);
  }
  void advance(size_t to) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<ptrdiff_t>(counted_),
                                         source_.begin() + static_cast<ptrdiff_t>(to), '\n'));
    counted_ = at_ = to;
    line_starting_ = to > 0 && source_[to - 1] == '\n';
  }

  Tree& tree_;
  std::string_view source_;
  std::vector<Token> tokens_;
  size_t at_ = 0, counted_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // a line begins at at_, so that blanks before a tag go
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, Tree& tree) { return Lexer(source, tree).run(); }

}  // namespace rival::text::jinja
