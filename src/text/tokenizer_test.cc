#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include "text/pre_tokenizer_names.h"
#include "text/unicode.h"

namespace rival::text {
namespace {

// A vocabulary of the 256 letters of the byte alphabet and a few merges, by GGUF's rules.
Vocabulary small_bpe() {
  Vocabulary v;
  v.pre = "gpt-2";
  v.storage.reserve(4096);
  std::vector<std::pair<size_t, size_t>> places;
  const auto add = [&](std::string_view text) {
    places.emplace_back(v.storage.size(), text.size());
    v.storage += text;
  };
  for (int byte = 0; byte < 256; ++byte) {
    std::string letter;
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    static int next = 0x100;
    if (byte == 0) next = 0x100;
    append_utf8(letter, static_cast<char32_t>(printable ? byte : next++));
    add(letter);
  }
  for (const char* token : {"he", "ll", "hell", "hello", "\xC4\xA0h", "<|end|>", "    "}) add(token);
  for (const auto& [at, size] : places) v.tokens.push_back(std::string_view(v.storage).substr(at, size));
  v.types.assign(v.tokens.size(), TokenType::kNormal);
  v.types[261] = TokenType::kControl;
  v.types[262] = TokenType::kUserDefined;
  v.merges = {"h e", "l l", "he ll", "hell o"};
  return v;
}

std::vector<TokenId> ids_of(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options = {}) {
  auto ids = tokenizer.encode(text, options);
  EXPECT_TRUE(ids.ok()) << ids.error().message;
  return std::move(ids).value();
}

TEST(Tokenizer, MergesByRankAndFindsAddedTokens) {
  const auto tokenizer = Tokenizer::create(small_bpe());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(ids_of(*tokenizer, "hello"), (std::vector<TokenId>{259}));
  EXPECT_EQ(ids_of(*tokenizer, "hell<|end|>o"), (std::vector<TokenId>{258, 261, 'o'}));
  EXPECT_EQ(ids_of(*tokenizer, "a    b"), (std::vector<TokenId>{'a', 262, 'b'}));
  EXPECT_EQ(ids_of(*tokenizer, ""), (std::vector<TokenId>{}));
}

TEST(Tokenizer, ControlTokensAreTextWhereTheyAreNotParsed) {
  const auto tokenizer = Tokenizer::create(small_bpe());
  const auto ids = ids_of(*tokenizer, "<|end|>", {.parse_special = false});
  EXPECT_EQ(ids.size(), 7u);
  EXPECT_EQ(tokenizer->decode(ids), "<|end|>");
  EXPECT_TRUE(tokenizer->is_control(261));
  EXPECT_FALSE(tokenizer->is_control(262));
  EXPECT_FALSE(tokenizer->is_control(-1));
  EXPECT_EQ(tokenizer->find_token("<|end|>"), 261);
  EXPECT_EQ(tokenizer->find_token("hello"), 259);
  EXPECT_EQ(tokenizer->find_token("absent"), std::nullopt);
}

TEST(Tokenizer, BytesComeBackAsTheyWere) {
  const auto tokenizer = Tokenizer::create(small_bpe());
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  for (const std::string& text :
       {every_byte, std::string("\xFFh\xC3llo\xF0\x9F\x98"), std::string("\xF4\x8F\xBE\x80 private \xFF"),
        std::string("\xF4\x8F\xBF\xBF"), std::string("\0\0a", 3)})
    EXPECT_EQ(tokenizer->decode(ids_of(*tokenizer, text)), text);
}

TEST(Tokenizer, StreamNeverCutsACharacter) {
  const auto tokenizer = Tokenizer::create(small_bpe());
  StreamDecoder stream(*tokenizer);
  EXPECT_EQ(stream.push(0xF0), "");
  EXPECT_EQ(stream.push(0x9F), "");
  EXPECT_EQ(stream.push(0x98), "");
  EXPECT_EQ(stream.push(0x80), "\xF0\x9F\x98\x80");
  EXPECT_EQ(stream.push(0xC3), "");
  EXPECT_EQ(stream.push('x'), "\xEF\xBF\xBDx");
  EXPECT_EQ(stream.push(0xE2), "");
  EXPECT_EQ(stream.push(261), "");  // control tokens add nothing
  EXPECT_EQ(stream.flush(), "\xEF\xBF\xBD");
  EXPECT_EQ(stream.flush(), "");
}

TEST(Tokenizer, EveryPreTokenizerOfTheTableCompiles) {
  for (const PreTokenizerRow& row : all_pre_tokenizers()) {
    const auto steps = steps_of(row);
    ASSERT_TRUE(steps.ok()) << row.name << ": " << steps.error().message;
    Pieces pieces{"I'm 12345 \xC3\xA9t\xC3\xA9s\n\n  x \xE4\xB8\xAD\xE6\x96\x87!?", {}, true, false};
    pieces.spans.push_back({0, static_cast<uint32_t>(pieces.text.size())});
    for (const PreTokenizerStep& step : *steps) ASSERT_TRUE(apply(step, pieces).ok()) << row.name;
    EXPECT_GT(pieces.spans.size(), 2u) << row.name;
  }
}

TEST(Tokenizer, ContradictionsAreNamed) {
  const auto message_of = [](Vocabulary v) {
    const auto tokenizer = Tokenizer::create(std::move(v));
    return tokenizer.ok() ? std::string("no error") : tokenizer.error().message;
  };
  const auto with = [](auto change) {
    Vocabulary v = small_bpe();
    change(v);
    return v;
  };
  EXPECT_EQ(message_of(Vocabulary{}), "vocabulary has no tokens");
  EXPECT_EQ(message_of(with([](auto& v) { v.types.pop_back(); })),
            "vocabulary has 263 tokens but 262 token types");
  EXPECT_EQ(message_of(with([](auto& v) { v.scores = {1}; })), "vocabulary has 263 tokens but 1 scores");
  EXPECT_EQ(message_of(with([](auto& v) { v.bos = 263; })), "bos token id is 263, expected 0 to 262");
  EXPECT_EQ(message_of(with([](auto& v) { v.eos = -1; })), "eos token id is -1, expected 0 to 262");
  EXPECT_EQ(message_of(with([](auto& v) { v.pre = "no-such"; })),
            "pre-tokeniser 'no-such' (tokenizer.ggml.pre) is not known");
  EXPECT_EQ(message_of(with([](auto& v) { v.merges.push_back("ab"); })),
            "merge 4 is 'ab', expected two parts with a space between");
  EXPECT_EQ(message_of(with([](auto& v) { v.add_bos = true; })),
            "a bos token is to be added, but the vocabulary of 263 tokens names none");
  EXPECT_EQ(message_of(with([](auto& v) { v.end_of_generation = {7, 1000}; })),
            "end-of-generation token id is 1000, expected 0 to 262");
}

Vocabulary small_sentence_piece() {
  Vocabulary v;
  v.kind = VocabularyKind::kSentencePiece;
  set_defaults(v);
  v.tokens = {"<unk>",
              "<s>",
              "</s>",
              "<0x0A>",
              "<0xC3>",
              "<0xA9>",
              "\xE2\x96\x81",
              "a",
              "b",
              "ab",
              "\xE2\x96\x81"
              "ab",
              "  "};
  v.scores = {0, 0, 0, 0, 0, 0, -9, -7, -8, -1, -2, -1000};
  v.types = {TokenType::kUnknown, TokenType::kControl, TokenType::kControl, TokenType::kByte,
             TokenType::kByte,    TokenType::kByte,    TokenType::kNormal,  TokenType::kNormal,
             TokenType::kNormal,  TokenType::kNormal,  TokenType::kNormal,  TokenType::kUserDefined};
  v.bos = 1;
  v.eos = 2;
  return v;
}

TEST(Tokenizer, SentencePieceMergesByScoreAndFallsBackToBytes) {
  const auto tokenizer = Tokenizer::create(small_sentence_piece());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(ids_of(*tokenizer, "ab ab"), (std::vector<TokenId>{1, 10, 10}));
  EXPECT_EQ(ids_of(*tokenizer, "\n", {.add_special = false}), (std::vector<TokenId>{6, 3}));
  EXPECT_EQ(ids_of(*tokenizer, "\xC3\xA9", {.add_special = false}), (std::vector<TokenId>{6, 4, 5}));
  EXPECT_EQ(ids_of(*tokenizer, "a  b", {.add_special = false}), (std::vector<TokenId>{6, 7, 11, 6, 8}));
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{10, 10, 4, 5}), "ab ab\xC3\xA9");
  EXPECT_EQ(tokenizer->token_bytes(10), " ab");
  // Text that is spelled like a control or byte token becomes neither.
  EXPECT_EQ(ids_of(*tokenizer, "<s>", {.add_special = false, .parse_special = false}),
            (std::vector<TokenId>{6, 0, 0, 0}));
}

TEST(Tokenizer, MalformedByteTokensAreErrors) {
  Vocabulary v = small_sentence_piece();
  v.tokens[3] = "<0x-1>";
  const auto tokenizer = Tokenizer::create(std::move(v));
  ASSERT_FALSE(tokenizer.ok());
  EXPECT_EQ(tokenizer.error().message, "byte token 3 is spelled '<0x-1>', expected <0x00> to <0xFF>");
}

TEST(Tokenizer, WithoutMergesLowerIdsMergeFirst) {
  Vocabulary v = small_bpe();
  v.merges.clear();
  const auto tokenizer = Tokenizer::create(std::move(v));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(ids_of(*tokenizer, "hello"), (std::vector<TokenId>{259}));
}

// A user-defined token of bytes that begin a character must not cut characters (or escaped bytes) of the text.
TEST(Tokenizer, AddedTokensNeverCutACharacter) {
  Vocabulary v = small_bpe();
  v.tokens[262] = "\xF4\x8F";
  const auto tokenizer = Tokenizer::create(std::move(v));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  for (const std::string_view text : {"\xF4\x8F\xBE\x80", "a\x9A ", "\xF4\x8F"})
    EXPECT_EQ(tokenizer->decode(ids_of(*tokenizer, text)), text);
}

// A megabyte of one letter, of spaces, of digits: time must stay near linear (this whole test runs in well
// under 10 s even under sanitizers; quadratic work would take hours).
TEST(Tokenizer, LongRunsTakeLinearTime) {
  for (const char* pre : {"gpt-2", "smollm", "llama-bpe", "qwen2", "gpt-4o", "deepseek-llm", "deepseek-v3",
                          "superbpe", "tiny_aya", "kimi-k2", "exaone-moe", "default", "bloom"}) {
    Vocabulary v = small_bpe();
    v.pre = pre;
    const auto tokenizer = Tokenizer::create(std::move(v));
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    for (const std::string_view unit : {"a", " ", "7", "A", "\n", "'", "\xE4\xB8\xAD", "a ", " \n"}) {
      std::string text;
      while (text.size() < 200'000) text += unit;
      text += "x";
      const auto ids = tokenizer->encode(text);
      ASSERT_TRUE(ids.ok()) << pre << " on '" << unit << "': " << ids.error().message;
      ASSERT_EQ(tokenizer->decode(*ids), text) << pre << " on '" << unit << "'";
    }
  }
}

}  // namespace
}  // namespace rival::text
