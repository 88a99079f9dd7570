// From tokens back to text: the steps of a decoder as a stream, one token in, the text that it adds out. The
// library that these steps come from works on whole lists; here what depends on the first or the last token
// is state.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/regex.h"

namespace rival::text {

struct ByteLettersDecode {};   // byte alphabet to bytes; a token with other characters stays as it is
struct ByteFallbackDecode {};  // "<0xHH>" to its byte
struct FuseDecode {};          // all tokens are one from here on
struct ReplaceDecode {
  std::string literal;  // empty: the pattern
  std::shared_ptr<const Regex> regex;
  std::string content;
};
// Cuts at most `start` of `content` from the start of every token, `stop` from its end; after FuseDecode of
// the text.
struct StripDecode {
  std::string content;
  size_t start = 0, stop = 0;
};
// `replacement` to spaces, of the first token to nothing unless keep_first.
struct MetaspaceDecode {
  std::string replacement;
  bool keep_first = false;
};
// Tokens that begin with `prefix` continue the word, others begin one after a space. With word_start it is
// the other way round: tokens that begin with that (and tokens as they are) begin a word, others continue it.
struct WordPieceDecode {
  std::string prefix;
  std::string word_start;
  bool cleanup = false;  // English spaces before punctuation and contractions vanish, token by token
};
// `suffix` ends a word: a space, or nothing in the last token.
struct SuffixDecode {
  std::string suffix;
};
// Connectionist temporal classification: repeats are one, pads nothing.
struct CtcDecode {
  std::string pad, delimiter;
  bool cleanup = false;
};
// Tokens joined by spaces: what happens without a decoder.
struct JoinDecode {};

using DecoderStep =
    std::variant<ByteLettersDecode, ByteFallbackDecode, FuseDecode, ReplaceDecode, StripDecode,
                 MetaspaceDecode, WordPieceDecode, SuffixDecode, CtcDecode, JoinDecode>;

// One run of a decoder over a sequence of tokens. The steps must outlive it.
class DecoderRun {
 public:
  // inside: the tokens continue a text, so nothing is done to the first of them that is done at a start.
  DecoderRun(const std::vector<DecoderStep>& steps, bool inside);

  // The text that is certain once this token is known. as_is: not spelled in the byte alphabet.
  std::string push(std::string_view token, bool as_is);
  std::string finish();

 private:
  struct StepState {
    bool fused = false;  // the step sees one long token
    size_t tokens = 0;   // seen so far; of a fused StripDecode: characters cut from the start
    bool open = true;    // a fused StripDecode is still at the start of the text
    std::string held;    // kept back until more is known
    bool has_held = false;
  };
  struct Item {
    std::string text;
    bool as_is = false;
  };
  void feed(size_t index, Item item, std::string& out);
  void run(const ByteLettersDecode&, size_t index, Item item, std::string& out);
  void run(const ByteFallbackDecode&, size_t index, Item item, std::string& out);
  void run(const FuseDecode&, size_t index, Item item, std::string& out);
  void run(const ReplaceDecode& step, size_t index, Item item, std::string& out);
  void run(const StripDecode& step, size_t index, Item item, std::string& out);
  void run(const MetaspaceDecode& step, size_t index, Item item, std::string& out);
  void run(const WordPieceDecode& step, size_t index, Item item, std::string& out);
  void run(const SuffixDecode& step, size_t index, Item item, std::string& out);
  void run(const CtcDecode& step, size_t index, Item item, std::string& out);
  void run(const JoinDecode&, size_t index, Item item, std::string& out);
  bool is_first(size_t index) const;

  const std::vector<DecoderStep>* steps_;
  bool inside_;
  std::vector<StepState> states_;
};

}  // namespace rival::text
