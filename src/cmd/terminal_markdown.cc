#include "cmd/terminal_markdown.h"

#include <algorithm>
#include <cctype>

#include "cmd/terminal_table.h"

namespace rival::cmd {
namespace {

constexpr std::string_view kPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
constexpr int kRuleColumns = 40;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t'; }

const char* bullet(size_t indent) { return indent < 2 ? "• " : indent < 4 ? "◦ " : "▪ "; }

uint8_t emphasis(char marker, size_t run) {
  if (marker == '~') return run == 2 ? kStrike : kNoStyle;
  return run == 1 ? kItalic : run == 2 ? kBold : run == 3 ? kBold | kItalic : kNoStyle;
}

size_t character_bytes(std::string_view text) {
  size_t size = 1;
  while (size < text.size() && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80) ++size;
  return size;
}

}  // namespace

std::string MarkdownStream::push(std::string_view piece) {
  held_ += piece;
  while (!held_.empty() && advance(false)) {
  }
  return out_.take();
}

std::string MarkdownStream::finish() {
  while (!held_.empty() && advance(true)) {
  }
  end_table();
  if (!out_.at_line_start()) end_line();
  state_ = State::kLineStart;
  return out_.finish();
}

bool MarkdownStream::advance(bool last) {
  switch (state_) {
    case State::kLineStart: return begin_line(last);
    case State::kInline: return in_line(last);
    case State::kCodeStart: return begin_code_line(last);
    case State::kCode: return in_code_line();
  }
  return false;
}

bool MarkdownStream::begin_line(bool last) {
  const size_t end = held_.find('\n');
  const bool whole = last || end != std::string::npos;
  const std::string line = held_.substr(0, end);
  const auto block = recognise_block(line, whole);
  if (!block) return false;
  const bool needs_line = block->kind == BlockKind::kTableRow || block->kind == BlockKind::kFence;
  if (needs_line && !whole) return false;
  if (block->kind != BlockKind::kTableRow) end_table();
  if (!needs_line) {
    begin_block(*block);
    held_.erase(0, block->marker);
    return true;
  }
  if (block->kind == BlockKind::kFence)
    begin_code(line);
  else
    table_.push_back(line);
  held_.erase(0, std::min(line.size() + 1, held_.size()));
  return true;
}

void MarkdownStream::begin_block(const Block& block) {
  state_ = State::kInline;
  const std::string indent(block.indent, ' ');
  if (block.kind == BlockKind::kHeading) {
    block_style_ = block.level == 1 ? kBold | kUnderline : kBold;
  } else if (block.kind == BlockKind::kBullet) {
    out_.put_verbatim(indent + bullet(block.indent), kNoStyle);
    out_.set_indent(static_cast<int>(block.indent) + 2);
  } else if (block.kind == BlockKind::kNumber) {
    out_.put_verbatim(held_.substr(0, block.marker), kNoStyle);
    out_.set_indent(static_cast<int>(block.marker));
  } else if (block.kind == BlockKind::kQuote) {
    block_style_ = kItalic;
    out_.put_verbatim("│ ", kDim);
    out_.set_indent(2);
  } else if (block.kind == BlockKind::kRule) {
    for (int i = 0; i < std::min(columns_, kRuleColumns); ++i) out_.put_verbatim("─", kDim);
  }
}

void MarkdownStream::begin_code(std::string_view line) {
  const std::string_view rest = line.substr(line.find_first_not_of(' '));
  fence_ = rest.substr(0, std::min(rest.find_first_not_of(rest[0]), rest.size()));
  out_.put_verbatim(line, kDim);
  out_.put("\n", kNoStyle);
  state_ = State::kCodeStart;
}

bool MarkdownStream::begin_code_line(bool last) {
  const size_t end = held_.find('\n');
  const bool whole = last || end != std::string::npos;
  const std::string line = held_.substr(0, end);
  const size_t indent = std::min(line.find_first_not_of(' '), line.size());
  const std::string_view rest = std::string_view(line).substr(indent);
  const bool may_close = rest.find_first_not_of(fence_[0]) >= rest.size();  // nothing but the fence's sign so far
  if (may_close && !whole) return false;
  state_ = State::kCode;
  if (!may_close || rest.size() < fence_.size()) return true;
  out_.put_verbatim(line, kDim);
  held_.erase(0, line.size());
  state_ = State::kInline;
  return true;
}

bool MarkdownStream::in_code_line() {
  const size_t end = held_.find('\n');
  out_.put_verbatim(std::string_view(held_).substr(0, end), kCode);
  if (end == std::string::npos) {
    held_.clear();
    return false;
  }
  out_.put("\n", kNoStyle);
  held_.erase(0, end + 1);
  state_ = State::kCodeStart;
  return true;
}

bool MarkdownStream::in_line(bool last) {
  if (held_[0] == '\n') {
    held_.erase(0, 1);
    end_line();
    return true;
  }
  const size_t taken = put_special(last);
  held_.erase(0, taken);
  return taken > 0;
}

size_t MarkdownStream::put_special(bool last) {
  const char c = held_[0];
  const bool code = code_ticks_ > 0;
  if (c == '\\' && !code) {
    if (held_.size() == 1 && !last) return 0;
    const size_t escaped = held_.size() > 1 && kPunctuation.find(held_[1]) != std::string_view::npos ? 1 : 0;
    put(std::string_view(held_).substr(escaped, 1));
    return 1 + escaped;
  }
  if (c != '`' && (code || (c != '*' && c != '_' && c != '~'))) {
    const size_t size = character_bytes(held_);
    put(std::string_view(held_).substr(0, size));
    return size;
  }
  const size_t run = std::min(held_.find_first_not_of(c), held_.size());
  if (run == held_.size() && !last) return 0;
  return c == '`' ? put_ticks(run) : put_emphasis(run);
}

size_t MarkdownStream::put_ticks(size_t run) {
  if (code_ticks_ == 0)
    code_ticks_ = run;
  else if (code_ticks_ == run)
    code_ticks_ = 0;
  else
    put(std::string_view(held_).substr(0, run));
  return run;
}

// CommonMark's flanking rules, but inside a word only ** closes: "2*3" and snake_case are no emphasis.
size_t MarkdownStream::put_emphasis(size_t run) {
  const char marker = held_[0];
  const char after = run < held_.size() ? held_[run] : '\n';
  const uint8_t bits = emphasis(marker, run);
  const bool opens = !is_space(after) && !is_word(before_);
  const bool closes = !is_space(before_) && (run > 1 || !is_word(after));
  if (bits != kNoStyle && closes && (style_ & bits))
    style_ &= ~bits;
  else if (bits != kNoStyle && opens && !(style_ & bits))
    style_ |= bits;
  else
    put(std::string_view(held_).substr(0, run));
  return run;
}

void MarkdownStream::put(std::string_view text) {
  const uint8_t style = block_style_ | style_ | (code_ticks_ > 0 ? kCode : kNoStyle);
  out_.put_text(text, style);
  before_ = text.back();
}

void MarkdownStream::end_line() {
  out_.put("\n", kNoStyle);
  style_ = block_style_ = kNoStyle;
  code_ticks_ = 0;
  before_ = ' ';
  state_ = State::kLineStart;
}

void MarkdownStream::end_table() {
  for (const TableLine& line : format_table(table_, columns_)) {
    out_.put_verbatim(line.text, line.header ? kBold : kNoStyle);
    out_.put("\n", kNoStyle);
  }
  table_.clear();
}

}  // namespace rival::cmd
