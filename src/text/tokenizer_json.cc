#include "text/tokenizer_json.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "base/limits.h"

namespace rival::text {
namespace {

// One entry of "added_tokens", or of the configuration's "added_tokens_decoder".
struct AddedEntry {
  std::string content;
  bool special = false, normalized = false, single_word = false, lstrip = false, rstrip = false;
};

Result<AddedEntry> read_added(const json::value& value, const std::string& where) {
  RIVAL_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::of(value, where));
  AddedEntry entry;
  RIVAL_ASSIGN_OR_RETURN(entry.content, fields.string("content"));
  RIVAL_ASSIGN_OR_RETURN(entry.special, fields.boolean_or("special", false));
  RIVAL_ASSIGN_OR_RETURN(entry.normalized, fields.boolean_or("normalized", !entry.special));
  RIVAL_ASSIGN_OR_RETURN(entry.single_word, fields.boolean_or("single_word", false));
  RIVAL_ASSIGN_OR_RETURN(entry.lstrip, fields.boolean_or("lstrip", false));
  RIVAL_ASSIGN_OR_RETURN(entry.rstrip, fields.boolean_or("rstrip", false));
  if (entry.content.size() > limits::kTokenBytesMax)
    return make_error(ErrorCode::kLimit, "{} has {} bytes, at most {} are taken", where, entry.content.size(),
                      limits::kTokenBytesMax);
  return entry;
}

Result<std::vector<AddedEntry>> read_added_list(const JsonFields& file) {
  std::vector<AddedEntry> entries;
  if (!file.find("added_tokens")) return entries;
  RIVAL_ASSIGN_OR_RETURN(const json::array* list, file.array("added_tokens"));
  for (size_t i = 0; i < list->size(); ++i) {
    RIVAL_ASSIGN_OR_RETURN(AddedEntry entry, read_added((*list)[i], fmt::format("added_tokens[{}]", i)));
    entries.push_back(std::move(entry));
  }
  return entries;
}

// The configuration's tokens that are not `known`, in the order of their ids.
Result<std::vector<AddedEntry>> read_configured(const JsonFields& config,
                                                const std::vector<AddedEntry>& known) {
  std::vector<AddedEntry> entries;
  if (!config.find("added_tokens_decoder")) return entries;
  RIVAL_ASSIGN_OR_RETURN(const JsonFields by_id, config.child("added_tokens_decoder"));
  std::unordered_set<std::string_view> names;
  for (const AddedEntry& entry : known) names.insert(entry.content);
  std::vector<std::pair<int64_t, AddedEntry>> found;
  for (const auto& [id, value] : by_id.object()) {
    RIVAL_ASSIGN_OR_RETURN(AddedEntry entry,
                           read_added(value, fmt::format("added_tokens_decoder.{}", std::string_view(id))));
    if (!names.contains(entry.content))
      found.emplace_back(std::atoll(std::string(id).c_str()), std::move(entry));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [id, entry] : found) entries.push_back(std::move(entry));
  return entries;
}

// Gives added tokens their ids as the library does: the model's own where it has the text, else one after the
// other behind its last.
class AddedTokenReader {
 public:
  explicit AddedTokenReader(Pipeline& pipeline) : pipeline_(pipeline) {
    for (const std::string_view token : pipeline.model_tokens) count_ += token.empty() ? 0 : 1;
  }

  Status add_list(const std::vector<AddedEntry>& entries) {
    start_list();
    for (const AddedEntry& entry : entries) RIVAL_RETURN_IF_ERROR(add(entry));
    return {};
  }

  void finish() {
    Vocabulary& vocabulary = pipeline_.vocabulary;
    vocabulary.types.assign(vocabulary.tokens.size(), TokenType::kNormal);
    pipeline_.is_special.assign(vocabulary.tokens.size(), false);
    pipeline_.is_as_is.assign(vocabulary.tokens.size(), false);
    std::vector<AddedToken> names, raw, normalized;
    for (const auto& [id, entry] : tokens_) {
      const auto& [name, token] = entry;
      const AddedEntry& last = by_id_[id];
      const auto index = static_cast<size_t>(id);
      vocabulary.types[index] = last.special ? TokenType::kControl : TokenType::kUserDefined;
      pipeline_.is_special[index] = special_texts_.contains(std::string(vocabulary.tokens[index]));
      names.push_back(token);
      names.back().text = name;
      (last.normalized ? normalized : raw).push_back(token);
    }
    if (vocabulary.unknown) vocabulary.types[static_cast<size_t>(*vocabulary.unknown)] = TokenType::kUnknown;
    pipeline_.names = AddedTokens(std::move(names));
    pipeline_.added = AddedTokens(std::move(raw));
    pipeline_.added_normalized = AddedTokens(std::move(normalized));
  }

 private:
  // The ids of tokens that are new go on from the model's last, or from the last added one behind that.
  void start_list() {
    next_ = static_cast<TokenId>(count_);
    for (const auto& [id, entry] : by_id_)
      next_ = std::max(next_, static_cast<size_t>(id) >= count_ ? id + 1 : next_);
  }

  Status add(const AddedEntry& entry) {
    if (entry.content.empty()) return {};
    std::string text = entry.content;
    if (entry.normalized)
      for (const NormalizerStep& step : pipeline_.normalizer) RIVAL_RETURN_IF_ERROR(apply(step, false, text));
    RIVAL_ASSIGN_OR_RETURN(const TokenId id, id_of(entry.content));
    const std::string_view name = own(entry.content), found_as = own(text);
    pipeline_.vocabulary.tokens[static_cast<size_t>(id)] = found_as;
    if (entry.special) special_texts_.insert(entry.content);
    by_id_[id] = entry;
    const AddedToken token{found_as, id, entry.special, entry.single_word, entry.lstrip, entry.rstrip};
    tokens_.emplace_back(id, std::pair(name, token));
    return {};
  }

  std::string_view own(const std::string& text) { return pipeline_.texts.emplace_back(text); }

  Result<TokenId> id_of(const std::string& content) {
    if (const auto known = ids_.find(content); known != ids_.end()) return known->second;
    TokenId id = pipeline_.table.find(content);
    if (id < 0) id = next_++;
    if (static_cast<size_t>(id) >= limits::kVocabularyMax)
      return make_error(ErrorCode::kLimit, "more than {} tokens", limits::kVocabularyMax);
    if (static_cast<size_t>(id) >= pipeline_.vocabulary.tokens.size())
      pipeline_.vocabulary.tokens.resize(static_cast<size_t>(id) + 1);
    return ids_[content] = id;
  }

  Pipeline& pipeline_;
  size_t count_ = 0;  // tokens of the model
  TokenId next_ = 0;
  std::unordered_map<std::string, TokenId> ids_;
  std::unordered_map<TokenId, AddedEntry> by_id_;
  std::unordered_set<std::string> special_texts_;
  std::vector<std::pair<TokenId, std::pair<std::string_view, AddedToken>>> tokens_;
};

struct NamedToken {
  std::string_view key;
  std::optional<TokenId> Vocabulary::* member;
};
constexpr std::array kNamedTokens = {
    NamedToken{"bos_token", &Vocabulary::bos},     NamedToken{"eos_token", &Vocabulary::eos},
    NamedToken{"unk_token", &Vocabulary::unknown}, NamedToken{"sep_token", &Vocabulary::separator},
    NamedToken{"pad_token", &Vocabulary::padding}, NamedToken{"cls_token", &Vocabulary::cls},
    NamedToken{"mask_token", &Vocabulary::mask},
};

std::optional<TokenId> find_id(const Pipeline& pipeline, std::string_view text) {
  if (const AddedToken* token = pipeline.names.find(text)) return token->id;
  if (const TokenId id = pipeline.table.find(text); id >= 0) return id;
  return std::nullopt;
}

// A token of the configuration is a text or an object with its content; one that no id belongs to is left
// out.
Status read_named_tokens(const JsonFields& config, Pipeline& pipeline) {
  for (const NamedToken& named : kNamedTokens) {
    const json::value* value = config.find(named.key);
    if (!value) continue;
    std::string_view text;
    if (value->is_string()) {
      text = {value->get_string().data(), value->get_string().size()};
    } else {
      RIVAL_ASSIGN_OR_RETURN(const JsonFields token, config.child(named.key));
      RIVAL_ASSIGN_OR_RETURN(text, token.string("content"));
    }
    if (const auto id = find_id(pipeline, text)) pipeline.vocabulary.*named.member = id;
  }
  if (pipeline.vocabulary.eos) pipeline.vocabulary.end_of_generation = {*pipeline.vocabulary.eos};
  return {};
}

// The classes of transformers that put bos and eos around a text by their own flags, whatever tokenizer.json
// says.
Status apply_class(const JsonFields& config, Pipeline& pipeline) {
  RIVAL_ASSIGN_OR_RETURN(std::string_view name, config.string_or("tokenizer_class", ""));
  if (name.ends_with("Fast")) name.remove_suffix(4);
  constexpr std::array<std::string_view, 4> kClasses = {"LlamaTokenizer", "CodeLlamaTokenizer",
                                                        "GemmaTokenizer", "CohereTokenizer"};
  if (std::find(kClasses.begin(), kClasses.end(), name) == kClasses.end()) return {};
  RIVAL_ASSIGN_OR_RETURN(const bool add_bos, config.boolean_or("add_bos_token", true));
  RIVAL_ASSIGN_OR_RETURN(const bool add_eos, config.boolean_or("add_eos_token", false));
  const Vocabulary& vocabulary = pipeline.vocabulary;
  pipeline.prefix.clear();
  pipeline.suffix.clear();
  if (add_bos && vocabulary.bos) pipeline.prefix.push_back(*vocabulary.bos);
  if (add_eos && vocabulary.eos) pipeline.suffix.push_back(*vocabulary.eos);
  return {};
}

Status read_config(const JsonFields& config, Pipeline& pipeline) {
  RIVAL_RETURN_IF_ERROR(read_named_tokens(config, pipeline));
  return apply_class(config, pipeline);
}

Status read_steps(const JsonFields& file, Pipeline& pipeline) {
  if (const json::value* value = file.find("normalizer"))
    RIVAL_RETURN_IF_ERROR(read_normalizer(*value, pipeline.normalizer));
  if (const json::value* value = file.find("pre_tokenizer"))
    RIVAL_RETURN_IF_ERROR(read_pre_tokenizer(*value, pipeline.pre_tokenizer));
  if (const json::value* value = file.find("post_processor"))
    RIVAL_RETURN_IF_ERROR(read_post_processor(*value, pipeline.prefix, pipeline.suffix));
  if (const json::value* value = file.find("decoder")) return read_decoder(*value, pipeline.decoder);
  pipeline.decoder = {JoinDecode{}};
  return {};
}

Status check_around(const Pipeline& pipeline) {
  for (const std::vector<TokenId>* ids : {&pipeline.prefix, &pipeline.suffix})
    for (const TokenId id : *ids)
      if (static_cast<size_t>(id) >= pipeline.vocabulary.tokens.size())
        return make_error(ErrorCode::kCorrupt, "post_processor adds token {}, the vocabulary has {}", id,
                          pipeline.vocabulary.tokens.size());
  return {};
}

}  // namespace

Result<std::unique_ptr<Pipeline>> parse_pipeline(std::string_view tokenizer_json,
                                                 std::string_view tokenizer_config_json) {
  if (tokenizer_json.size() > limits::kJsonFileBytesMax)
    return make_error(ErrorCode::kLimit, "tokenizer.json has {} bytes, at most {} are taken",
                      tokenizer_json.size(), limits::kJsonFileBytesMax);
  RIVAL_ASSIGN_OR_RETURN(const json::value document, parse_json(tokenizer_json));
  RIVAL_ASSIGN_OR_RETURN(const JsonFields file, JsonFields::of(document, "tokenizer.json"));
  json::value config_document = json::object();
  if (!tokenizer_config_json.empty()) {
    RIVAL_ASSIGN_OR_RETURN(config_document, parse_json(tokenizer_config_json));
  }
  RIVAL_ASSIGN_OR_RETURN(const JsonFields config, JsonFields::of(config_document, "tokenizer_config.json"));

  auto pipeline = std::make_unique<Pipeline>();
  const json::value* model = file.find("model");
  if (!model) return make_error(ErrorCode::kCorrupt, "tokenizer.json has no model");
  RIVAL_RETURN_IF_ERROR(read_model(*model, *pipeline));
  RIVAL_RETURN_IF_ERROR(read_steps(file, *pipeline));
  RIVAL_ASSIGN_OR_RETURN(std::vector<AddedEntry> entries, read_added_list(file));
  AddedTokenReader added(*pipeline);
  RIVAL_RETURN_IF_ERROR(added.add_list(entries));
  RIVAL_ASSIGN_OR_RETURN(entries, read_configured(config, entries));
  RIVAL_RETURN_IF_ERROR(added.add_list(entries));
  added.finish();
  RIVAL_RETURN_IF_ERROR(read_config(config, *pipeline));
  RIVAL_RETURN_IF_ERROR(check_around(*pipeline));
  if (pipeline->vocabulary.tokens.empty())
    return make_error(ErrorCode::kCorrupt, "tokenizer.json has no tokens");
  return pipeline;
}

}  // namespace rival::text
