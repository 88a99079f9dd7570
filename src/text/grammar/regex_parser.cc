#include "text/grammar/regex_parser.h"

#include <utf8proc.h>

#include <optional>

#include "base/limits.h"
#include "text/grammar/regex_class.h"

namespace rival::text::grammar {

namespace {

// The texts that a part of a pattern matches, by the anchors that it needs: none, ^ before, $ behind, both. A word
// with ^ inside or $ before its end matches nothing and is dropped where parts are joined.
struct Anchored {
  RegexId plain = kNever, begin = kNever, end = kNever, both = kNever;
};

constexpr Anchored kEmptyMatch{.plain = kEpsilon};

class Parser {
 public:
  Parser(std::u32string_view text, RegexPool* pool) : text_(text), pool_(pool) {}

  Result<Anchored> run() {
    RIVAL_ASSIGN_OR_RETURN(const Anchored result, alternatives());
    if (at_ < text_.size()) return broken("an unmatched ')'");
    return result;
  }

 private:
  Error broken(std::string_view what) const {
    return make_error(ErrorCode::kInvalidArgument, "pattern has {} at character {}", what, at_);
  }
  Error unsupported(std::string_view what) const {
    return make_error(ErrorCode::kUnsupported, "pattern uses {} at character {}, which is not supported", what, at_);
  }
  bool peek(char32_t c, size_t ahead = 0) const { return at_ + ahead < text_.size() && text_[at_ + ahead] == c; }
  bool take(char32_t c) { return peek(c) && (++at_, true); }

  Anchored join(const Anchored& a, const Anchored& b) {
    Anchored r;
    const auto empty = [&](RegexId id) { return pool_->nullable(id); };
    std::vector<RegexId> begin{pool_->concat(a.begin, b.plain)}, end{pool_->concat(a.plain, b.end)};
    std::vector<RegexId> both{pool_->concat(a.begin, b.end)};
    r.plain = pool_->concat(a.plain, b.plain);
    if (empty(a.plain) || empty(a.begin)) begin.push_back(b.begin), both.push_back(b.both);
    if (empty(b.plain) || empty(b.end)) end.push_back(a.end), both.push_back(a.both);
    // "^" joined with "$" in the wrong order, as in "$^", still matches the empty text.
    if ((empty(a.end) && empty(b.begin)) || (empty(a.both) && empty(b.begin)) || (empty(a.end) && empty(b.both))) both.push_back(kEpsilon);
    r.begin = pool_->any_of(std::move(begin));
    r.end = pool_->any_of(std::move(end));
    r.both = pool_->any_of(std::move(both));
    return r;
  }

  Anchored repeated(const Anchored& a, uint32_t min, uint32_t max) {
    if (max == 0) return kEmptyMatch;
    const auto less = [](uint32_t n, uint32_t by) { return n == kUnbounded ? n : n > by ? n - by : 0; };
    Anchored r;
    r.plain = pool_->repeat(a.plain, min, max);
    const RegexId rest = pool_->repeat(a.plain, less(min, 1), less(max, 1));
    r.begin = pool_->concat(a.begin, rest);
    r.end = pool_->concat(rest, a.end);
    std::vector<RegexId> both;
    if (min <= 1 || pool_->nullable(a.both)) both.push_back(a.both);
    if (max >= 2) {
      const RegexId middle = pool_->repeat(a.plain, less(min, 2), less(max, 2));
      both.push_back(pool_->concat(a.begin, pool_->concat(middle, a.end)));
    }
    r.both = pool_->any_of(std::move(both));
    return r;
  }

  Result<Anchored> alternatives() {
    if (++depth_ > limits::kGrammarDepthMax) return make_error(ErrorCode::kLimit, "pattern nests deeper than {}", limits::kGrammarDepthMax);
    RIVAL_ASSIGN_OR_RETURN(Anchored result, sequence());
    std::vector<Anchored> all{result};
    while (take('|')) {
      RIVAL_ASSIGN_OR_RETURN(const Anchored next, sequence());
      all.push_back(next);
    }
    --depth_;
    std::vector<RegexId> parts[4];
    for (const Anchored& a : all) {
      parts[0].push_back(a.plain);
      parts[1].push_back(a.begin);
      parts[2].push_back(a.end);
      parts[3].push_back(a.both);
    }
    return Anchored{pool_->any_of(std::move(parts[0])), pool_->any_of(std::move(parts[1])), pool_->any_of(std::move(parts[2])),
                    pool_->any_of(std::move(parts[3]))};
  }

  Result<Anchored> sequence() {
    std::vector<Anchored> parts;
    while (at_ < text_.size() && !peek('|') && !peek(')')) {
      RIVAL_ASSIGN_OR_RETURN(const Anchored part, quantified());
      parts.push_back(part);
    }
    Anchored result = kEmptyMatch;
    for (size_t i = parts.size(); i-- > 0;) result = join(parts[i], result);
    if (pool_->size() > limits::kGrammarRegexNodesMax) return make_error(ErrorCode::kLimit, "pattern is too large");
    return result;
  }

  Result<Anchored> quantified() {
    RIVAL_ASSIGN_OR_RETURN(Anchored part, atom());
    for (;;) {
      uint32_t min, max;
      if (take('*')) min = 0, max = kUnbounded;
      else if (take('+')) min = 1, max = kUnbounded;
      else if (take('?')) min = 0, max = 1;
      else if (const auto counts = braces()) std::tie(min, max) = *counts;
      else return part;
      if (max < min) return broken("a count {m,n} with m above n");
      const bool too_many = min > limits::kPatternRepeatMax || (max != kUnbounded && max > limits::kPatternRepeatMax);
      if (too_many) return make_error(ErrorCode::kLimit, "pattern repeats more than {} times", limits::kPatternRepeatMax);
      if (peek('+')) return unsupported("a possessive quantifier");
      take('?');  // laziness does not change which texts match
      part = repeated(part, min, max);
    }
  }

  // {m}, {m,} or {m,n}; anything else that starts with a brace is a plain character.
  std::optional<std::pair<uint32_t, uint32_t>> braces() {
    size_t i = at_;
    if (!peek('{')) return std::nullopt;
    const auto number = [&](uint32_t* value) {
      const size_t start = ++i;
      uint64_t v = 0;
      for (; i < text_.size() && text_[i] >= '0' && text_[i] <= '9'; ++i) v = std::min<uint64_t>(v * 10 + (text_[i] - '0'), kUnbounded - 1);
      *value = static_cast<uint32_t>(v);
      return i > start;
    };
    uint32_t min = 0, max = 0;
    if (!number(&min)) return std::nullopt;
    max = min;
    if (i < text_.size() && text_[i] == ',' && !number(&max)) max = kUnbounded;
    if (i >= text_.size() || text_[i] != '}') return std::nullopt;
    at_ = i + 1;
    return std::pair{min, max};
  }

  Result<Anchored> atom() {
    const char32_t c = text_[at_];
    switch (c) {
      case '(': return group();
      case '^': return ++at_, Anchored{.begin = kEpsilon};
      case '$': return ++at_, Anchored{.end = kEpsilon};
      case '*': case '+': case '?': return broken("a quantifier with nothing before it");
      case '.': return ++at_, Anchored{.plain = pool_->chars(class_dot())};
      default: break;
    }
    ClassReader reader{text_, &at_};
    RIVAL_ASSIGN_OR_RETURN(const CharSet set, c == '[' ? reader.bracket() : c == '\\' ? reader.escape(false) : reader.plain());
    return Anchored{.plain = pool_->chars(set)};
  }

  Result<Anchored> group() {
    ++at_;
    if (peek('?')) {
      if (peek('=', 1) || peek('!', 1)) return unsupported("look-ahead");
      if (peek('<', 1) && (peek('=', 2) || peek('!', 2))) return unsupported("look-behind");
      const bool named = peek('<', 1) || (peek('P', 1) && peek('<', 2));
      if (!named && !peek(':', 1)) return unsupported("an inline flag or unknown group");
      at_ = named ? std::min(text_.find('>', at_), text_.size() - 1) + 1 : at_ + 2;
    }
    RIVAL_ASSIGN_OR_RETURN(const Anchored inner, alternatives());
    if (!take(')')) return broken("an unclosed '('");
    return inner;
  }

  std::u32string_view text_;
  RegexPool* pool_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<std::u32string> to_characters(std::string_view utf8) {
  std::u32string out;
  out.reserve(utf8.size());
  for (size_t i = 0; i < utf8.size();) {
    utf8proc_int32_t c;
    const auto n = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()) + i,
                                    static_cast<utf8proc_ssize_t>(utf8.size() - i), &c);
    if (n < 1) return make_error(ErrorCode::kInvalidArgument, "text is not UTF-8 at byte {}", i);
    out.push_back(static_cast<char32_t>(c));
    i += static_cast<size_t>(n);
  }
  return out;
}

Result<RegexId> parse_regex(std::string_view pattern, RegexOptions options, RegexPool* pool) {
  if (pattern.size() > limits::kPatternBytesMax) {
    return make_error(ErrorCode::kLimit, "pattern has {} bytes, at most {} are allowed", pattern.size(), limits::kPatternBytesMax);
  }
  RIVAL_ASSIGN_OR_RETURN(const std::u32string text, to_characters(pattern));
  RIVAL_ASSIGN_OR_RETURN(const Anchored a, Parser(text, pool).run());
  const auto before = [&](RegexId r) { return options.whole ? r : pool->concat(kAnything, r); };
  const auto behind = [&](RegexId r) { return options.whole ? r : pool->nullable(r) && r == kEpsilon ? kAnything : pool->concat(r, kAnything); };
  const RegexId plain = !options.whole && pool->nullable(a.plain) ? kAnything : before(behind(a.plain));
  return pool->any_of({plain, behind(a.begin), before(a.end), a.both});
}

}  // namespace rival::text::grammar
