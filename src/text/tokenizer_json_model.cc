// The models of tokenizer.json: BPE, Unigram, WordPiece, WordLevel.
#include <algorithm>

#include "base/limits.h"
#include "text/tokenizer_json.h"

namespace rival::text {
namespace {

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

// Copies texts into the vocabulary's storage, whose size is known beforehand so that views stay valid.
class Storage {
 public:
  Storage(Vocabulary& vocabulary, size_t bytes) : vocabulary_(vocabulary) {
    vocabulary_.storage.reserve(std::max<size_t>(bytes, 64));
  }
  std::string_view add(std::string_view text) {
    const size_t at = vocabulary_.storage.size();
    vocabulary_.storage += text;
    return std::string_view(vocabulary_.storage).substr(at);
  }

 private:
  Vocabulary& vocabulary_;
};

// {"token": id, ...}
Status read_vocabulary(const JsonFields& fields, Vocabulary& vocabulary) {
  RIVAL_ASSIGN_OR_RETURN(const JsonFields tokens, fields.child("vocab"));
  size_t bytes = 0;
  int64_t id_max = -1;
  for (const auto& [text, id] : tokens.object()) {
    if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() >= int64_t{limits::kVocabularyMax})
      return make_error(ErrorCode::kCorrupt, "model.vocab['{}'] is no token id below {}",
                        std::string_view(text), limits::kVocabularyMax);
    if (text.size() > limits::kTokenBytesMax)
      return make_error(ErrorCode::kLimit, "a token of {} bytes, at most {} are taken", text.size(),
                        limits::kTokenBytesMax);
    bytes += text.size();
    id_max = std::max(id_max, id.get_int64());
  }
  Storage storage(vocabulary, bytes);
  vocabulary.tokens.resize(static_cast<size_t>(id_max + 1));
  for (const auto& [text, id] : tokens.object()) {
    std::string_view& token = vocabulary.tokens[static_cast<size_t>(id.get_int64())];
    if (!token.empty())
      return make_error(ErrorCode::kCorrupt, "model.vocab gives id {} to both '{}' and '{}'", id.get_int64(),
                        token, std::string_view(text));
    token = storage.add(text);
  }
  return {};
}

std::optional<TokenId> find(const TokenTable& table, std::string_view text) {
  const TokenId id = table.find(text);
  return id >= 0 ? std::optional(id) : std::nullopt;
}

void fill_table(Pipeline& pipeline) {
  pipeline.model_tokens = pipeline.vocabulary.tokens;
  pipeline.table = TokenTable(pipeline.model_tokens, {});
}

// ["left right", ...] or [["left", "right"], ...]
Result<std::vector<MergePair>> read_merges(const JsonFields& fields) {
  RIVAL_ASSIGN_OR_RETURN(const json::array* list, fields.array("merges"));
  std::vector<MergePair> merges;
  merges.reserve(list->size());
  for (const json::value& item : *list) {
    if (item.is_string()) {
      const std::string_view text = view(item.get_string());
      const size_t space = text.find(' ');
      if (text.starts_with("#version")) continue;
      if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos)
        return make_error(ErrorCode::kCorrupt,
                          "model.merges[{}] is '{}', expected two parts with a space between", merges.size(),
                          text);
      merges.push_back({text.substr(0, space), text.substr(space + 1)});
      continue;
    }
    const json::array* pair = item.if_array();
    if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string())
      return make_error(ErrorCode::kCorrupt, "model.merges[{}] is {}, expected a pair of texts",
                        merges.size(), kind_of(item));
    merges.push_back({view((*pair)[0].get_string()), view((*pair)[1].get_string())});
  }
  return merges;
}

Status read_bpe(const JsonFields& fields, Pipeline& pipeline) {
  pipeline.vocabulary.kind = VocabularyKind::kBpe;
  RIVAL_RETURN_IF_ERROR(read_vocabulary(fields, pipeline.vocabulary));
  fill_table(pipeline);
  if (const json::value* dropout = fields.find("dropout");
      dropout && dropout->is_number() && dropout->to_number<double>() != 0)
    return make_error(ErrorCode::kUnsupported, "model.dropout is {}: tokenising would be random",
                      dropout->to_number<double>());
  BpeOptions options;
  options.strict_merges = true;
  RIVAL_ASSIGN_OR_RETURN(options.ignore_merges, fields.boolean_or("ignore_merges", false));
  RIVAL_ASSIGN_OR_RETURN(options.fuse_unknown, fields.boolean_or("fuse_unk", false));
  RIVAL_ASSIGN_OR_RETURN(options.continuing_prefix, fields.string_or("continuing_subword_prefix", ""));
  RIVAL_ASSIGN_OR_RETURN(options.end_suffix, fields.string_or("end_of_word_suffix", ""));
  RIVAL_ASSIGN_OR_RETURN(const bool byte_fallback, fields.boolean_or("byte_fallback", false));
  if (byte_fallback) options.byte_tokens = find_byte_tokens(pipeline.table);
  RIVAL_ASSIGN_OR_RETURN(const std::string_view unknown, fields.string_or("unk_token", ""));
  options.unknown = find(pipeline.table, unknown);
  pipeline.vocabulary.unknown = options.unknown;
  pipeline.vocabulary.ignore_merges = options.ignore_merges;
  RIVAL_ASSIGN_OR_RETURN(const std::vector<MergePair> merges, read_merges(fields));
  RIVAL_ASSIGN_OR_RETURN(Bpe bpe, Bpe::from_pairs(&pipeline.table, merges, std::move(options)));
  pipeline.model = std::move(bpe);
  return {};
}

Status read_word_model(std::string_view type, const JsonFields& fields, Pipeline& pipeline) {
  pipeline.vocabulary.kind = VocabularyKind::kWordPiece;
  RIVAL_RETURN_IF_ERROR(read_vocabulary(fields, pipeline.vocabulary));
  fill_table(pipeline);
  RIVAL_ASSIGN_OR_RETURN(const std::string_view unknown,
                         fields.string_or("unk_token", type == "WordPiece" ? "[UNK]" : "<unk>"));
  pipeline.vocabulary.unknown = find(pipeline.table, unknown);
  if (type == "WordLevel") {
    pipeline.model = WordLevel{&pipeline.table, pipeline.vocabulary.unknown};
    return {};
  }
  WordPiece model{&pipeline.table, pipeline.vocabulary.unknown, "", "##", 100};
  RIVAL_ASSIGN_OR_RETURN(model.continuing_prefix, fields.string_or("continuing_subword_prefix", "##"));
  RIVAL_ASSIGN_OR_RETURN(const int64_t chars_max, fields.integer_or("max_input_chars_per_word", 100));
  model.word_chars_max = static_cast<size_t>(std::max<int64_t>(chars_max, 0));
  pipeline.model = std::move(model);
  return {};
}

// [["token", score], ...]
Result<std::vector<double>> read_scored_tokens(const JsonFields& fields, Vocabulary& vocabulary) {
  RIVAL_ASSIGN_OR_RETURN(const json::array* list, fields.array("vocab"));
  if (list->size() > limits::kVocabularyMax)
    return make_error(ErrorCode::kLimit, "model.vocab has {} tokens, at most {} are taken", list->size(),
                      limits::kVocabularyMax);
  size_t bytes = 0;
  std::vector<double> scores;
  for (const json::value& item : *list) {
    const json::array* pair = item.if_array();
    if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_number())
      return make_error(ErrorCode::kCorrupt, "model.vocab[{}] is {}, expected a token and its score",
                        scores.size(), kind_of(item));
    bytes += (*pair)[0].get_string().size();
    scores.push_back((*pair)[1].to_number<double>());
  }
  Storage storage(vocabulary, bytes);
  for (const json::value& item : *list)
    vocabulary.tokens.push_back(storage.add(view(item.get_array()[0].get_string())));
  return scores;
}

Status read_unigram(const JsonFields& fields, Pipeline& pipeline) {
  Vocabulary& vocabulary = pipeline.vocabulary;
  vocabulary.kind = VocabularyKind::kUnigram;
  RIVAL_ASSIGN_OR_RETURN(std::vector<double> scores, read_scored_tokens(fields, vocabulary));
  fill_table(pipeline);
  vocabulary.scores.assign(scores.begin(), scores.end());
  if (fields.find("unk_id")) {
    RIVAL_ASSIGN_OR_RETURN(const int64_t unknown, fields.integer("unk_id"));
    if (unknown < 0 || static_cast<size_t>(unknown) >= vocabulary.tokens.size())
      return make_error(ErrorCode::kCorrupt, "model.unk_id is {}, expected 0 to {}", unknown,
                        static_cast<int64_t>(vocabulary.tokens.size()) - 1);
    vocabulary.unknown = static_cast<TokenId>(unknown);
  }
  RIVAL_ASSIGN_OR_RETURN(const bool byte_fallback, fields.boolean_or("byte_fallback", false));
  UnigramOptions options{.unknown = vocabulary.unknown, .byte_tokens = {}};
  if (byte_fallback) options.byte_tokens = find_byte_tokens(pipeline.table);
  RIVAL_ASSIGN_OR_RETURN(Unigram model,
                         Unigram::create(pipeline.model_tokens, std::move(scores), {}, std::move(options)));
  pipeline.model = std::move(model);
  return {};
}

// Old files do not name the type.
std::string_view guess_type(const JsonFields& fields) {
  if (fields.find("merges")) return "BPE";
  if (const json::value* vocab = fields.find("vocab"); vocab && vocab->is_array()) return "Unigram";
  return fields.find("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
}

}  // namespace

Status read_model(const json::value& value, Pipeline& pipeline) {
  RIVAL_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::of(value, "model"));
  RIVAL_ASSIGN_OR_RETURN(const std::string_view type, fields.string_or("type", guess_type(fields)));
  if (type == "BPE") return read_bpe(fields, pipeline);
  if (type == "Unigram") return read_unigram(fields, pipeline);
  if (type == "WordPiece" || type == "WordLevel") return read_word_model(type, fields, pipeline);
  return unknown_component("model", type, "model");
}

}  // namespace rival::text
