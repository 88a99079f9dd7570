// The seam between token ids and text: the engine streams text without knowing a tokenizer.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "text/vocabulary.h"

namespace rival::engine {

// Turns the tokens of one answer into text. Never gives half a character: bytes wait until they are complete.
class TextStream {
 public:
  virtual ~TextStream() = default;
  virtual std::string add(text::TokenId token) = 0;
  // The bytes that still wait, by the tokenizer's policy for invalid UTF-8. Ends the stream.
  virtual std::string finish() = 0;
};

// Makes the stream of a new answer. `special`: control tokens are written out too, as text::control_mark() does, else
// they are empty.
using TextStreamFactory = std::function<std::unique_ptr<TextStream>(bool special)>;

}  // namespace rival::engine
