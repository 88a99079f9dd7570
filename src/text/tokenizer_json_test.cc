// What tokenizer.json may say wrongly, each with its message.
#include <gtest/gtest.h>

#include "text/tokenizer.h"

namespace rival::text {
namespace {

std::string message_of(std::string_view json, std::string_view config = {}) {
  const auto tokenizer = Tokenizer::from_json(json, config);
  return tokenizer.ok() ? "no error" : tokenizer.error().message;
}

std::string with_model(std::string_view model, std::string_view rest = "") {
  return fmt::format(R"({{"model": {}{}}})", model, rest);
}

constexpr std::string_view kWords =
    R"({"type": "WordLevel", "vocab": {"a": 0, "b": 1, "<unk>": 2}, "unk_token": "<unk>"})";

TEST(TokenizerJson, BrokenFilesAreNamed) {
  EXPECT_EQ(message_of("[]"), "tokenizer.json is a list, expected an object");
  EXPECT_EQ(message_of("{}"), "tokenizer.json has no model");
  EXPECT_EQ(message_of(with_model("3")), "model is a number, expected an object");
  EXPECT_EQ(message_of(with_model(R"({"type": "Magic"})")), "model: model 'Magic' is not known");
  EXPECT_EQ(message_of(with_model(R"({"type": "BPE"})")), "model.vocab is missing, expected an object");
  EXPECT_EQ(message_of(with_model(R"({"type": "BPE", "vocab": {"a": -1}, "merges": []})")),
            "model.vocab['a'] is no token id below 4194304");
  EXPECT_EQ(message_of(with_model(R"({"type": "BPE", "vocab": {"a": 4294967297}, "merges": []})")),
            "model.vocab['a'] is no token id below 4194304");
  EXPECT_EQ(message_of(with_model(R"({"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []})")),
            "model.vocab gives id 0 to both 'a' and 'b'");
  EXPECT_EQ(message_of(with_model(R"({"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]})")),
            "model.merges[0] is 'a', expected two parts with a space between");
  EXPECT_EQ(message_of(with_model(R"({"type": "BPE", "vocab": {"a": 0}, "merges": [["a", 3]]})")),
            "model.merges[0] is a list, expected a pair of texts");
  EXPECT_EQ(message_of(with_model(R"({"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]})")),
            "merge 0 ('a' and 'b') names a token that is not in the vocabulary");
  EXPECT_EQ(message_of(with_model(R"({"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.1})")),
            "model.dropout is 0.1: tokenising would be random");
  EXPECT_EQ(message_of(with_model(R"({"type": "Unigram", "vocab": [["a", -1.0]], "unk_id": 1})")),
            "model.unk_id is 1, expected 0 to 0");
  EXPECT_EQ(message_of(with_model(R"({"type": "Unigram", "vocab": [["a"]]})")),
            "model.vocab[0] is a list, expected a token and its score");
  EXPECT_EQ(message_of(with_model(R"({"type": "WordLevel", "vocab": {}})")), "tokenizer.json has no tokens");
}

TEST(TokenizerJson, UnknownComponentsAreNamed) {
  const auto rest = [](std::string_view text) { return message_of(with_model(kWords, text)); };
  EXPECT_EQ(
      rest(R"(, "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Magic"}]})"),
      "normalizer.normalizers[1]: normaliser 'Magic' is not known");
  EXPECT_EQ(rest(R"(, "pre_tokenizer": {"type": "UnicodeScripts"})"),
            "pre_tokenizer: pre-tokeniser 'UnicodeScripts' is not known");
  EXPECT_EQ(
      rest(
          R"(, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": false})"),
      "pre_tokenizer.pattern: pattern '(' cannot be used: missing closing parenthesis");
  EXPECT_EQ(
      rest(R"(, "pre_tokenizer": {"type": "Split", "pattern": {"String": "x"}, "behavior": "Sideways"})"),
      "pre_tokenizer: split behaviour 'Sideways' is not known");
  EXPECT_EQ(rest(R"(, "decoder": {"type": "Magic"})"), "decoder: decoder 'Magic' is not known");
  EXPECT_EQ(rest(R"(, "post_processor": {"type": "BertProcessing", "sep": ["b", 70], "cls": ["a", 0]})"),
            "post_processor adds token 70, the vocabulary has 3");
  EXPECT_EQ(rest(R"(, "post_processor": {"type": "BertProcessing", "sep": ["b", -7], "cls": ["a", 0]})"),
            "post_processor.sep[1] is out of range, expected a token id");
  EXPECT_EQ(rest(R"(, "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA////"})"),
            "precompiled_charsmap of 6 bytes cannot hold a trie of 4278190080 bytes");
  EXPECT_EQ(rest(R"(, "pre_tokenizer": {"type": "FixedLength", "length": 0})"),
            "pre_tokenizer.length is 0, expected at least 1");
  std::string deep = R"({"type": "NFC"})";
  for (int i = 0; i < 30; ++i) deep = fmt::format(R"({{"type": "Sequence", "normalizers": [{}]}})", deep);
  EXPECT_NE(rest(", \"normalizer\": " + deep).find("sequences nest deeper than 16"), std::string::npos);
}

TEST(TokenizerJson, TheConfigurationNamesTokensAndAddsSome) {
  constexpr std::string_view kConfig =
      R"({"tokenizer_class": "LlamaTokenizerFast", "bos_token": {"content": "<s>"}, "eos_token": "b",
      "add_bos_token": true, "added_tokens_decoder": {"3": {"content": "<s>", "special": true}}})";
  const auto tokenizer = Tokenizer::from_json(with_model(kWords), kConfig);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->vocabulary().bos, 3);
  EXPECT_EQ(tokenizer->vocabulary().eos, 1);
  EXPECT_EQ(*tokenizer->encode("a"), (std::vector<TokenId>{3, 0}));
  EXPECT_EQ(*tokenizer->encode("<s>a", {.add_special = false}), (std::vector<TokenId>{3, 0}));
  EXPECT_EQ(tokenizer->find_token("<s>"), 3);
  EXPECT_TRUE(tokenizer->is_control(3));
  EXPECT_EQ(message_of(with_model(kWords), "[]"), "tokenizer_config.json is a list, expected an object");
}

TEST(TokenizerJson, AWordWithoutUnknownTokenIsAnError) {
  const auto tokenizer =
      Tokenizer::from_json(with_model(R"({"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "<unk>"})"));
  ASSERT_TRUE(tokenizer.ok());
  const auto ids = tokenizer->encode("zz");
  ASSERT_FALSE(ids.ok());
  EXPECT_EQ(ids.error().message, "'zz' is in no token, and the vocabulary names no unknown token");
}

}  // namespace
}  // namespace rival::text
