// Reading the inside of a JSON string byte by byte (RFC 8259, section 7): raw UTF-8, short escapes and \uXXXX with
// surrogate pairs all become characters for an automaton. Halves of characters and of escapes are only entered
// where some whole character behind them leads on. Lone surrogates are refused.
#pragma once

#include "text/grammar/dfa.h"

namespace rival::text::grammar {

// Between two characters `partial` is 0; inside a character it holds what was read of it.
struct StringPlace {
  StateId state = kDead;
  uint32_t partial = 0;
  bool operator==(const StringPlace&) const = default;
};

enum class StringStep : uint8_t { kDead, kInside, kClosed };

// kClosed: the byte was the closing quote (whether the state accepts is the caller's question).
StringStep step_json_string(Dfa* dfa, StringPlace* place, uint8_t byte);

// The same for plain UTF-8 text without quotes or escapes. False: dead.
bool step_utf8(Dfa* dfa, StringPlace* place, uint8_t byte);

}  // namespace rival::text::grammar
