// A vocabulary of a GGUF file as Hugging Face's tokenizer.json and tokenizer_config.json, so that the tokenizers
// library cuts texts into the same ids.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "text/vocabulary.h"

namespace rival::text {

// Every token stands in the model's own vocabulary, so that each keeps its id. Errors: kUnsupported for a kind or a
// pre-tokeniser that the library has no components for; they name it.
Result<json::object> write_tokenizer_json(const Vocabulary& vocabulary);

// bos_token and the like. The chat template is the caller's to add.
json::object write_tokenizer_config(const Vocabulary& vocabulary);

}  // namespace rival::text
