#include "text/jinja_wrap.h"

#include <algorithm>
#include <utility>

#include "text/jinja_error.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

using Chunks = std::vector<std::u32string_view>;

bool blank(char32_t c) { return (c >= 9 && c <= 13) || c == ' '; }
bool letter(char32_t c) { return is_word(c) && !is_decimal(c); }
bool punctuated(char32_t c) { return is_word(c) || std::u32string_view(U"!\"'&.,?").find(c) != std::u32string_view::npos; }

class Splitter {
 public:
  Splitter(std::u32string_view text, bool hyphens) : text_(text), hyphens_(hyphens) {}

  Chunks run() {
    Chunks chunks;
    for (size_t at = 0; at < text_.size();) {
      const size_t end = chunk_end(at);
      chunks.push_back(text_.substr(at, end - at));
      at = end;
    }
    return chunks;
  }

 private:
  char32_t at(size_t i) const { return i < text_.size() ? text_[i] : 0; }

  size_t chunk_end(size_t start) const {
    size_t end = start;
    if (blank(text_[start])) {
      while (end < text_.size() && blank(text_[end])) ++end;
      return end;
    }
    if (hyphens_ && start > 0 && punctuated(text_[start - 1]) && dash_before_word(start)) {
      while (at(end) == '-') ++end;
      return end;
    }
    for (end = start + 1; end < text_.size() && !blank(text_[end]); ++end) {
      if (!hyphens_) continue;
      if (end > start && hyphen_breaks(end)) return end + 1;
      if (punctuated(text_[end - 1]) && dash_before_word(end)) return end;
    }
    return end;
  }

  // Two or more dashes that a word follows.
  bool dash_before_word(size_t i) const {
    size_t end = i;
    while (at(end) == '-') ++end;
    return end - i >= 2 && end < text_.size() && is_word(text_[end]);
  }

  // A hyphen at `i` inside of a word, with letters enough on both sides.
  bool hyphen_breaks(size_t i) const {
    if (text_[i] != '-') return false;
    const bool before = (i >= 2 && letter(text_[i - 1]) && letter(text_[i - 2])) ||
                        (i >= 3 && letter(text_[i - 1]) && text_[i - 2] == '-' && letter(text_[i - 3]));
    if (!before || !letter(at(i + 1))) return false;
    return letter(at(i + 2)) || (at(i + 2) == '-' && letter(at(i + 3)));
  }

  std::u32string_view text_;
  bool hyphens_;
};

// The first part of a chunk that is longer than a line, at most `room` characters, behind a hyphen if possible.
size_t long_word_cut(std::u32string_view chunk, size_t room, bool hyphens) {
  if (!hyphens || chunk.size() <= room) return room;
  const size_t hyphen = chunk.substr(0, room).rfind(U'-');
  if (hyphen == chunk.npos || hyphen == 0) return room;
  const bool other = std::any_of(chunk.begin(), chunk.begin() + static_cast<ptrdiff_t>(hyphen),
                                 [](char32_t c) { return c != U'-'; });
  return other ? hyphen + 1 : room;
}

}  // namespace

std::vector<std::string> wrap_line(std::string_view line, const WrapOptions& options) {
  if (options.width <= 0) raise(Raised::kValue, "invalid width {} (must be > 0)", options.width);
  const auto width = static_cast<size_t>(options.width);
  const std::u32string text = decode(line);
  Chunks chunks = Splitter(text, options.break_on_hyphens).run();
  std::reverse(chunks.begin(), chunks.end());
  std::vector<std::string> lines;
  while (!chunks.empty()) {
    Chunks current;
    size_t size = 0;
    if (blank(chunks.back()[0]) && !lines.empty()) chunks.pop_back();
    while (!chunks.empty() && size + chunks.back().size() <= width) {
      size += chunks.back().size();
      current.push_back(chunks.back());
      chunks.pop_back();
    }
    if (!chunks.empty() && chunks.back().size() > width) {
      if (options.break_long_words) {
        const size_t cut = long_word_cut(chunks.back(), width - size, options.break_on_hyphens);
        current.push_back(chunks.back().substr(0, cut));
        chunks.back().remove_prefix(cut);
      } else if (current.empty()) {
        current.push_back(chunks.back());
        chunks.pop_back();
      }
    }
    if (!current.empty() && !current.back().empty() && blank(current.back()[0])) current.pop_back();
    std::u32string joined;
    for (const auto chunk : current) joined += chunk;
    if (!current.empty()) lines.push_back(encode(joined));
  }
  return lines;
}

}  // namespace rival::text::jinja
