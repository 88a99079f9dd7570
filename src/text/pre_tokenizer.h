// The steps that cut a normalised text into the pieces that a model sees one by one. Semantics and names are
// those of the Hugging Face tokenizers library.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "text/regex.h"

namespace rival::text {

// What happens to the matches of a split, and to the text between them.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// A text and its cuts. Pieces lie in order; what is between two of them was removed.
struct Pieces {
  std::string text;         // valid UTF-8
  std::vector<Span> spans;  // none empty
  bool at_start = true;     // the text's first byte is the first of the whole input
  bool escaped = false;     // private-use units stand for invalid bytes (unicode.h)
};

struct RegexSplit {
  std::shared_ptr<const Regex> regex;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;
};

struct LiteralSplit {
  std::string literal;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;
};

// Every character of a class is a match of its own.
struct ClassSplit {
  bool (*matches)(char32_t) = nullptr;
  SplitBehavior behavior = SplitBehavior::kIsolated;
};

// Decimal digits in groups of three counted from the right end of their run, in one pass where patterns need
// n^2.
struct DigitGroups {
  enum class Mode {
    kCuts,        // only the cuts: (?=(\d{3})+(?!\d))
    kWholeWords,  // the groups set apart, of runs that no letter follows: \d{1,3}(?=(?:\d{3})*\b)
    kRuns,        // the groups set apart
  };
  Mode mode = Mode::kCuts;
};

// A space in front of every piece that does not start with one.
struct PrefixSpace {};

// Pieces respelled in the byte alphabet (byte_alphabet.h).
struct ByteLetters {};

enum class PrependScheme { kAlways, kFirst, kNever };

// Spaces become `replacement`, one is put in front, and pieces begin at each of them.
struct Metaspace {
  std::string replacement = "\xE2\x96\x81";
  PrependScheme scheme = PrependScheme::kAlways;
  bool split = true;
};

// Cuts before every run of `mark` that follows other text. For vocabularies in which no token spans such a
// place.
struct WordStarts {
  std::string mark;
};

// Pieces of so many characters.
struct FixedLength {
  size_t length = 5;
};

using PreTokenizerStep = std::variant<RegexSplit, LiteralSplit, ClassSplit, DigitGroups, PrefixSpace,
                                      ByteLetters, Metaspace, WordStarts, FixedLength>;

// Runs one step. Errors: kLimit from a pattern that needs too many steps.
Status apply(const PreTokenizerStep& step, Pieces& pieces);

// BERT's: white space falls away, every punctuation character is a piece.
std::vector<PreTokenizerStep> bert_steps();

// GPT-2's own pattern, which ByteLevel with use_regex cuts by.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace rival::text
