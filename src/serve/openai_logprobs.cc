#include "serve/openai_logprobs.h"

#include <algorithm>

#include "text/unicode.h"

namespace rival::serve {
namespace {

constexpr double kVeryUnlikely = -9999.0;  // OpenAI's number for what is beyond its alternatives

json::object entry(const text::Tokenizer& tokenizer, text::TokenId id, double logprob) {
  const std::string bytes = tokenizer.token_bytes(id);
  json::array numbers;
  for (unsigned char byte : bytes) numbers.push_back(byte);
  return {{"token", text::replace_invalid_utf8(bytes)}, {"logprob", std::max(logprob, kVeryUnlikely)}, {"bytes", std::move(numbers)}};
}

}  // namespace

json::object chat_logprobs(const text::Tokenizer& tokenizer, std::span<const engine::SampledToken> tokens) {
  json::array content;
  for (const engine::SampledToken& token : tokens) {
    json::object row = entry(tokenizer, token.id, token.logprob.value_or(kVeryUnlikely));
    json::array top;
    for (const engine::TokenProbability& other : token.top) top.push_back(entry(tokenizer, other.id, other.logprob));
    row["top_logprobs"] = std::move(top);
    content.push_back(std::move(row));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

json::object completion_logprobs(const text::Tokenizer& tokenizer, std::span<const engine::SampledToken> tokens, size_t& offset) {
  json::array texts, logprobs, tops, offsets;
  for (const engine::SampledToken& token : tokens) {
    const std::string text = text::replace_invalid_utf8(tokenizer.token_bytes(token.id));
    texts.emplace_back(text);
    logprobs.push_back(token.logprob ? json::value(std::max<double>(*token.logprob, kVeryUnlikely)) : json::value(nullptr));
    json::object top;
    for (const engine::TokenProbability& other : token.top)
      top[text::replace_invalid_utf8(tokenizer.token_bytes(other.id))] = std::max<double>(other.logprob, kVeryUnlikely);
    tops.push_back(token.logprob ? json::value(std::move(top)) : json::value(nullptr));
    offsets.push_back(offset);
    offset += text.size();
  }
  return {{"tokens", std::move(texts)}, {"token_logprobs", std::move(logprobs)}, {"top_logprobs", std::move(tops)}, {"text_offset", std::move(offsets)}};
}

json::object prompt_logprobs(const text::Tokenizer& tokenizer, std::span<const engine::SampledToken> tokens) {
  size_t offset = 0;
  json::object out = completion_logprobs(tokenizer, tokens, offset);
  // Control tokens have no text there, and some vocabularies drop a space at the beginning.
  text::StreamDecoder decoder(tokenizer, {.skip_special = true, .inside = false});
  json::array offsets;
  offset = 0;
  for (const engine::SampledToken& token : tokens) {
    offsets.push_back(offset);
    offset += decoder.push(token.id).size();
  }
  out["text_offset"] = std::move(offsets);
  return out;
}

}  // namespace rival::serve
