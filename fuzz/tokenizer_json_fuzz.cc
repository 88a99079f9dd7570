// Any bytes as a tokenizer.json: refused, or a tokenizer whose ids are all its own.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rival;
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = text::Tokenizer::from_json(json);
  if (!tokenizer.ok()) {
    RIVAL_CHECK(!tokenizer.error().message.empty());
    return 0;
  }
  for (const std::string_view text :
       {"", "Hello  world's 1234\n", "\xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x98\x80 e\xCC\x81",
        "\xFF\x80 a\xC3"}) {
    const auto ids = tokenizer->encode(text);
    if (!ids.ok()) continue;
    for (const text::TokenId id : *ids) RIVAL_CHECK(id >= 0 && static_cast<size_t>(id) < tokenizer->size());
    (void)tokenizer->decode(*ids, {.skip_special = true});
    for (const text::TokenId id : *ids) (void)tokenizer->token_bytes(id);
  }
  return 0;
}
