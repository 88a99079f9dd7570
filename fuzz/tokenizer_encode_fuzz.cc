// Any bytes through tokenizers of every pre-tokeniser, and through vocabularies that the bytes themselves
// describe: ids are in range, byte-level text comes back as it was, streaming and whole decoding agree.
#include <cstddef>
#include <cstdint>
#include <map>

#include "base/check.h"
#include "text/pre_tokenizer_names.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

namespace rival::text {
namespace {

// The letters of the byte alphabet, some words of them, and a control and a user-defined token.
Vocabulary letters_and_words() {
  std::vector<std::string> texts;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    append_utf8(texts.emplace_back(), printable ? byte : next++);
  }
  for (const char* word : {"aa", "aaaa", "ab", "abab",
                           "\xC4\xA0"
                           "a",
                           "\xC4\xA0\xC4\xA0", "<c>", "  "})
    texts.push_back(word);
  Vocabulary vocabulary;
  size_t bytes = 64;
  for (const std::string& text : texts) bytes += text.size();
  vocabulary.storage.reserve(bytes);
  for (const std::string& text : texts) {
    const size_t at = vocabulary.storage.size();
    vocabulary.storage += text;
    vocabulary.tokens.push_back(std::string_view(vocabulary.storage).substr(at));
  }
  vocabulary.types.assign(texts.size(), TokenType::kNormal);
  vocabulary.types[262] = TokenType::kControl;
  vocabulary.types[263] = TokenType::kUserDefined;
  vocabulary.merges = {"a a", "aa aa", "a b", "ab ab", "\xC4\xA0 a", "\xC4\xA0 \xC4\xA0"};
  return vocabulary;
}

const Tokenizer& tokenizer_of(const PreTokenizerRow& row) {
  static std::map<std::string_view, Tokenizer> known;
  if (const auto at = known.find(row.name); at != known.end()) return at->second;
  Vocabulary vocabulary = letters_and_words();
  vocabulary.pre = row.name;
  auto tokenizer = Tokenizer::create(std::move(vocabulary));
  RIVAL_CHECK(tokenizer.ok(), "{}", tokenizer.error().message);
  return known.emplace(row.name, std::move(tokenizer).value()).first->second;
}

void check(const Tokenizer& tokenizer, std::string_view text, bool comes_back) {
  const auto ids = tokenizer.encode(text, {.add_special = false});
  if (!ids.ok()) return;
  StreamDecoder stream(tokenizer, {});
  std::string streamed;
  for (const TokenId id : *ids) {
    RIVAL_CHECK(id >= 0 && static_cast<size_t>(id) < tokenizer.size());
    streamed += stream.push(id);
  }
  streamed += stream.flush();
  const std::string decoded = tokenizer.decode(*ids);
  RIVAL_CHECK(streamed == replace_invalid_utf8(decoded));
  RIVAL_CHECK(is_valid_utf8(streamed));
  RIVAL_CHECK(!comes_back || decoded == text);
}

// Tokens of a length and a type that each of the first bytes gives, spelled by the bytes behind; the rest is
// text.
void check_described(std::string_view bytes) {
  Vocabulary vocabulary;
  vocabulary.kind = static_cast<VocabularyKind>(bytes[0] & 3);
  set_defaults(vocabulary);
  vocabulary.add_bos = vocabulary.add_eos = false;
  vocabulary.add_space_prefix = bytes[0] & 4;
  vocabulary.remove_extra_whitespaces = bytes[0] & 8;
  if (bytes[0] & 16) vocabulary.pre = "gemma4";
  if (bytes[0] & 32) vocabulary.precompiled_charsmap = bytes.substr(1, 64);
  size_t at = 1;
  while (at < bytes.size() && vocabulary.tokens.size() < 64 && bytes[at] != 0) {
    const size_t length = static_cast<unsigned char>(bytes[at]) & 15;
    vocabulary.types.push_back(static_cast<TokenType>(1 + (static_cast<unsigned char>(bytes[at]) >> 5) % 6));
    vocabulary.scores.push_back(static_cast<float>(bytes[at]));
    vocabulary.tokens.push_back(bytes.substr(std::min(bytes.size(), at + 1), length));
    at += 1 + length;
  }
  vocabulary.cls = vocabulary.separator = 0;
  if (bytes[0] & 64) vocabulary.scores.resize(vocabulary.scores.size() / 2);
  const auto tokenizer = Tokenizer::create(std::move(vocabulary));
  if (tokenizer.ok()) check(*tokenizer, bytes.substr(std::min(at, bytes.size())), false);
}

}  // namespace
}  // namespace rival::text

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rival::text;
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (data[0] >= 128) {
    check_described(bytes.substr(1));
    return 0;
  }
  const auto rows = all_pre_tokenizers();
  const PreTokenizerRow& row = rows[data[0] % rows.size()];
  check(tokenizer_of(row), bytes.substr(1), row.letters && !row.nfc);
  return 0;
}
