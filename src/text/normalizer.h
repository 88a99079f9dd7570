// The steps that rewrite a text before it is cut into pieces. Semantics are those of the Hugging Face
// tokenizers library; Unicode data is utf8proc's.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "text/charsmap.h"
#include "text/regex.h"

namespace rival::text {

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };

struct Lowercase {};
struct StripAccents {};  // drops every combining mark
struct NmtNormalize {};  // control characters vanish, odd spaces become spaces
struct ByteLettersNormalize {};
struct Prepend {
  std::string text;  // in front of anything but an empty text
};
struct Replace {
  std::string literal;  // empty: the pattern
  std::shared_ptr<const Regex> regex;
  std::string content;
};
struct StripSpace {
  bool left = true, right = true;
};
struct BertNormalize {
  bool clean_text = true;        // control characters vanish, white space becomes spaces
  bool space_ideographs = true;  // a space on both sides of every CJK ideograph
  bool strip_accents = true;
  bool lowercase = true;
};
struct CollapseSpaces {};  // SentencePiece: runs of spaces are one, none at the ends

using NormalizerStep = std::variant<UnicodeForm, Lowercase, StripAccents, NmtNormalize, ByteLettersNormalize,
                                    Prepend, Replace, StripSpace, BertNormalize, CollapseSpaces, Charsmap>;

// Runs one step on a valid UTF-8 text. escaped: private-use units stand for bytes (unicode.h).
Status apply(const NormalizerStep& step, bool escaped, std::string& text);

}  // namespace rival::text
