// The vocabulary in a GGUF file's metadata (keys under "tokenizer.").
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "format/metadata.h"
#include "text/vocabulary.h"

namespace rival::model {

// Views into the metadata's file. nullopt if the file holds none (tokenizer.ggml.model missing, "none",
// "no_vocab"). Errors: kCorrupt for lists of unequal length and ids out of range, kLimit, kUnsupported for an
// unknown kind; they name the key. Defaults and the tokens at which an answer ends follow llama.cpp
// (src/llama-vocab.cpp), so that files made for it mean the same here.
Result<std::optional<text::Vocabulary>> gguf_vocabulary(const format::Metadata& metadata);

// tokenizer.chat_template, or empty. Errors: kLimit past limits::kTemplateBytesMax.
Result<std::string> gguf_chat_template(const format::Metadata& metadata);

// Adds to `vocabulary` what follows from the tokens' texts alone, whatever file they came from: eot and eom
// where they are not set, and end_of_generation.
void find_end_tokens(text::Vocabulary& vocabulary);

}  // namespace rival::model
