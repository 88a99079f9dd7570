// A tokenizer: text to token ids and back. One pipeline (pipeline.h) whatever file described it.
//
// Bytes that are no valid UTF-8: encode takes them as they are. A vocabulary with byte tokens or the byte
// alphabet spells them byte by byte, so decode(encode(bytes)) == bytes; elsewhere they are unknown (a normaliser
// that drops private-use characters, like BERT's, drops them). For patterns and character classes each such byte
// is one unit that is neither letter, digit, punctuation nor space.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/vocabulary.h"

namespace rival::text {

struct Pipeline;
class DecoderRun;

struct EncodeOptions {
  bool add_special =
      true;  // put the tokens around the text that the vocabulary asks for (bos, eos, [CLS], ...)
  bool parse_special =
      true;  // control tokens spelled in the text are those tokens; false: they are plain text
  std::span<const size_t> plain = {};  // offsets in bytes, ascending, at which they are plain text all the same
};

struct DecodeOptions {
  bool skip_special = false;  // control tokens add no text
  bool inside = false;        // the ids continue a text: no space is taken from their start
};

// Movable; all const members may be called from many threads at once.
class Tokenizer {
 public:
  // Errors: kCorrupt for a vocabulary that contradicts itself (names the field), kUnsupported for a
  // pre-tokeniser that is not known, kLimit for one that is too large.
  static Result<Tokenizer> create(Vocabulary vocabulary);

  // From the text of tokenizer.json, and of tokenizer_config.json where there is one (it names bos, eos and
  // the like, may add tokens, and says for some classes whether bos and eos are put around a text). Equal to
  // the tokenizers library, but for its truncation and padding, which are left to the caller. Errors:
  // kCorrupt, kUnsupported with the name of the component.
  static Result<Tokenizer> from_json(std::string_view tokenizer_json,
                                     std::string_view tokenizer_config_json = {});

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // Errors: kLimit past limits::kPromptBytesMax, or where a pattern needs too many steps.
  Result<std::vector<TokenId>> encode(std::string_view bytes, EncodeOptions options = {}) const;

  // The bytes that the ids spell; ids outside of the vocabulary add nothing.
  std::string decode(std::span<const TokenId> ids, DecodeOptions options = {}) const;

  // The bytes that one token adds in the middle of a text; empty for an id outside of the vocabulary. Control
  // and user-defined tokens spell their own text.
  std::string token_bytes(TokenId id) const;

  const Vocabulary& vocabulary() const;
  // Every id at which an answer ends, where other files than the vocabulary's name more of them. Before the
  // tokenizer is shared.
  void set_end_of_generation(std::vector<TokenId> ids);
  size_t size() const { return vocabulary().tokens.size(); }
  bool is_control(TokenId id) const;
  // The texts in which encode() finds control tokens.
  std::vector<std::string_view> control_texts() const;
  // The token that is written exactly so in the vocabulary (in the byte alphabet where it uses that).
  std::optional<TokenId> find_token(std::string_view text) const;

 private:
  friend class StreamDecoder;
  explicit Tokenizer(std::unique_ptr<Pipeline> pipeline);
  std::unique_ptr<Pipeline> pipeline_;
};

// Tokens to text as they come, never half a character. What can be no valid UTF-8 becomes U+FFFD, one for
// each maximal invalid part, so the texts together are replace_invalid_utf8(decode(ids)). (The tokenizers library
// gives up a whole run of byte tokens for one wrong byte in it; that could not be streamed.) The tokenizer must
// outlive it.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer,
                         DecodeOptions options = {.skip_special = true, .inside = true});
  StreamDecoder(StreamDecoder&&) noexcept;
  StreamDecoder& operator=(StreamDecoder&&) noexcept;
  ~StreamDecoder();

  // The text that this token completes; empty while a character is not whole.
  std::string push(TokenId id);
  // What was held back. The decoder is then as new.
  std::string flush();

 private:
  std::string take_complete(std::string added);

  const Pipeline* pipeline_;
  DecodeOptions options_;
  std::unique_ptr<DecoderRun> run_;
  std::string pending_;  // the start of a character
};

}  // namespace rival::text
