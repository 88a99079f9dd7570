// A vocabulary as plain data, whatever file it came from. `model` fills it from GGUF metadata, `text` itself from
// tokenizer.json; Tokenizer (tokenizer.h) works on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rival::text {

using TokenId = int32_t;

enum class TokenType : uint8_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

enum class VocabularyKind : uint8_t {
  kBpe,            // byte-level BPE (GGUF "gpt2"): tokens are spelled in GPT-2's byte alphabet
  kSentencePiece,  // merges by score with byte fallback (GGUF "llama")
  kWordPiece,      // BERT (GGUF "bert"): GGUF spells word starts with U+2581, tokenizer.json continuations with ##
  kUnigram,        // SentencePiece unigram (GGUF "t5"): the segmentation of the highest total score
};

struct Vocabulary {
  VocabularyKind kind = VocabularyKind::kBpe;
  std::string pre;  // pre-tokeniser of a BPE vocabulary, by GGUF's name ("llama-bpe", "qwen2", "smollm", ...)

  // Views into the file that the vocabulary came from, or into `storage`; the owner keeps that file mapped.
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
};

}  // namespace rival::text
