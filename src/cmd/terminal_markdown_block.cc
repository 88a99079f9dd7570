#include "cmd/terminal_markdown_block.h"

#include <algorithm>
#include <cctype>

namespace rival::cmd {
namespace {

using Answer = std::optional<Block>;

constexpr size_t kFenceMin = 3, kRuleMin = 3, kHeadingMax = 6, kDigitsMax = 9;

struct Line {
  std::string_view rest;  // behind the indent
  size_t indent;
  bool whole;

  size_t run() const { return std::min(rest.find_first_not_of(rest[0]), rest.size()); }
  bool ended(size_t at) const { return at == rest.size(); }  // as far as it is known
  Block text() const { return {}; }
  Block with_marker(BlockKind kind, size_t bytes, int level = 0) const { return {kind, indent, indent + bytes, level}; }
};

// A marker of `size` bytes that counts when a space or the end of the line follows.
Answer with_space(const Line& line, BlockKind kind, size_t size, int level = 0) {
  if (line.ended(size)) return line.whole ? Answer(line.with_marker(kind, size, level)) : std::nullopt;
  return line.rest[size] == ' ' ? line.with_marker(kind, size + 1, level) : line.text();
}

Answer heading(const Line& line) {
  const size_t run = line.run();
  return run > kHeadingMax ? line.text() : with_space(line, BlockKind::kHeading, run, static_cast<int>(run));
}

Answer fence(const Line& line) {
  const size_t run = line.run();
  if (run >= kFenceMin) return line.with_marker(BlockKind::kFence, run);
  return line.ended(run) && !line.whole ? std::nullopt : Answer(line.text());
}

// "---" alone is a rule, "- x" an item; "**x" is text.
Answer bullet_or_rule(const Line& line) {
  const size_t run = line.run();
  if (line.ended(run)) {
    if (!line.whole) return std::nullopt;
    if (run >= kRuleMin && line.rest[0] != '+') return line.with_marker(BlockKind::kRule, run);
  }
  return run == 1 && line.rest[0] != '_' ? with_space(line, BlockKind::kBullet, 1) : Answer(line.text());
}

Answer number(const Line& line) {
  const size_t digits = std::min(line.rest.find_first_not_of("0123456789"), line.rest.size());
  if (digits > kDigitsMax) return line.text();
  if (line.ended(digits)) return line.whole ? Answer(line.text()) : std::nullopt;
  if (line.rest[digits] != '.' && line.rest[digits] != ')') return line.text();
  return with_space(line, BlockKind::kNumber, digits + 1);
}

}  // namespace

std::optional<Block> recognise_block(std::string_view text, bool whole) {
  const size_t indent = std::min(text.find_first_not_of(' '), text.size());
  const Line line{text.substr(indent), indent, whole};
  if (line.rest.empty()) return whole ? Answer(line.text()) : std::nullopt;
  switch (line.rest[0]) {
    case '#': return heading(line);
    case '`':
    case '~': return fence(line);
    case '-':
    case '*':
    case '_':
    case '+': return bullet_or_rule(line);
    case '>':
      if (line.rest == ">" && !whole) return std::nullopt;
      return line.with_marker(BlockKind::kQuote, line.rest.starts_with("> ") ? 2 : 1);
    case '|': return line.with_marker(BlockKind::kTableRow, 0);
    default: break;
  }
  return std::isdigit(static_cast<unsigned char>(line.rest[0])) ? number(line) : Answer(line.text());
}

}  // namespace rival::cmd
