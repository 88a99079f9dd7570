#include "engine/dry_breakers.h"

#include <algorithm>

namespace rival::engine {

std::vector<std::string> default_dry_breakers() { return {"\n", ":", "\"", "*"}; }

std::vector<text::TokenId> dry_breaker_tokens(const text::Tokenizer& tokenizer, std::span<const std::string> texts) {
  std::vector<text::TokenId> ids;
  for (text::TokenId id = 0; id < static_cast<text::TokenId>(tokenizer.size()); ++id) {
    const std::string bytes = tokenizer.token_bytes(id);
    const bool breaks = std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
      return !text.empty() && bytes.find(text) != std::string::npos;
    });
    if (breaks) ids.push_back(id);
  }
  return ids;
}

}  // namespace rival::engine
