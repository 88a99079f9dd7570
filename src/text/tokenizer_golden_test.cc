// Small tokenizers that use every component of tokenizer.json between them, against what the tokenizers
// library made of a list of texts (tools/golden_tokenizers.py).
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

namespace rival::text {
namespace {

std::vector<TokenId> ids_in(const json::value& list) {
  std::vector<TokenId> ids;
  for (const json::value& id : list.as_array()) ids.push_back(static_cast<TokenId>(id.as_int64()));
  return ids;
}

std::string text_in(const json::value& value) { return std::string(value.as_string()); }

std::string streamed(const Tokenizer& tokenizer, std::span<const TokenId> ids, DecodeOptions options) {
  StreamDecoder stream(tokenizer, options);
  std::string text;
  for (const TokenId id : ids) text += stream.push(id);
  return text + stream.flush();
}

void check_text(const Tokenizer& tokenizer, const json::object& row) {
  const std::string text = text_in(row.at("text"));
  const std::vector<TokenId> ids = ids_in(row.at("ids"));
  const auto with_special = tokenizer.encode(text);
  ASSERT_TRUE(with_special.ok()) << with_special.error().message;
  EXPECT_EQ(*with_special, ids) << text;
  const auto plain = tokenizer.encode(text, {.add_special = false});
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  EXPECT_EQ(*plain, ids_in(row.contains("plain") ? row.at("plain") : row.at("ids"))) << text;
  EXPECT_EQ(streamed(tokenizer, ids, {.skip_special = true}), text_in(row.at("decoded"))) << text;
  EXPECT_EQ(replace_invalid_utf8(tokenizer.decode(ids, {.skip_special = true})), text_in(row.at("decoded")))
      << text;
}

// The same tokenizer as a GGUF file describes it: tokens by id, merges, the name of the pre-tokeniser.
Vocabulary as_vocabulary(const json::object& golden, std::string_view pre) {
  const json::object& model = golden.at("tokenizer").at("model").as_object();
  Vocabulary vocabulary;
  vocabulary.pre = pre;
  size_t count = model.at("vocab").as_object().size();
  for (const json::value& added : golden.at("tokenizer").at("added_tokens").as_array())
    count = std::max(count, static_cast<size_t>(added.at("id").as_int64()) + 1);
  vocabulary.tokens.resize(count);
  vocabulary.types.assign(count, TokenType::kNormal);
  for (const auto& [text, id] : model.at("vocab").as_object())
    vocabulary.tokens[static_cast<size_t>(id.as_int64())] = text;
  for (const json::value& added : golden.at("tokenizer").at("added_tokens").as_array()) {
    const auto id = static_cast<size_t>(added.at("id").as_int64());
    vocabulary.tokens[id] = added.at("content").as_string();
    vocabulary.types[id] = added.at("special").as_bool() ? TokenType::kControl : TokenType::kUserDefined;
  }
  size_t bytes = 64;
  for (const json::value& merge : model.at("merges").as_array())
    bytes += merge.at(0).as_string().size() + merge.at(1).as_string().size() + 1;
  vocabulary.storage.reserve(bytes);
  for (const json::value& merge : model.at("merges").as_array()) {
    const size_t at = vocabulary.storage.size();
    vocabulary.storage.append(merge.at(0).as_string()).append(" ").append(merge.at(1).as_string());
    vocabulary.merges.push_back(std::string_view(vocabulary.storage).substr(at));
  }
  return vocabulary;
}

// GGUF's name for a golden tokenizer, empty where it has none.
std::string_view gguf_name(std::string_view golden) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"gpt2", "gpt-2"}, {"smollm", "smollm"}, {"llama3", "llama-bpe"},     {"o200k", "gpt-4o"},
      {"qwen", "qwen2"}, {"kimi", "kimi-k2"},  {"deepseek", "deepseek-v3"}, {"superbpe", "superbpe"},
  };
  for (const auto& [name, gguf] : kNames)
    if (name == golden) return gguf;
  return {};
}

class TokenizerGolden : public testing::TestWithParam<std::string> {};

TEST_P(TokenizerGolden, EqualsTheTokenizersLibrary) {
  const auto file =
      read_file(std::filesystem::path(RIVAL_SOURCE_DIR) / "src/text/golden" / GetParam(), 1u << 20);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto document = parse_json(*file);
  ASSERT_TRUE(document.ok()) << document.error().message;
  for (const json::value& entry : document->as_array()) {
    const json::object& golden = entry.as_object();
    SCOPED_TRACE(text_in(golden.at("name")));
    const auto tokenizer = Tokenizer::from_json(to_json_text(golden.at("tokenizer")));
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    for (const json::value& item : golden.at("cases").as_array()) {
      const json::object& row = item.as_object();
      if (row.contains("text")) {
        check_text(*tokenizer, row);
      } else {
        EXPECT_EQ(streamed(*tokenizer, ids_in(row.at("random")), {}), text_in(row.at("decoded")));
      }
    }
  }
}

TEST_P(TokenizerGolden, AsAGgufVocabularyToo) {
  const auto file =
      read_file(std::filesystem::path(RIVAL_SOURCE_DIR) / "src/text/golden" / GetParam(), 1u << 20);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto document = parse_json(*file);
  ASSERT_TRUE(document.ok()) << document.error().message;
  for (const json::value& entry : document->as_array()) {
    const json::object& golden = entry.as_object();
    const std::string_view pre = gguf_name(golden.at("name").as_string());
    if (pre.empty()) continue;
    SCOPED_TRACE(pre);
    const auto tokenizer = Tokenizer::create(as_vocabulary(golden, pre));
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    for (const json::value& item : golden.at("cases").as_array()) {
      const json::object& row = item.as_object();
      if (!row.contains("text")) continue;
      const auto ids = tokenizer->encode(text_in(row.at("text")), {.add_special = false});
      ASSERT_TRUE(ids.ok()) << ids.error().message;
      EXPECT_EQ(*ids, ids_in(row.contains("plain") ? row.at("plain") : row.at("ids")))
          << text_in(row.at("text"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, TokenizerGolden,
                         testing::Values("tokenizers_bpe_a.json", "tokenizers_bpe_b.json",
                                         "tokenizers_bpe_c.json", "tokenizers_bpe_d.json",
                                         "tokenizers_other.json"));

}  // namespace
}  // namespace rival::text
