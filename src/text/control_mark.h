// How control tokens stand in a text that shows them: 0xFF, the token's own text, 0xFE. No valid UTF-8 holds these
// bytes, so nothing that a model spells in ordinary tokens can be mistaken for a control token.
#pragma once

#include <string>
#include <string_view>

namespace rival::text {

constexpr char kControlBegin = '\xFF', kControlEnd = '\xFE';

inline std::string control_mark(std::string_view token) {
  std::string mark(1, kControlBegin);
  mark += token;
  return mark += kControlEnd;
}

}  // namespace rival::text
