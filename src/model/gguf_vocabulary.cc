#include "model/gguf_vocabulary.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace rival::model {
namespace {

using text::TokenId;
using text::TokenType;
using text::Vocabulary;
using text::VocabularyKind;

// What a kind of vocabulary means where its file says nothing.
struct KindDefaults {
  std::string_view name;
  VocabularyKind kind;
  int bos, eos, unknown, separator, padding, mask;  // -1: none
};

constexpr KindDefaults kKinds[] = {
    {"llama", VocabularyKind::kSentencePiece, 1, 2, 0, -1, -1, -1},
    {"gpt2", VocabularyKind::kBpe, 11, 11, -1, -1, -1, -1},
    {"bert", VocabularyKind::kWordPiece, 101, -1, 100, 102, 0, 103},
    {"gemma4", VocabularyKind::kBpe, 2, 1, 3, -1, 0, -1},
    {"t5", VocabularyKind::kUnigram, -1, 1, 2, -1, 0, -1},
};

constexpr std::string_view kEndOfTurn[] = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>",         "<|endoftext|>",     "<|end_of_text|>",
    "<EOT>",      "_<EOT>",     "[EOT]",   "<｜end▁of▁sentence｜>", "<end_of_utterance>"};
constexpr std::string_view kEndOfGeneration[] = {"<|eot_id|>",
                                                 "<|im_end|>",
                                                 "<|end|>",
                                                 "<|return|>",
                                                 "<|call|>",
                                                 "<|flush|>",
                                                 "<|calls|>",
                                                 "<end_of_turn>",
                                                 "<|endoftext|>",
                                                 "<|eom_id|>",
                                                 "<EOT>",
                                                 "_<EOT>",
                                                 "[EOT]",
                                                 "[EOS]",
                                                 "<|end_of_text|>",
                                                 "<end_of_utterance>",
                                                 "<eos>",
                                                 "<turn|>",
                                                 "</s>",
                                                 "<|tool_response>",
                                                 "<｜end▁of▁sentence｜>",
                                                 "[e~["};

template <typename List, typename Item>
bool contains(const List& list, const Item& item) {
  return std::ranges::find(list, item) != std::end(list);
}

Result<const KindDefaults*> find_kind(std::string_view name) {
  for (const KindDefaults& row : kKinds)
    if (row.name == name) return &row;
  return make_error(ErrorCode::kUnsupported,
                    "tokenizer.ggml.model is {}; known are llama, gpt2, bert, t5 and gemma4",
                    format::quote_name(name));
}

Status read_tokens(const format::Metadata& metadata, Vocabulary& vocabulary) {
  RIVAL_ASSIGN_OR_RETURN(vocabulary.tokens, metadata.get_strings("tokenizer.ggml.tokens"));
  const size_t count = vocabulary.tokens.size();
  if (count == 0 || count > limits::kVocabularyMax)
    return make_error(ErrorCode::kLimit, "tokenizer.ggml.tokens has {} items, expected 1 to {}", count,
                      limits::kVocabularyMax);
  for (size_t id = 0; id < count; ++id)
    if (vocabulary.tokens[id].size() > limits::kTokenBytesMax)
      return make_error(ErrorCode::kLimit, "token {} has {} bytes, expected at most {}", id,
                        vocabulary.tokens[id].size(), limits::kTokenBytesMax);
  return {};
}

Status check_length(std::string_view key, size_t found, size_t expected) {
  if (found == expected) return {};
  return make_error(ErrorCode::kCorrupt, "{} has {} items, expected {} as tokenizer.ggml.tokens has", key,
                    found, expected);
}

Status read_scores_and_types(const format::Metadata& metadata, Vocabulary& vocabulary) {
  const size_t count = vocabulary.tokens.size();
  if (metadata.contains("tokenizer.ggml.scores")) {
    RIVAL_ASSIGN_OR_RETURN(vocabulary.scores, metadata.get_f32s("tokenizer.ggml.scores"));
    RIVAL_RETURN_IF_ERROR(check_length("tokenizer.ggml.scores", vocabulary.scores.size(), count));
  }
  if (!metadata.contains("tokenizer.ggml.token_type")) return {};
  RIVAL_ASSIGN_OR_RETURN(const auto types, metadata.get_i32s("tokenizer.ggml.token_type"));
  RIVAL_RETURN_IF_ERROR(check_length("tokenizer.ggml.token_type", types.size(), count));
  vocabulary.types.reserve(count);
  for (size_t id = 0; id < count; ++id) {
    if (types[id] < 0 || types[id] > static_cast<int32_t>(TokenType::kByte))
      return make_error(ErrorCode::kCorrupt, "tokenizer.ggml.token_type is {} for token {}, expected 1 to 6",
                        types[id], id);
    vocabulary.types.push_back(types[id] == 0 ? TokenType::kNormal : static_cast<TokenType>(types[id]));
  }
  return {};
}

// The id under `key`; `fallback` (-1: none) if the key is missing and the vocabulary is that large. A stored
// -1 means none.
Status read_id(const format::Metadata& metadata, std::string_view key, int fallback, size_t count,
               std::optional<TokenId>& out) {
  if (!metadata.contains(key)) {
    if (fallback >= 0 && static_cast<size_t>(fallback) < count) out = fallback;
    return {};
  }
  RIVAL_ASSIGN_OR_RETURN(const int64_t id, metadata.get_i64(key));
  out.reset();
  if (id == -1 || id == UINT32_MAX) return {};
  if (id < 0 || id >= static_cast<int64_t>(count))
    return make_error(ErrorCode::kCorrupt, "{} is {}, expected an id from 0 to {}", key, id, count - 1);
  out = static_cast<TokenId>(id);
  return {};
}

Status read_special_ids(const format::Metadata& metadata, const KindDefaults& defaults, Vocabulary& v) {
  struct Row {
    std::string_view key;
    int fallback;
    std::optional<TokenId>& out;
  };
  const Row rows[] = {
      {"tokenizer.ggml.bos_token_id", defaults.bos, v.bos},
      {"tokenizer.ggml.eos_token_id", defaults.eos, v.eos},
      {"tokenizer.ggml.eot_token_id", -1, v.eot},
      {"tokenizer.ggml.eom_token_id", -1, v.eom},
      {"tokenizer.ggml.unknown_token_id", defaults.unknown, v.unknown},
      {"tokenizer.ggml.seperator_token_id", defaults.separator, v.separator},  // spelled so in the format
      {"tokenizer.ggml.padding_token_id", defaults.padding, v.padding},
      {"tokenizer.ggml.mask_token_id", defaults.mask, v.mask},
      {"tokenizer.ggml.cls_token_id", -1, v.cls},
      {"tokenizer.ggml.fim_pre_token_id", -1, v.fim_prefix},
      {"tokenizer.ggml.fim_suf_token_id", -1, v.fim_suffix},
      {"tokenizer.ggml.fim_mid_token_id", -1, v.fim_middle},
  };
  for (const Row& row : rows)
    RIVAL_RETURN_IF_ERROR(read_id(metadata, row.key, row.fallback, v.tokens.size(), row.out));
  if (v.kind == VocabularyKind::kWordPiece && !v.cls) v.cls = v.bos;
  return {};
}

Status read_normalizer(const format::Metadata& metadata, Vocabulary& v) {
  RIVAL_ASSIGN_OR_RETURN(v.lowercase, metadata.get_bool_or("tokenizer.ggml.normalizer.lowercase", true));
  if (metadata.contains("tokenizer.ggml.normalizer.strip_accents")) {
    RIVAL_ASSIGN_OR_RETURN(v.strip_accents, metadata.get_bool("tokenizer.ggml.normalizer.strip_accents"));
  }
  const format::MetadataEntry* charsmap = metadata.find("tokenizer.ggml.precompiled_charsmap");
  if (charsmap == nullptr) return {};
  if (charsmap->type != format::MetadataType::kArray || charsmap->bytes.size() != charsmap->count)
    return make_error(ErrorCode::kCorrupt,
                      "tokenizer.ggml.precompiled_charsmap is {}, expected an array of bytes",
                      charsmap->type_name());
  v.precompiled_charsmap = {reinterpret_cast<const char*>(charsmap->bytes.data()), charsmap->bytes.size()};
  return {};
}

// Special tokens of Phi-3 take the space behind them, but for the three that it shares with Llama. GGUF does
// not say it; llama.cpp knows it by the name.
void find_stripping_tokens(const format::Metadata& metadata, Vocabulary& v) {
  const auto architecture = metadata.get_string_or("general.architecture", "");
  if (v.kind != VocabularyKind::kSentencePiece || !architecture.ok() || *architecture != "phi3") return;
  for (size_t id = 0; id < v.types.size(); ++id) {
    const bool special = v.types[id] == TokenType::kControl || v.types[id] == TokenType::kUserDefined;
    const std::string_view text = v.tokens[id];
    const bool plain = text == "<unk>" || text == "<s>" || text == "<|endoftext|>";
    if ((special || text == "</s>") && !plain) v.strips_right.push_back(static_cast<TokenId>(id));
  }
}

Status read_switches(const format::Metadata& metadata, Vocabulary& v) {
  text::set_defaults(v);
  RIVAL_ASSIGN_OR_RETURN(v.add_bos, metadata.get_bool_or("tokenizer.ggml.add_bos_token", v.add_bos));
  RIVAL_ASSIGN_OR_RETURN(v.add_eos, metadata.get_bool_or("tokenizer.ggml.add_eos_token", v.add_eos));
  RIVAL_ASSIGN_OR_RETURN(v.add_space_prefix,
                         metadata.get_bool_or("tokenizer.ggml.add_space_prefix", v.add_space_prefix));
  RIVAL_ASSIGN_OR_RETURN(v.remove_extra_whitespaces,
                         metadata.get_bool_or("tokenizer.ggml.remove_extra_whitespaces", false));
  return read_normalizer(metadata, v);
}

void add_end(Vocabulary& vocabulary, std::optional<TokenId> id) {
  if (id && !contains(vocabulary.end_of_generation, *id)) vocabulary.end_of_generation.push_back(*id);
}

}  // namespace

void find_end_tokens(Vocabulary& vocabulary) {
  bool has_return = false, has_call = false;
  std::optional<TokenId> end;
  for (size_t index = 0; index < vocabulary.tokens.size(); ++index) {
    const std::string_view text = vocabulary.tokens[index];
    if (!contains(kEndOfGeneration, text)) continue;
    const auto id = static_cast<TokenId>(index);
    const bool normal = !vocabulary.types.empty() && vocabulary.types[index] == TokenType::kNormal;
    if (normal && !text.starts_with("<|")) continue;  // a plain word of this vocabulary
    if (normal) vocabulary.types[index] = TokenType::kControl;
    if (!vocabulary.eot && contains(kEndOfTurn, text)) vocabulary.eot = id;
    if (!vocabulary.eom && text == "<|eom_id|>") vocabulary.eom = id;
    has_return |= text == "<|return|>";
    has_call |= text == "<|call|>";
    if (text == "<|end|>") end = id;
    add_end(vocabulary, id);
  }
  add_end(vocabulary, vocabulary.eos);
  add_end(vocabulary, vocabulary.eot);
  add_end(vocabulary, vocabulary.eom);
  // In gpt-oss <|end|> closes one message of an answer; <|return|> and <|call|> end it.
  if (has_return && has_call && end) {
    std::erase(vocabulary.end_of_generation, *end);
    if (vocabulary.eot == end) vocabulary.eot.reset();
  }
}

Result<std::optional<Vocabulary>> gguf_vocabulary(const format::Metadata& metadata) {
  RIVAL_ASSIGN_OR_RETURN(const std::string_view name, metadata.get_string_or("tokenizer.ggml.model", "none"));
  if (name == "none" || name == "no_vocab") return std::optional<Vocabulary>();
  RIVAL_ASSIGN_OR_RETURN(const KindDefaults* defaults, find_kind(name));
  Vocabulary vocabulary;
  vocabulary.kind = defaults->kind;
  RIVAL_ASSIGN_OR_RETURN(const std::string_view pre, metadata.get_string_or("tokenizer.ggml.pre", "default"));
  vocabulary.pre = pre;
  RIVAL_RETURN_IF_ERROR(read_tokens(metadata, vocabulary));
  RIVAL_RETURN_IF_ERROR(read_scores_and_types(metadata, vocabulary));
  if (name == "gemma4") vocabulary.pre = "gemma4";
  if (vocabulary.kind == VocabularyKind::kBpe && metadata.contains("tokenizer.ggml.merges")) {
    RIVAL_ASSIGN_OR_RETURN(vocabulary.merges, metadata.get_strings("tokenizer.ggml.merges"));
  }
  RIVAL_RETURN_IF_ERROR(read_special_ids(metadata, *defaults, vocabulary));
  RIVAL_RETURN_IF_ERROR(read_switches(metadata, vocabulary));
  find_end_tokens(vocabulary);
  find_stripping_tokens(metadata, vocabulary);
  return std::optional<Vocabulary>(std::move(vocabulary));
}

Result<std::string> gguf_chat_template(const format::Metadata& metadata) {
  RIVAL_ASSIGN_OR_RETURN(const std::string_view text, metadata.get_string_or("tokenizer.chat_template", ""));
  if (text.size() > limits::kTemplateBytesMax)
    return make_error(ErrorCode::kLimit, "tokenizer.chat_template has {} bytes; at most {} are read", text.size(),
                      limits::kTemplateBytesMax);
  return std::string(text);
}

}  // namespace rival::model
