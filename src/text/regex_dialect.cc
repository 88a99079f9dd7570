// Oniguruma's Ruby dialect to PCRE2's. Both agree on most of the language; what differs is rewritten here.
#include <algorithm>
#include <iterator>

#include "base/limits.h"
#include "text/regex.h"
#include "text/unicode.h"

namespace rival::text {
namespace {

constexpr std::string_view kSpaceInClass = "\\t-\\r\\x{85}\\p{Z}";
constexpr std::string_view kWordInClass =
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}\\x{24B6}-\\x{24E9}\\x{1F130}-\\x{"
    "1F149}"
    "\\x{1F150}-\\x{1F169}\\x{1F170}-\\x{1F189}";
constexpr std::string_view kHexInClass = "0-9a-fA-F";

struct Name {
  std::string_view onig, pcre2;
};

// Property names that PCRE2 does not know under Oniguruma's name.
constexpr Name kPropertyNames[] = {
    {"Letter", "L"},
    {"Mark", "M"},
    {"Number", "N"},
    {"Symbol", "S"},
    {"Punctuation", "P"},
    {"Other", "C"},
    {"Separator", "Z"},
    {"Digit", "Nd"},
    {"Alpha", "Alphabetic"},
    {"Upper", "Uppercase"},
    {"Lower", "Lowercase"},
    {"Space", "White_Space"},
    {"Cntrl", "Cc"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Decimal_Number", "Nd"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Nonspacing_Mark", "Mn"},
};

// Properties that are neither a general category nor a script.
constexpr std::string_view kBinaryProperties[] = {
    "Any",
    "Alphabetic",
    "Uppercase",
    "Lowercase",
    "White_Space",
    "Emoji",
    "Emoji_Presentation",
    "Emoji_Modifier",
    "Emoji_Modifier_Base",
    "Emoji_Component",
    "Extended_Pictographic",
    "Ideographic",
    "Dash",
    "Hex_Digit",
    "ID_Start",
    "ID_Continue",
    "XID_Start",
    "XID_Continue",
    "Math",
    "Cased",
    "Case_Ignorable",
    "Diacritic",
    "Variation_Selector",
    "Default_Ignorable_Code_Point",
};

// POSIX bracket names by what Oniguruma means with them, as content of a class.
constexpr Name kPosixNames[] = {
    {"alpha", "\\p{Alphabetic}"}, {"digit", "\\p{Nd}"},        {"alnum", "\\p{Alphabetic}\\p{Nd}"},
    {"upper", "\\p{Uppercase}"},  {"lower", "\\p{Lowercase}"}, {"punct", "\\p{P}\\p{S}"},
    {"space", kSpaceInClass},     {"word", kWordInClass},      {"xdigit", kHexInClass},
    {"cntrl", "\\p{Cc}"},
};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  Result<std::string> run() {
    while (at_ < in_.size()) RIVAL_RETURN_IF_ERROR(take_one());
    return std::move(out_);
  }

 private:
  bool more() const { return at_ < in_.size(); }
  char peek(size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }

  Error broken(std::string_view why) const {
    return make_error(ErrorCode::kUnsupported, "pattern '{}' at byte {}: {}", in_, at_, why);
  }

  Status take_one() {
    const char c = peek();
    if (c == '\\') {
      begin_atom();
      return take_escape();
    }
    if (c == '[') {
      begin_atom();
      RIVAL_ASSIGN_OR_RETURN(const std::string one, take_class(0));
      out_ += one;
      return {};
    }
    if (c == '(') return open_group();
    if (c == ')') {
      atom_ = groups_.empty() ? out_.size() : groups_.back();
      if (!groups_.empty()) groups_.pop_back();
      out_ += in_[at_++];
      return {};
    }
    if (c == '{' && take_interval()) return {};
    if (c != '?' && c != '*' && c != '+') begin_atom();
    take_char();
    return {};
  }

  void begin_atom() { atom_ = out_.size(); }

  void take_char() {
    const size_t length = decode_utf8(in_, at_).length;
    out_ += in_.substr(at_, length);
    at_ += length;
  }

  // Ruby's (?m) lets the dot match a newline, which is PCRE2's (?s).
  Status open_group() {
    groups_.push_back(out_.size());
    out_ += in_[at_++];
    if (peek() != '?') return {};
    const bool flags = std::string_view("imx-").find(peek(1)) != std::string_view::npos && peek(1) != '\0';
    if (!flags) return {};
    while (more() && peek() != ':' && peek() != ')') {
      out_ += peek() == 'm' ? 's' : peek();
      ++at_;
    }
    return {};
  }

  // {n}, {n,}, {n,m}, {,m}; a brace that is none of them is literal. After an interval, Ruby's + repeats
  // again.
  bool take_interval() {
    size_t end = at_ + 1;
    bool digits = false;
    while (end < in_.size() && (std::isdigit(static_cast<unsigned char>(in_[end])) || in_[end] == ',')) {
      digits = digits || in_[end] != ',';
      ++end;
    }
    if (!digits || end >= in_.size() || in_[end] != '}') return false;
    const bool from_zero = in_[at_ + 1] == ',';
    std::string interval = from_zero ? "{0" : "{";
    interval += in_.substr(at_ + 1, end - at_);
    at_ = end + 1;
    out_ += interval;
    if (peek() == '+') {
      out_.insert(atom_, "(?:");
      out_ += ")+";
      ++at_;
    }
    return true;
  }

  Status take_escape() {
    const char c = peek(1);
    const std::string inside = class_of_escape(c);
    if (!inside.empty()) {
      const bool negated = c == 'S' || c == 'W' || c == 'H';
      out_ += negated ? "[^" : "[";
      out_ += inside;
      out_ += ']';
      at_ += 2;
      return {};
    }
    RIVAL_ASSIGN_OR_RETURN(const std::string escape, plain_escape());
    out_ += escape;
    return {};
  }

  static std::string class_of_escape(char c) {
    switch (c) {
      case 's':
      case 'S':
        return std::string(kSpaceInClass);
      case 'w':
      case 'W':
        return std::string(kWordInClass);
      case 'h':
      case 'H':
        return std::string(kHexInClass);
      default:
        return {};
    }
  }

  // An escape that both dialects share, or that only needs another spelling. at_ stands on the backslash.
  Result<std::string> plain_escape() {
    const char c = peek(1);
    if (c == '\0' && at_ + 1 >= in_.size()) return broken("ends with a backslash");
    if ((c == 'p' || c == 'P') && peek(2) == '{') return property();
    if (c == 'u') {
      const std::string_view digits = in_.substr(std::min(at_ + 2, in_.size()), 4);
      at_ += 2 + digits.size();
      return fmt::format("\\x{{{}}}", digits);
    }
    const size_t length = 1 + decode_utf8(in_, at_ + 1).length;
    std::string escape(in_.substr(at_, length));
    at_ += length;
    return escape;
  }

  Result<std::string> property() {
    const size_t end = in_.find('}', at_);
    if (end == std::string_view::npos) return broken("property without its closing brace");
    std::string_view name = in_.substr(at_ + 3, end - at_ - 3);
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    for (const Name& known : kPropertyNames)
      if (known.onig == name) name = known.pcre2;
    // \p{Han} is the script itself; PCRE2 would take every character that the script uses.
    const bool is_script =
        name.size() > 2 && std::find(std::begin(kBinaryProperties), std::end(kBinaryProperties), name) ==
                               std::end(kBinaryProperties);
    std::string out =
        fmt::format("\\{}{{{}{}{}}}", peek(1), negated ? "^" : "", is_script ? "sc:" : "", name);
    at_ = end + 1;
    return out;
  }

  // One class, as a pattern that matches exactly one character. Plain content stays a class; nested classes
  // become alternatives, intersections a lookahead.
  Result<std::string> take_class(int depth) {
    if (depth > limits::kRegexClassDepthMax) return broken("classes nest too deeply");
    ++at_;
    const bool negated = peek() == '^';
    if (negated) ++at_;
    std::vector<ClassOperand> operands(1);
    bool first = true;
    while (more() && (peek() != ']' || first)) {
      RIVAL_RETURN_IF_ERROR(take_class_item(depth, operands));
      first = false;
    }
    if (!more()) return broken("class without its closing bracket");
    ++at_;
    return assemble(operands, negated);
  }

  struct ClassOperand {
    std::string content;              // what stands between brackets
    std::vector<std::string> nested;  // patterns of one character each
  };

  Status take_class_item(int depth, std::vector<ClassOperand>& operands) {
    if (peek() == '&' && peek(1) == '&') {
      at_ += 2;
      operands.emplace_back();
      return {};
    }
    ClassOperand& operand = operands.back();
    if (peek() == '[' && peek(1) == ':') {
      const size_t end = in_.find(":]", at_);
      if (end == std::string_view::npos) return broken("[: without :]");
      take_posix(in_.substr(at_ + 2, end - at_ - 2), operand);
      at_ = end + 2;
      return {};
    }
    if (peek() == '[') {
      RIVAL_ASSIGN_OR_RETURN(std::string nested, take_class(depth + 1));
      operand.nested.push_back(std::move(nested));
      return {};
    }
    if (peek() == '\\') return take_class_escape(operand);
    if (peek() == ']') {
      operand.content += "\\]";
      ++at_;
      return {};
    }
    const size_t length = decode_utf8(in_, at_).length;
    operand.content += in_.substr(at_, length);
    at_ += length;
    return {};
  }

  // The name inside of [: and :]; ^ negates it. Names that are not in the table mean the same to PCRE2.
  static void take_posix(std::string_view name, ClassOperand& operand) {
    const bool negated = name.starts_with('^');
    const auto known = std::find_if(std::begin(kPosixNames), std::end(kPosixNames), [&](const Name& posix) {
      return posix.onig == name.substr(negated ? 1 : 0);
    });
    if (known == std::end(kPosixNames)) {
      operand.content += fmt::format("[:{}:]", name);
    } else if (negated) {
      operand.nested.push_back(fmt::format("[^{}]", known->pcre2));
    } else {
      operand.content += known->pcre2;
    }
  }

  Status take_class_escape(ClassOperand& operand) {
    const char c = peek(1);
    if (c == 'S' || c == 'W' || c == 'H') {
      operand.nested.push_back("[^" + class_of_escape(c) + "]");
      at_ += 2;
      return {};
    }
    if (const std::string inside = class_of_escape(c); !inside.empty()) {
      operand.content += inside;
      at_ += 2;
      return {};
    }
    RIVAL_ASSIGN_OR_RETURN(const std::string escape, plain_escape());
    operand.content += escape;
    return {};
  }

  static std::string one_of(const ClassOperand& operand) {
    if (operand.nested.empty()) return operand.content.empty() ? "(*F)" : "[" + operand.content + "]";
    std::string out = "(?:";
    if (!operand.content.empty()) out += "[" + operand.content + "]|";
    for (size_t i = 0; i < operand.nested.size(); ++i) out += (i == 0 ? "" : "|") + operand.nested[i];
    return out + ")";
  }

  static std::string assemble(const std::vector<ClassOperand>& operands, bool negated) {
    if (operands.size() == 1 && operands[0].nested.empty() && !operands[0].content.empty())
      return (negated ? "[^" : "[") + operands[0].content + "]";
    std::string all;
    for (size_t i = 0; i + 1 < operands.size(); ++i) all += "(?=" + one_of(operands[i]) + ")";
    all += one_of(operands.back());
    return negated ? "(?:(?!" + all + ")[\\s\\S])" : "(?:" + all + ")";
  }

  std::string_view in_;
  size_t at_ = 0;
  std::string out_;
  size_t atom_ = 0;             // where the last atom begins in out_
  std::vector<size_t> groups_;  // where the open groups begin in out_
};

}  // namespace

Result<std::string> to_pcre2(std::string_view pattern) { return Translator(pattern).run(); }

}  // namespace rival::text
