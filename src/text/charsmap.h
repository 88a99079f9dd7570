// SentencePiece's precompiled_charsmap: u32 bytes of a double-array trie, the trie's u32 units
// (little-endian), then NUL-terminated replacements that the trie's values point into (sentencepiece,
// normalizer.cc; darts-clone).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rival::text {

class Charsmap {
 public:
  // Errors: kCorrupt where the sizes do not fit the bytes.
  static Result<Charsmap> parse(std::string_view bytes);

  // Rewrites grapheme by grapheme, or character by character where a grapheme has no rule. The result is
  // valid UTF-8 whatever bytes the rules hold.
  std::string apply(std::string_view text) const;

 private:
  // The replacement of the shortest rule that `text` begins with; false: none.
  bool find(std::string_view text, std::string_view& replacement) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace rival::text
