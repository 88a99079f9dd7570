#include "text/tokenizer_json_writer.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "text/pre_tokenizer_names.h"

namespace rival::text {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

json::object sequence(std::string_view children, json::array list) {
  return {{"type", "Sequence"}, {children, std::move(list)}};
}

json::object replace(std::string_view from, std::string_view to) {
  return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

bool is_added(TokenType type) { return type == TokenType::kControl || type == TokenType::kUserDefined; }

class Writer {
 public:
  explicit Writer(const Vocabulary& vocabulary) : v_(vocabulary) {}

  Result<json::object> run() {
    out_ = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", added_tokens()},
            {"normalizer", nullptr}, {"pre_tokenizer", nullptr}, {"post_processor", post_processor()},
            {"decoder", nullptr}};
    switch (v_.kind) {
      case VocabularyKind::kBpe: {
        RIVAL_RETURN_IF_ERROR(write_bpe());
        break;
      }
      case VocabularyKind::kSentencePiece:
        write_sentence_piece();
        break;
      case VocabularyKind::kWordPiece:
        write_word_piece();
        break;
      case VocabularyKind::kUnigram:
        return make_error(ErrorCode::kUnsupported, "a unigram vocabulary is not written as tokenizer.json");
    }
    return std::move(out_);
  }

 private:
  TokenType type(size_t id) const { return v_.types.empty() ? TokenType::kNormal : v_.types[id]; }
  bool strips(const std::vector<TokenId>& ids, size_t id) const {
    return std::ranges::find(ids, static_cast<TokenId>(id)) != ids.end();
  }

  json::array added_tokens() const {
    json::array list;
    for (size_t id = 0; id < v_.tokens.size(); ++id) {
      const bool special = type(id) == TokenType::kControl || type(id) == TokenType::kUnknown;
      if (!is_added(type(id)) && !special) continue;
      list.push_back(json::object{{"id", id},
                                  {"content", v_.tokens[id]},
                                  {"single_word", false},
                                  {"lstrip", strips(v_.strips_left, id)},
                                  {"rstrip", strips(v_.strips_right, id)},
                                  {"normalized", false},
                                  {"special", special}});
    }
    return list;
  }

  // The tokens that are put around a text.
  json::value post_processor() const {
    const bool word_piece = v_.kind == VocabularyKind::kWordPiece;
    const TokenId first = word_piece ? v_.cls.value_or(v_.bos.value_or(-1)) : v_.add_bos ? v_.bos.value_or(-1) : -1;
    const TokenId last = word_piece ? v_.separator.value_or(v_.eos.value_or(-1)) : v_.add_eos ? v_.eos.value_or(-1) : -1;
    if (first < 0 && last < 0) return nullptr;
    json::array single, pair;
    json::object special;
    const auto token = [&](TokenId id, int part) {
      const std::string text(v_.tokens[static_cast<size_t>(id)]);
      special[text] = {{"id", text}, {"ids", json::array{id}}, {"tokens", json::array{text}}};
      return json::object{{"SpecialToken", {{"id", text}, {"type_id", part}}}};
    };
    const auto text = [](const char* id, int part) {
      return json::object{{"Sequence", {{"id", id}, {"type_id", part}}}};
    };
    if (first >= 0) single.push_back(token(first, 0)), pair.push_back(token(first, 0));
    single.push_back(text("A", 0));
    pair.push_back(text("A", 0));
    if (last >= 0) single.push_back(token(last, 0)), pair.push_back(token(last, 0));
    if (first >= 0 && !word_piece) pair.push_back(token(first, 1));
    pair.push_back(text("B", 1));
    if (last >= 0) pair.push_back(token(last, 1));
    return json::object{{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special}};
  }

  json::object vocabulary(const std::vector<std::string>* spelled = nullptr) const {
    json::object ids;
    ids.reserve(v_.tokens.size());
    for (size_t id = 0; id < v_.tokens.size(); ++id)
      ids.emplace(spelled ? std::string_view((*spelled)[id]) : v_.tokens[id], id);  // of two alike the first counts
    return ids;
  }

  json::object bpe_model(json::array merges) const {
    return {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", v_.ignore_merges},
            {"vocab", vocabulary()},
            {"merges", std::move(merges)}};
  }

  Status write_bpe() {
    const PreTokenizerRow* row = find_pre_tokenizer(v_.pre);
    const auto is_step = [](std::string_view split) { return split.starts_with("(digit "); };  // no pattern
    const bool patterns = row && std::ranges::none_of(row->splits, is_step);
    if (!row || !row->letters || !patterns || v_.merges.empty())
      return make_error(ErrorCode::kUnsupported, "a vocabulary with the pre-tokeniser '{}' is not written as tokenizer.json",
                        v_.pre);
    json::array steps;
    for (const std::string_view split : row->splits)
      steps.push_back(json::object{{"type", "Split"},
                                   {"pattern", {{"Regex", split}}},
                                   {"behavior", "Isolated"},
                                   {"invert", false}});
    const json::object letters = {
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
    steps.push_back(letters);
    if (row->nfc) out_["normalizer"] = {{"type", "NFC"}};
    out_["pre_tokenizer"] = sequence("pretokenizers", std::move(steps));
    out_["decoder"] = letters;
    json::array merges;
    for (const std::string_view merge : v_.merges) {
      const size_t space = merge.find(' ', 1);
      if (space != merge.npos) merges.push_back(json::array{merge.substr(0, space), merge.substr(space + 1)});
    }
    out_["model"] = bpe_model(std::move(merges));
    return {};
  }

  // Every way to put a token together from two others; SentencePiece tries the token of the best score first.
  json::array merges_by_score() const {
    struct Merge {
      float score;
      size_t left, right;
    };
    std::unordered_map<std::string_view, size_t> ids;
    for (size_t id = 0; id < v_.tokens.size(); ++id)
      if (type(id) == TokenType::kNormal) ids.emplace(v_.tokens[id], id);
    std::vector<Merge> merges;
    for (const auto& [token, id] : ids)
      for (size_t cut = 1; cut < token.size(); ++cut) {
        const auto left = ids.find(token.substr(0, cut)), right = ids.find(token.substr(cut));
        if (left != ids.end() && right != ids.end())
          merges.push_back({v_.scores.empty() ? -static_cast<float>(id) : v_.scores[id], left->second, right->second});
      }
    std::ranges::sort(merges, [](const Merge& a, const Merge& b) {
      return a.score != b.score ? a.score > b.score : std::pair(a.left, a.right) < std::pair(b.left, b.right);
    });
    json::array out;
    out.reserve(merges.size());
    for (const Merge& merge : merges) out.push_back(json::array{v_.tokens[merge.left], v_.tokens[merge.right]});
    return out;
  }

  void write_sentence_piece() {
    json::array normalizers;
    if (v_.add_space_prefix) normalizers.push_back(json::object{{"type", "Prepend"}, {"prepend", kSpaceMark}});
    normalizers.push_back(replace(" ", kSpaceMark));
    out_["normalizer"] = sequence("normalizers", std::move(normalizers));
    json::array decoders = {replace(kSpaceMark, " "), json::object{{"type", "ByteFallback"}},
                            json::object{{"type", "Fuse"}}};
    if (v_.add_space_prefix)
      decoders.push_back(json::object{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    out_["decoder"] = sequence("decoders", std::move(decoders));
    json::object model = bpe_model(merges_by_score());
    if (v_.unknown) model["unk_token"] = v_.tokens[static_cast<size_t>(*v_.unknown)];
    model["fuse_unk"] = true;
    model["byte_fallback"] = true;
    out_["model"] = std::move(model);
  }

  // GGUF marks the starts of words, tokenizer.json the other pieces.
  void write_word_piece() {
    std::vector<std::string> spelled;
    for (size_t id = 0; id < v_.tokens.size(); ++id) {
      const std::string_view text = v_.tokens[id];
      const bool plain = is_added(type(id)) || type(id) == TokenType::kUnknown || text.starts_with('[');
      spelled.push_back(text.starts_with(kSpaceMark) ? std::string(text.substr(kSpaceMark.size()))
                        : plain                      ? std::string(text)
                                                     : "##" + std::string(text));
    }
    out_["normalizer"] = {{"type", "BertNormalizer"},
                          {"clean_text", true},
                          {"handle_chinese_chars", true},
                          {"strip_accents", v_.strip_accents ? json::value(*v_.strip_accents) : json::value()},
                          {"lowercase", v_.lowercase}};
    out_["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    out_["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
    json::object model = {{"type", "WordPiece"},
                          {"continuing_subword_prefix", "##"},
                          {"max_input_chars_per_word", 100},
                          {"vocab", vocabulary(&spelled)}};
    model["unk_token"] = v_.unknown ? spelled[static_cast<size_t>(*v_.unknown)] : std::string("[UNK]");
    out_["model"] = std::move(model);
  }

  const Vocabulary& v_;
  json::object out_;
};

}  // namespace

Result<json::object> write_tokenizer_json(const Vocabulary& vocabulary) { return Writer(vocabulary).run(); }

json::object write_tokenizer_config(const Vocabulary& v) {
  json::object out = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  const auto name = [&](const char* key, std::optional<TokenId> id) {
    if (id) out[key] = v.tokens[static_cast<size_t>(*id)];
  };
  const bool word_piece = v.kind == VocabularyKind::kWordPiece;
  if (!word_piece) {
    name("bos_token", v.bos);
    name("eos_token", v.eos);
    out["add_bos_token"] = v.add_bos;
    out["add_eos_token"] = v.add_eos;
  }
  name("unk_token", v.unknown);
  name("pad_token", v.padding);
  if (word_piece) {
    name("cls_token", v.cls);
    name("sep_token", v.separator);
    name("mask_token", v.mask);
  }
  return out;
}

}  // namespace rival::text
