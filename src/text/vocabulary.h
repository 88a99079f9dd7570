// A vocabulary as plain data, whatever file it came from. `model` fills it from GGUF metadata, `text` itself
// from tokenizer.json; Tokenizer (tokenizer.h) works on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rival::text {

using TokenId = int32_t;

enum class TokenType : uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

enum class VocabularyKind : uint8_t {
  kBpe,  // byte-level BPE (GGUF "gpt2"): tokens are spelled in GPT-2's byte alphabet. GGUF "gemma4" is this
         // kind with pre = "gemma4": merges on UTF-8, spaces as U+2581. Without merges, lower ids merge first
  kSentencePiece,  // merges by score with byte fallback (GGUF "llama")
  kWordPiece,  // BERT (GGUF "bert"): GGUF spells word starts with U+2581, tokenizer.json continuations with
               // ##
  kUnigram,    // SentencePiece unigram (GGUF "t5"): the segmentation of the highest total score
};

struct Vocabulary {
  VocabularyKind kind = VocabularyKind::kBpe;
  std::string pre;  // pre-tokeniser of a BPE vocabulary, by GGUF's name ("llama-bpe", "qwen2", "smollm", ...)

  // Views into the file that the vocabulary came from, or into `storage`; the owner keeps that file mapped. A
  // storage that is used holds at least 32 bytes, so that moving it does not move its text.
  std::vector<std::string_view> tokens;  // index = id
  std::vector<float> scores;             // empty or one a token
  std::vector<TokenType> types;          // empty or one a token
  std::vector<std::string_view> merges;  // "left right", best first
  std::string storage;

  std::optional<TokenId> bos, eos, eot, eom, unknown, separator, padding, cls, mask;
  std::optional<TokenId> fim_prefix, fim_suffix, fim_middle;
  std::vector<TokenId> end_of_generation;  // every id at which an answer ends (eos, eot, eom, and the like)
  bool add_bos = false;
  bool add_eos = false;
  bool add_space_prefix = true;
  bool remove_extra_whitespaces = false;
  bool ignore_merges = false;  // a piece that is a token as a whole is taken as it is

  std::string_view precompiled_charsmap;  // kUnigram, kSentencePiece: the normaliser's table; empty: none
  bool lowercase = true;                  // kWordPiece: the normaliser lowers case
  std::optional<bool> strip_accents;      // kWordPiece: as `lowercase` where a file is silent
  // Tokens that take the white space beside them (GGUF does not say; Phi-3's control tokens strip on the
  // right).
  std::vector<TokenId> strips_left, strips_right;
};

// Sets the flags to what readers of GGUF assume where a file is silent, by kind and pre: call it when those
// two are known and before the file's own keys are read.
void set_defaults(Vocabulary& vocabulary);

}  // namespace rival::text
