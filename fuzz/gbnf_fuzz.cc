// GBNF grammars from strangers: compiled, then followed by the bytes behind the first zero byte.
#include <cstdint>
#include <string_view>

#include "text/grammar.h"
#include "text/grammar/test_vocabulary.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rival::text;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\0');
  const auto compiled = Grammar::gbnf(grammar::test_vocabulary(), input.substr(0, end));
  if (!compiled.ok()) return 0;
  GrammarState state(*compiled);
  std::vector<uint32_t> mask(grammar::test_vocabulary()->mask_words());
  state.mask(mask);
  if (end != input.npos) state.accept_bytes(input.substr(end + 1));
  state.mask(mask);
  return 0;
}
