// JSON Schemas from strangers: compiled, then followed by the bytes behind the first zero byte.
#include <cstdint>
#include <string_view>

#include "text/grammar.h"
#include "text/grammar/test_vocabulary.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rival::text;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\0');
  const auto compiled = Grammar::json_schema_text(grammar::test_vocabulary(), input.substr(0, end));
  if (!compiled.ok()) return 0;
  GrammarState state(*compiled);
  std::vector<uint32_t> mask(grammar::test_vocabulary()->mask_words());
  for (uint8_t byte : end == input.npos ? std::string_view("{\"a\": [1, \"\\u00e9\"") : input.substr(end + 1)) {
    state.mask(mask);
    const TokenId token = byte + 1;  // the test vocabulary holds every byte behind the end token
    const bool allowed = (mask[token / 32] >> (token % 32) & 1) != 0;
    if (state.accept(token) != allowed) __builtin_trap();
  }
  state.forced_bytes();
  return 0;
}
