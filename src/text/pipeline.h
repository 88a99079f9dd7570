// What every tokenizer is made of, whichever file described it: added tokens, normaliser, pre-tokeniser,
// model, post-processor, decoder. A GGUF vocabulary and a tokenizer.json both fill this one struct.
#pragma once

#include <deque>
#include <memory>
#include <variant>

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_table.h"
#include "text/tokenizer.h"
#include "text/unigram.h"
#include "text/vocabulary.h"
#include "text/word_models.h"

namespace rival::text {

using TokenModel = std::variant<std::monostate, Bpe, Unigram, WordPiece, WordLevel>;

// Lives on the heap and is not moved once built: its parts point at one another.
struct Pipeline {
  Vocabulary vocabulary;
  std::vector<std::string_view>
      model_tokens;               // by id, where the model knows fewer tokens than the vocabulary
  TokenTable table;               // over vocabulary.tokens, or model_tokens where those are not empty
  std::deque<std::string> texts;  // owned texts of added tokens
  AddedTokens names;              // all added tokens by their names
  AddedTokens added;              // found in the raw text
  AddedTokens added_normalized;   // found in the normalised text
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  TokenModel model;
  std::vector<TokenId> prefix, suffix;  // what add_special puts around the ids
  std::vector<DecoderStep> decoder;
  std::vector<bool> is_special;  // by id: left out of text when special tokens are skipped
  std::vector<bool> is_as_is;    // by id: an added token of GGUF, never in the byte alphabet
};

// Fills a pipeline from a vocabulary (GGUF metadata). Errors: see Tokenizer::create.
Result<std::unique_ptr<Pipeline>> build_pipeline(Vocabulary vocabulary);

// Fills a pipeline from the texts of tokenizer.json and tokenizer_config.json (which may be empty).
Result<std::unique_ptr<Pipeline>> parse_pipeline(std::string_view tokenizer_json,
                                                 std::string_view tokenizer_config_json);

// The ids and types that a vocabulary names, checked against its size; arrays of unequal length are errors.
Status check_vocabulary(const Vocabulary& vocabulary);

Result<std::vector<TokenId>> encode_with(const Pipeline& pipeline, std::string_view text, const EncodeOptions& options);

}  // namespace rival::text
