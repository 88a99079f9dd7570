#include "text/grammar/gbnf.h"

#include <algorithm>
#include <optional>

#include "base/limits.h"
#include "text/grammar/regex.h"
#include "text/grammar/regex_class.h"
#include "text/grammar/regex_parser.h"

namespace rival::text::grammar {

namespace {

constexpr size_t kRulesMax = 5'000;
constexpr size_t kRuleNameMax = 256;

bool name_char(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class Parser {
 public:
  explicit Parser(std::u32string_view text) : text_(text), result_(std::make_unique<Configurations>()) {}

  Result<std::unique_ptr<Configurations>> run(std::string_view root) {
    skip(true);
    while (at_ < text_.size()) RIVAL_RETURN_IF_ERROR(definition());
    for (size_t i = 0; i < names_.size(); ++i) {
      if (!defined_[i]) return make_error(ErrorCode::kInvalidArgument, "grammar uses the rule \"{}\", which is not defined", names_[i]);
    }
    const auto found = index_.find(std::string(root));
    if (found == index_.end()) return make_error(ErrorCode::kInvalidArgument, "grammar has no rule \"{}\"", root);
    RIVAL_RETURN_IF_ERROR(result_->finish(found->second, names_));
    return std::move(result_);
  }

 private:
  Error broken(std::string_view expected) const {
    const size_t line = 1 + static_cast<size_t>(std::count(text_.begin(), text_.begin() + static_cast<long>(std::min(at_, text_.size())), U'\n'));
    return make_error(ErrorCode::kInvalidArgument, "grammar, line {}: expected {}", line, expected);
  }
  bool peek(std::u32string_view s) const { return text_.substr(std::min(at_, text_.size()), s.size()) == s; }
  bool take(std::u32string_view s) { return peek(s) && (at_ += s.size(), true); }

  // Blanks and comments; line ends only where a rule may go on behind them.
  void skip(bool lines) {
    for (; at_ < text_.size(); ++at_) {
      const char32_t c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size()) - 1;
      } else if (c != ' ' && c != '\t' && !(lines && (c == '\n' || c == '\r'))) {
        return;
      }
    }
  }

  std::string name() {
    std::string n;
    while (at_ < text_.size() && name_char(text_[at_]) && n.size() <= kRuleNameMax) n.push_back(static_cast<char>(text_[at_++]));
    return n;
  }

  uint32_t rule_number(const std::string& n) {
    const auto [it, fresh] = index_.emplace(n, static_cast<uint32_t>(names_.size()));
    if (fresh) {
      names_.push_back(n);
      defined_.push_back(false);
      result_->set_rule(it->second, kNothing);
    }
    return it->second;
  }

  Status definition() {
    const std::string n = name();
    if (n.empty() || n.size() > kRuleNameMax) return broken("the name of a rule");
    skip(false);
    if (!take(U"::=")) return broken("\"::=\"");
    skip(true);
    const uint32_t number = rule_number(n);
    if (defined_[number]) return broken("each rule once, found \"" + n + "\" again");
    if (names_.size() > kRulesMax) return make_error(ErrorCode::kLimit, "grammar has more than {} rules", kRulesMax);
    defined_[number] = true;
    RIVAL_ASSIGN_OR_RETURN(const ExpressionId body, alternatives(false));
    result_->set_rule(number, body);
    if (at_ < text_.size() && !peek(U"\n") && !peek(U"\r")) return broken("the end of the line");
    skip(true);
    return {};
  }

  Result<ExpressionId> alternatives(bool nested) {
    if (++depth_ > limits::kGrammarDepthMax) return make_error(ErrorCode::kLimit, "grammar nests deeper than {}", limits::kGrammarDepthMax);
    std::vector<ExpressionId> parts;
    do {
      skip(true);
      RIVAL_ASSIGN_OR_RETURN(const ExpressionId part, sequence(nested));
      parts.push_back(part);
      if (nested) skip(true);
    } while (take(U"|"));
    --depth_;
    return result_->any_of(std::move(parts));
  }

  Result<ExpressionId> sequence(bool nested) {
    std::vector<ExpressionId> parts;
    for (;;) {
      RIVAL_ASSIGN_OR_RETURN(const std::optional<ExpressionId> part, element());
      if (!part) break;
      parts.push_back(*part);
      skip(nested);
      RIVAL_ASSIGN_OR_RETURN(parts.back(), repeated(parts.back(), nested));
    }
    ExpressionId result = kEmptyText;
    for (size_t i = parts.size(); i-- > 0;) result = result_->sequence(parts[i], result);
    if (result_->size() > limits::kGrammarRegexNodesMax) return make_error(ErrorCode::kLimit, "grammar is too large");
    return result;
  }

  Result<std::optional<ExpressionId>> element() {
    if (at_ >= text_.size()) return std::optional<ExpressionId>();
    const char32_t c = text_[at_];
    if (c == '"') return quoted();
    if (c == '[') {
      ClassReader reader{text_, &at_};
      RIVAL_ASSIGN_OR_RETURN(const CharSet set, reader.bracket());
      return std::optional(result_->chars(set));
    }
    if (c == '.') return ++at_, std::optional(result_->chars(CharSet::full()));
    if (c == '(') {
      ++at_;
      RIVAL_ASSIGN_OR_RETURN(const ExpressionId inner, alternatives(true));
      if (!take(U")")) return broken("\")\"");
      return std::optional(inner);
    }
    if (!name_char(c)) return std::optional<ExpressionId>();
    const std::string n = name();
    if (n.size() > kRuleNameMax) return broken("a shorter name");
    return std::optional(result_->rule(rule_number(n)));
  }

  Result<std::optional<ExpressionId>> quoted() {
    std::vector<ExpressionId> parts;
    for (++at_; !take(U"\""); ) {
      if (at_ >= text_.size() || text_[at_] == '\n') return broken("a closing quote");
      ClassReader reader{text_, &at_};
      RIVAL_ASSIGN_OR_RETURN(const CharSet set, text_[at_] == '\\' ? reader.escape(true) : reader.plain());
      parts.push_back(result_->chars(set));
    }
    ExpressionId result = kEmptyText;
    for (size_t i = parts.size(); i-- > 0;) result = result_->sequence(parts[i], result);
    return std::optional(result);
  }

  Result<ExpressionId> repeated(ExpressionId inner, bool nested) {
    for (;;) {
      uint32_t min, max;
      if (take(U"*")) min = 0, max = kUnbounded;
      else if (take(U"+")) min = 1, max = kUnbounded;
      else if (take(U"?")) min = 0, max = 1;
      else if (peek(U"{")) RIVAL_RETURN_IF_ERROR(counts(&min, &max));
      else return inner;
      inner = result_->repeat(inner, min, max);
      skip(nested);
    }
  }

  Status counts(uint32_t* min, uint32_t* max) {
    ++at_;
    const auto number = [&](uint32_t* value) {
      skip(false);
      const size_t start = at_;
      uint64_t v = 0;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) v = std::min<uint64_t>(v * 10 + (text_[at_] - '0'), kUnbounded - 1);
      *value = static_cast<uint32_t>(v);
      const bool found = at_ > start;
      skip(false);
      return found;
    };
    if (!number(min)) *min = 0;
    *max = *min;
    if (take(U",") && !number(max)) *max = kUnbounded;
    if (!take(U"}")) return broken("\"}\" behind a count");
    if (*max < *min) return broken("a count {m,n} with m at most n");
    const bool too_many = *min > limits::kPatternRepeatMax || (*max != kUnbounded && *max > limits::kPatternRepeatMax);
    if (too_many) return make_error(ErrorCode::kLimit, "grammar repeats more than {} times", limits::kPatternRepeatMax);
    return {};
  }

  std::u32string_view text_;
  std::unique_ptr<Configurations> result_;
  std::vector<std::string> names_;
  std::vector<bool> defined_;
  std::unordered_map<std::string, uint32_t> index_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<std::unique_ptr<Configurations>> parse_gbnf(std::string_view text, std::string_view root) {
  if (text.size() > limits::kGrammarTextBytesMax) {
    return make_error(ErrorCode::kLimit, "grammar has {} bytes, at most {} are allowed", text.size(), limits::kGrammarTextBytesMax);
  }
  RIVAL_ASSIGN_OR_RETURN(const std::u32string characters, to_characters(text));
  return Parser(characters).run(root);
}

}  // namespace rival::text::grammar
