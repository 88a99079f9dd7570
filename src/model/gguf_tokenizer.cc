// set_tokenizer: tokenizer.json as the keys that GGUF has for tokenizers.
#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>

#include "base/limits.h"
#include "model/gguf_from_hf.h"
#include "model/hf_config.h"
#include "text/pre_tokenizer_names.h"
#include "text/vocabulary.h"

namespace rival::model {
namespace {

using text::TokenType;

constexpr std::string_view kSpace = "\xe2\x96\x81";  // U+2581, SentencePiece's space

struct Token {
  std::string text;
  TokenType type = TokenType::kUnused;
  float score = 0.0f;
};

Error unsupported(std::string_view what) {
  return make_error(ErrorCode::kUnsupported, "tokenizer.json: {}, which GGUF has no keys for", what);
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : "";
}

bool is_set(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// Calls visit(object) for a component and, if it is a sequence, for each inside of it.
template <typename Visit>
void visit_components(const json::value* value, const Visit& visit) {
  if (value == nullptr || !value->is_object()) return;
  const json::object& object = value->get_object();
  visit(object);
  for (const char* children : {"pretokenizers", "normalizers", "processors", "decoders"}) {
    const json::value* list = object.if_contains(children);
    if (list == nullptr || !list->is_array()) continue;
    for (const json::value& child : list->get_array()) visit_components(&child, visit);
  }
}

class TokenizerKeys {
 public:
  TokenizerKeys(const json::object& tokenizer, uint64_t vocabulary_size, format::MetadataBuilder& metadata)
      : tokenizer_(tokenizer), vocabulary_size_(vocabulary_size), metadata_(metadata) {}

  Status run(const json::object& config, const json::object& generation);

 private:
  Status read_model();
  Status read_vocabulary(const json::object& vocabulary);
  Status read_added_tokens();
  Status set_token(const json::value& id, std::string_view text, TokenType type);
  Status read_merges(const json::value* merges);
  void set_kind();
  void set_scores();
  Status set_pre_tokenizer();
  void spell_word_pieces();
  void set_tokens();
  void set_added_ends(const json::object& config);
  void set_special_ids(const json::object& config, const json::object& generation);
  const json::value* part(std::string_view key) const { return tokenizer_.if_contains(key); }
  bool has_component(std::string_view part_name, std::string_view type) const;

  const json::object& tokenizer_;
  uint64_t vocabulary_size_;
  format::MetadataBuilder& metadata_;
  const json::object* model_ = nullptr;
  std::string kind_;  // GGUF's name
  std::vector<Token> tokens_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<std::string> merges_;
};

bool TokenizerKeys::has_component(std::string_view part_name, std::string_view type) const {
  bool found = false;
  visit_components(part(part_name),
                   [&](const json::object& object) { found |= text_of(object, "type") == type; });
  return found;
}

Status TokenizerKeys::set_token(const json::value& id, std::string_view text, TokenType type) {
  if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() >= limits::kVocabularyMax)
    return make_error(ErrorCode::kCorrupt, "tokenizer.json: the id of token {} is no number from 0 to {}",
                      format::quote_name(text), limits::kVocabularyMax - 1);
  const auto index = static_cast<size_t>(id.get_int64());
  if (tokens_.size() <= index) tokens_.resize(index + 1);
  tokens_[index].text = text;
  tokens_[index].type = type;
  ids_[std::string(text)] = static_cast<uint32_t>(index);
  return {};
}

Status TokenizerKeys::read_vocabulary(const json::object& vocabulary) {
  const std::string_view unknown = text_of(*model_, "unk_token");
  for (const auto& [text, id] : vocabulary) {
    const bool byte = kind_ == "llama" && text.size() == 6 && text.starts_with("<0x") && text.ends_with(">");
    const TokenType type = text == unknown ? TokenType::kUnknown
                           : byte          ? TokenType::kByte
                                           : TokenType::kNormal;
    RIVAL_RETURN_IF_ERROR(set_token(id, text, type));
  }
  return {};
}

// Special tokens are control tokens, the other added ones user-defined; the unknown token stays that.
Status TokenizerKeys::read_added_tokens() {
  const json::value* list = part("added_tokens");
  if (list == nullptr || !list->is_array()) return {};
  for (const json::value& item : list->get_array()) {
    const json::object* token = item.if_object();
    const json::value* id = token ? token->if_contains("id") : nullptr;
    if (id == nullptr)
      return make_error(ErrorCode::kCorrupt, "tokenizer.json: an item of added_tokens has no id");
    const std::string_view text = text_of(*token, "content");
    const bool unknown = text == text_of(*model_, "unk_token") && kind_ == "llama";
    const TokenType type = unknown                     ? TokenType::kUnknown
                           : is_set(*token, "special") ? TokenType::kControl
                                                       : TokenType::kUserDefined;
    RIVAL_RETURN_IF_ERROR(set_token(*id, text, type));
  }
  return {};
}

// "left right", or [left, right] in newer files.
Status TokenizerKeys::read_merges(const json::value* merges) {
  if (merges == nullptr || !merges->is_array())
    return make_error(ErrorCode::kCorrupt, "tokenizer.json: model.merges is missing or no list");
  for (const json::value& merge : merges->get_array()) {
    if (merge.is_string()) {
      merges_.emplace_back(merge.get_string());
      continue;
    }
    const json::array* pair = merge.if_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string())
      return make_error(ErrorCode::kCorrupt, "tokenizer.json: item {} of model.merges is no pair of texts",
                        merges_.size());
    merges_.push_back(fmt::format("{} {}", std::string_view((*pair)[0].get_string()),
                                  std::string_view((*pair)[1].get_string())));
  }
  return {};
}

void TokenizerKeys::set_kind() {
  const std::string_view type = text_of(*model_, "type");
  if (type == "WordPiece") kind_ = "bert";
  const bool bpe = type == "BPE" || (type.empty() && model_->if_contains("merges") != nullptr);
  if (bpe) kind_ = has_component("pre_tokenizer", "ByteLevel") ? "gpt2" : "llama";
}

Status TokenizerKeys::read_model() {
  const json::value* model = part("model");
  model_ = model ? model->if_object() : nullptr;
  const json::value* vocabulary = model_ ? model_->if_contains("vocab") : nullptr;
  if (vocabulary == nullptr) return make_error(ErrorCode::kCorrupt, "tokenizer.json: model.vocab is missing");
  set_kind();
  if (kind_.empty() || !vocabulary->is_object())
    return unsupported(fmt::format("model.type is {}", format::quote_name(text_of(*model_, "type"))));
  RIVAL_RETURN_IF_ERROR(read_vocabulary(vocabulary->get_object()));
  RIVAL_RETURN_IF_ERROR(read_added_tokens());
  return kind_ == "bert" ? Status() : read_merges(model_->if_contains("merges"));
}

// SentencePiece merges the pair whose token has the best score; merges are tried in the order of their list.
void TokenizerKeys::set_scores() {
  for (size_t rank = 0; rank < merges_.size(); ++rank) {
    std::string merged = merges_[rank];
    const size_t space = merged.find(' ', 1);
    if (space != merged.npos) merged.erase(space, 1);
    const auto id = ids_.find(merged);
    if (id == ids_.end()) continue;
    Token& token = tokens_[id->second];
    if (token.score == 0.0f) token.score = -static_cast<float>(rank + 1);
  }
}

// The name of the row that cuts as tokenizer.json does.
Status TokenizerKeys::set_pre_tokenizer() {
  std::vector<std::string> splits;
  visit_components(part("pre_tokenizer"), [&](const json::object& object) {
    const std::string_view type = text_of(object, "type");
    const json::value* pattern = object.if_contains("pattern");
    if (type == "Split" && pattern != nullptr && pattern->is_object())
      splits.emplace_back(text_of(pattern->get_object(), "Regex"));
    if (type == "Digits") splits.emplace_back(is_set(object, "individual_digits") ? R"(\p{N})" : R"(\p{N}+)");
    const json::value* regex = object.if_contains("use_regex");
    if (type == "ByteLevel" && (regex == nullptr || is_set(object, "use_regex")))
      splits.emplace_back(text::kGpt2Pattern);
  });
  const bool ignore_merges = is_set(*model_, "ignore_merges"), nfc = has_component("normalizer", "NFC");
  const text::PreTokenizerRow* best = nullptr;
  for (const text::PreTokenizerRow& row : text::all_pre_tokenizers()) {
    if (row.name.empty() || !std::ranges::equal(row.splits, splits)) continue;
    const auto fits = [&](const text::PreTokenizerRow& r) {
      return (r.ignore_merges == ignore_merges) + (r.nfc == nfc);
    };
    if (best == nullptr || fits(row) > fits(*best)) best = &row;
  }
  if (best == nullptr) return unsupported("pre_tokenizer cuts by patterns that no known name stands for");
  metadata_.set_string("tokenizer.ggml.pre", best->name);
  return {};
}

// GGUF marks the starts of words where WordPiece marks the other pieces.
void TokenizerKeys::spell_word_pieces() {
  std::string prefix(text_of(*model_, "continuing_subword_prefix"));
  if (prefix.empty()) prefix = "##";
  for (Token& token : tokens_) {
    if (token.type == TokenType::kControl) continue;
    token.text =
        token.text.starts_with(prefix) ? token.text.substr(prefix.size()) : std::string(kSpace) + token.text;
  }
}

void TokenizerKeys::set_tokens() {
  if (tokens_.size() < vocabulary_size_) tokens_.resize(vocabulary_size_);
  std::vector<std::string_view> texts;
  std::vector<float> scores;
  std::vector<int32_t> types;
  for (size_t id = 0; id < tokens_.size(); ++id) {
    Token& token = tokens_[id];
    if (token.type == TokenType::kUnused) token.text = fmt::format("[PAD{}]", id);
    scores.push_back(token.score);
    types.push_back(static_cast<int32_t>(token.type));
  }
  for (const Token& token : tokens_) texts.push_back(token.text);
  metadata_.set_string("tokenizer.ggml.model", kind_);
  metadata_.set_strings("tokenizer.ggml.tokens", texts);
  if (kind_ == "llama") metadata_.set_f32s("tokenizer.ggml.scores", scores);
  metadata_.set_i32s("tokenizer.ggml.token_type", types);
  if (kind_ == "gpt2")
    metadata_.set_strings("tokenizer.ggml.merges",
                          std::vector<std::string_view>(merges_.begin(), merges_.end()));
}

// Which tokens a text gets around it: by the template of the post-processor, else by tokenizer_config.json.
void TokenizerKeys::set_added_ends(const json::object& config) {
  bool bos = is_set(config, "add_bos_token"), eos = is_set(config, "add_eos_token");
  visit_components(part("post_processor"), [&](const json::object& object) {
    const json::value* single = object.if_contains("single");
    if (single == nullptr || !single->is_array() || single->get_array().empty()) return;
    const auto special = [](const json::value& item) {
      return item.is_object() && item.get_object().if_contains("SpecialToken") != nullptr;
    };
    bos = special(single->get_array().front());
    eos = special(single->get_array().back());
  });
  if (kind_ == "bert") return;  // always both
  metadata_.set_bool("tokenizer.ggml.add_bos_token", bos);
  metadata_.set_bool("tokenizer.ggml.add_eos_token", eos);
  if (kind_ != "llama") return;
  bool prefix = has_component("normalizer", "Prepend");
  visit_components(part("pre_tokenizer"), [&](const json::object& object) {
    if (text_of(object, "type") != "Metaspace") return;
    const json::value* scheme = object.if_contains("prepend_scheme");
    prefix |=
        scheme != nullptr ? text_of(object, "prepend_scheme") != "never" : is_set(object, "add_prefix_space");
  });
  metadata_.set_bool("tokenizer.ggml.add_space_prefix", prefix);
}

void TokenizerKeys::set_special_ids(const json::object& config, const json::object& generation) {
  constexpr std::pair<std::string_view, std::string_view> kIds[] = {
      {"bos_token", "tokenizer.ggml.bos_token_id"},     {"eos_token", "tokenizer.ggml.eos_token_id"},
      {"unk_token", "tokenizer.ggml.unknown_token_id"}, {"sep_token", "tokenizer.ggml.seperator_token_id"},
      {"pad_token", "tokenizer.ggml.padding_token_id"}, {"cls_token", "tokenizer.ggml.cls_token_id"},
      {"mask_token", "tokenizer.ggml.mask_token_id"},
  };
  int64_t eos = -1;
  for (const auto& [name, key] : kIds) {
    const auto id = ids_.find(hf_special_text(config, name));
    if (id == ids_.end()) continue;
    metadata_.set_u32(key, id->second);
    if (name == "eos_token") eos = id->second;
  }
  if (kind_ == "bert" && ids_.contains("[CLS]"))
    metadata_.set_u32("tokenizer.ggml.bos_token_id", ids_["[CLS]"]);
  // Chat models end a turn by another token than a text.
  const json::value* ends = generation.if_contains("eos_token_id");
  if (ends == nullptr || !ends->is_array()) return;
  for (const json::value& end : ends->get_array())
    if (end.is_int64() && end.get_int64() != eos && end.get_int64() >= 0 &&
        end.get_int64() < static_cast<int64_t>(tokens_.size())) {
      metadata_.set_u32("tokenizer.ggml.eot_token_id", static_cast<uint32_t>(end.get_int64()));
      return;
    }
}

Status TokenizerKeys::run(const json::object& config, const json::object& generation) {
  RIVAL_RETURN_IF_ERROR(read_model());
  if (kind_ == "llama") {
    set_scores();
    metadata_.set_string("tokenizer.ggml.pre", "default");
  }
  if (kind_ == "gpt2") RIVAL_RETURN_IF_ERROR(set_pre_tokenizer());
  if (kind_ == "bert") spell_word_pieces();
  set_tokens();
  set_added_ends(config);
  set_special_ids(config, generation);
  return {};
}

}  // namespace

Status set_tokenizer(const std::filesystem::path& folder, uint64_t vocabulary_size,
                     format::MetadataBuilder& metadata) {
  if (!file_exists(folder / "tokenizer.json")) return {};
  RIVAL_ASSIGN_OR_RETURN(const json::object tokenizer, read_hf_object(folder / "tokenizer.json"));
  RIVAL_ASSIGN_OR_RETURN(const json::object config, read_hf_object(folder / "tokenizer_config.json"));
  RIVAL_ASSIGN_OR_RETURN(const json::object generation, read_hf_object(folder / "generation_config.json"));
  return TokenizerKeys(tokenizer, vocabulary_size, metadata).run(config, generation);
}

}  // namespace rival::model
