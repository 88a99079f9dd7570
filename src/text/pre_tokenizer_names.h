// GGUF names a pre-tokeniser by a word ("tokenizer.ggml.pre"); this table says what each word stands for.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "text/pre_tokenizer.h"

namespace rival::text {

struct PreTokenizerRow {
  std::string_view name;
  std::span<const std::string_view> splits;  // patterns, each cutting the pieces of the one before
  bool ignore_merges = false;                // a piece that is a token as a whole is taken as it is
  bool add_bos = false;                      // what readers assume when the file is silent
  bool nfc = false;                          // the text is normalised to NFC first
  bool letters = true;  // pieces are spelled in the byte alphabet; false: in UTF-8, spaces as U+2581
};

// The row of a name, or nullptr.
const PreTokenizerRow* find_pre_tokenizer(std::string_view name);
std::span<const PreTokenizerRow> all_pre_tokenizers();

// The steps of a row, ByteLetters included.
Result<std::vector<PreTokenizerStep>> steps_of(const PreTokenizerRow& row);

}  // namespace rival::text
