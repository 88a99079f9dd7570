#include "text/pre_tokenizer.h"

#include <algorithm>
#include <span>

#include "text/byte_alphabet.h"
#include "text/unicode.h"

namespace rival::text {

namespace {

struct Cut {
  Span span;
  bool is_match;
};

// Matches and the gaps between them, in order and without holes.
void add_cuts(std::span<const Span> matches, Span whole, std::vector<Cut>& cuts) {
  uint32_t at = whole.begin;
  for (const Span& match : matches) {
    const Span shifted{whole.begin + match.begin, whole.begin + match.end};
    if (at != shifted.begin) cuts.push_back({{at, shifted.begin}, false});
    cuts.push_back({shifted, true});
    at = shifted.end;
  }
  if (at != whole.end) cuts.push_back({{at, whole.end}, false});
}

void add_span(Span span, std::vector<Span>& out) {
  if (span.begin != span.end) out.push_back(span);
}

// Neighbours join where `joins(previous_is_match, is_match)` holds.
template <typename Joins>
void add_joined(std::span<const Cut> cuts, Joins joins, std::vector<Span>& out) {
  for (size_t i = 0; i < cuts.size();) {
    Span span = cuts[i].span;
    size_t next = i + 1;
    while (next < cuts.size() && joins(cuts[next - 1].is_match, cuts[next].is_match))
      span.end = cuts[next++].span.end;
    add_span(span, out);
    i = next;
  }
}

void apply_behavior(std::span<const Cut> cuts, SplitBehavior behavior, std::vector<Span>& out) {
  switch (behavior) {
    case SplitBehavior::kRemoved:
      for (const Cut& cut : cuts)
        if (!cut.is_match) add_span(cut.span, out);
      return;
    case SplitBehavior::kIsolated:
      for (const Cut& cut : cuts) add_span(cut.span, out);
      return;
    case SplitBehavior::kContiguous:
      return add_joined(cuts, [](bool before, bool now) { return before == now; }, out);
    case SplitBehavior::kMergedWithPrevious:
      return add_joined(cuts, [](bool before, bool now) { return now && !before; }, out);
    case SplitBehavior::kMergedWithNext:
      return add_joined(cuts, [](bool before, bool now) { return before && !now; }, out);
  }
}

// Splits every piece by the matches that find(text, matches) gives, as spans of that text.
template <typename Find>
Status split_pieces(Pieces& pieces, SplitBehavior behavior, bool invert, Find find) {
  std::vector<Span> out, matches;
  std::vector<Cut> cuts;
  out.reserve(pieces.spans.size());
  for (const Span whole : pieces.spans) {
    matches.clear();
    RIVAL_RETURN_IF_ERROR(
        find(std::string_view(pieces.text).substr(whole.begin, whole.end - whole.begin), matches));
    cuts.clear();
    add_cuts(matches, whole, cuts);
    if (invert)
      for (Cut& cut : cuts) cut.is_match = !cut.is_match;
    apply_behavior(cuts, behavior, out);
  }
  pieces.spans = std::move(out);
  return {};
}

// Respells every piece: write(piece, is_first_of_input, out) appends its new text.
template <typename Write>
void rewrite_pieces(Pieces& pieces, Write write) {
  std::string text;
  text.reserve(pieces.text.size() + pieces.spans.size() + 16);
  for (Span& span : pieces.spans) {
    const auto begin = static_cast<uint32_t>(text.size());
    const bool first = pieces.at_start && span.begin == 0;
    write(std::string_view(pieces.text).substr(span.begin, span.end - span.begin), first, text);
    span = {begin, static_cast<uint32_t>(text.size())};
  }
  pieces.text = std::move(text);
}

Status run(const RegexSplit& step, Pieces& pieces) {
  return split_pieces(
      pieces, step.behavior, step.invert,
      [&](std::string_view text, std::vector<Span>& matches) { return step.regex->find_all(text, matches); });
}

Status run(const LiteralSplit& step, Pieces& pieces) {
  return split_pieces(pieces, step.behavior, step.invert,
                      [&](std::string_view text, std::vector<Span>& matches) {
                        const size_t length = step.literal.size();
                        for (size_t at = text.find(step.literal); at != std::string_view::npos && length > 0;
                             at = text.find(step.literal, at + length))
                          matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + length)});
                        return Status();
                      });
}

Status run(const ClassSplit& step, Pieces& pieces) {
  return split_pieces(pieces, step.behavior, false, [&](std::string_view text, std::vector<Span>& matches) {
    for (uint32_t at = 0; at < text.size();) {
      const DecodedChar c = decode_utf8(text, at);
      if (step.matches(c.code)) matches.push_back({at, at + c.length});
      at += c.length;
    }
    return Status();
  });
}

// Empty matches where a multiple of three digits is left, as (?=(\d{3})+(?!\d)) finds them, but in one pass.
void add_group_starts(const std::vector<uint32_t>& digits, std::vector<Span>& matches) {
  for (size_t i = 0; i < digits.size(); ++i)
    if ((digits.size() - i) % 3 == 0) matches.push_back({digits[i], digits[i]});
}

// The groups themselves, the first of one to three digits, as \d{1,3}(?=(?:\d{3})*\b) finds them.
void add_groups(const std::vector<uint32_t>& digits, uint32_t end, std::vector<Span>& matches) {
  for (size_t i = 0; i < digits.size();) {
    const size_t left = digits.size() - i;
    const size_t next = i + (left % 3 == 0 ? 3 : left % 3);
    matches.push_back({digits[i], next < digits.size() ? digits[next] : end});
    i = next;
  }
}

Status run(const DigitGroups& step, Pieces& pieces) {
  return split_pieces(
      pieces, SplitBehavior::kIsolated, false, [&](std::string_view text, std::vector<Span>& matches) {
        std::vector<uint32_t> digits;  // where those of the current run begin
        for (uint32_t at = 0; at <= text.size();) {
          const DecodedChar c = at < text.size() ? decode_utf8(text, at) : DecodedChar{};
          if (c.valid && is_decimal(c.code)) {
            digits.push_back(at);
          } else {
            const bool at_boundary = step.mode == DigitGroups::Mode::kRuns || !c.valid || !is_word(c.code);
            if (step.mode == DigitGroups::Mode::kCuts) {
              add_group_starts(digits, matches);
            } else if (at_boundary) {
              add_groups(digits, at, matches);
            }
            digits.clear();
          }
          at += c.length;
        }
        return Status();
      });
}

Status run(const PrefixSpace&, Pieces& pieces) {
  rewrite_pieces(pieces, [](std::string_view piece, bool, std::string& out) {
    if (!piece.starts_with(' ')) out += ' ';
    out += piece;
  });
  return {};
}

Status run(const ByteLetters&, Pieces& pieces) {
  rewrite_pieces(pieces, [&](std::string_view piece, bool, std::string& out) {
    append_byte_letters(out, piece, pieces.escaped);
  });
  return {};
}

Status run(const Metaspace& step, Pieces& pieces) {
  rewrite_pieces(pieces, [&](std::string_view piece, bool first, std::string& out) {
    const bool wanted =
        step.scheme == PrependScheme::kAlways || (step.scheme == PrependScheme::kFirst && first);
    if (wanted && !piece.starts_with(' ') && !piece.starts_with(step.replacement)) out += step.replacement;
    for (const char c : piece) {
      if (c == ' ') {
        out += step.replacement;
      } else {
        out += c;
      }
    }
  });
  return step.split ? run(LiteralSplit{step.replacement, SplitBehavior::kMergedWithNext, false}, pieces)
                    : Status();
}

Status run(const WordStarts& step, Pieces& pieces) {
  return split_pieces(pieces, SplitBehavior::kIsolated, false,
                      [&](std::string_view text, std::vector<Span>& matches) {
                        size_t marks_end = 0;  // behind the last mark seen
                        for (size_t at = text.find(step.mark); at != std::string_view::npos;
                             at = text.find(step.mark, marks_end)) {
                          if (at != marks_end)
                            matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at)});
                          marks_end = at + step.mark.size();
                        }
                        return Status();
                      });
}

Status run(const FixedLength& step, Pieces& pieces) {
  return split_pieces(pieces, SplitBehavior::kIsolated, false,
                      [&](std::string_view text, std::vector<Span>& matches) {
                        size_t count = 0;
                        uint32_t begin = 0;
                        for (uint32_t at = 0; at < text.size();) {
                          at += decode_utf8(text, at).length;
                          if (++count % step.length == 0) matches.push_back({std::exchange(begin, at), at});
                        }
                        return Status();
                      });
}

}  // namespace

std::vector<PreTokenizerStep> bert_steps() {
  return {ClassSplit{is_white_space, SplitBehavior::kRemoved},
          ClassSplit{is_punctuation, SplitBehavior::kIsolated}};
}

Status apply(const PreTokenizerStep& step, Pieces& pieces) {
  return std::visit([&](const auto& s) { return run(s, pieces); }, step);
}

}  // namespace rival::text
