// A pipeline from a vocabulary as GGUF metadata holds it: what the file leaves unsaid is filled in by kind
// and by the row of its pre-tokeniser.
#include <algorithm>
#include <array>

#include "base/limits.h"
#include "text/pipeline.h"
#include "text/pre_tokenizer_names.h"

namespace rival::text {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

struct NamedId {
  std::string_view name;
  std::optional<TokenId> Vocabulary::* member;
};
constexpr std::array kNamedIds = {
    NamedId{"bos", &Vocabulary::bos},
    NamedId{"eos", &Vocabulary::eos},
    NamedId{"eot", &Vocabulary::eot},
    NamedId{"eom", &Vocabulary::eom},
    NamedId{"unknown", &Vocabulary::unknown},
    NamedId{"separator", &Vocabulary::separator},
    NamedId{"padding", &Vocabulary::padding},
    NamedId{"cls", &Vocabulary::cls},
    NamedId{"mask", &Vocabulary::mask},
    NamedId{"fim_prefix", &Vocabulary::fim_prefix},
    NamedId{"fim_suffix", &Vocabulary::fim_suffix},
    NamedId{"fim_middle", &Vocabulary::fim_middle},
};

Status check_id(std::string_view name, TokenId id, size_t size) {
  if (id >= 0 && static_cast<size_t>(id) < size) return {};
  return make_error(ErrorCode::kCorrupt, "{} token id is {}, expected 0 to {}", name, id,
                    static_cast<int64_t>(size) - 1);
}

Status check_ids(std::string_view name, std::span<const TokenId> ids, size_t size) {
  for (const TokenId id : ids) RIVAL_RETURN_IF_ERROR(check_id(name, id, size));
  return {};
}

// A file without types still names its bos, eos and the like: those are control tokens.
void complete_types(Vocabulary& vocabulary) {
  if (!vocabulary.types.empty()) return;
  vocabulary.types.assign(vocabulary.tokens.size(), TokenType::kNormal);
  for (const NamedId& named : kNamedIds)
    if (const auto id = vocabulary.*named.member)
      vocabulary.types[static_cast<size_t>(*id)] =
          named.name == "unknown" ? TokenType::kUnknown : TokenType::kControl;
}

void find_unknown(Vocabulary& vocabulary) {
  for (size_t id = 0; id < vocabulary.types.size() && !vocabulary.unknown; ++id)
    if (vocabulary.types[id] == TokenType::kUnknown) vocabulary.unknown = static_cast<TokenId>(id);
}

Result<std::vector<TokenId>> typed_byte_tokens(const Vocabulary& vocabulary) {
  std::vector<TokenId> ids;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.types[id] != TokenType::kByte) continue;
    const int byte = byte_of_token(vocabulary.tokens[id]);
    if (byte < 0)
      return make_error(ErrorCode::kCorrupt, "byte token {} is spelled '{}', expected <0x00> to <0xFF>", id,
                        vocabulary.tokens[id]);
    if (ids.empty()) ids.assign(256, -1);
    ids[static_cast<size_t>(byte)] = static_cast<TokenId>(id);
  }
  return ids;
}

void add_tokens(Pipeline& pipeline) {
  const Vocabulary& vocabulary = pipeline.vocabulary;
  pipeline.is_special.assign(vocabulary.tokens.size(), false);
  pipeline.is_as_is.assign(vocabulary.tokens.size(), false);
  const auto contains = [](const std::vector<TokenId>& ids, size_t id) {
    return std::find(ids.begin(), ids.end(), static_cast<TokenId>(id)) != ids.end();
  };
  std::vector<AddedToken> added;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const TokenType type = vocabulary.types[id];
    const bool special = type == TokenType::kControl || type == TokenType::kUnknown;
    if (!special && type != TokenType::kUserDefined) continue;
    pipeline.is_special[id] = special;
    pipeline.is_as_is[id] = true;
    added.push_back({vocabulary.tokens[id], static_cast<TokenId>(id), special, false,
                     contains(vocabulary.strips_left, id), contains(vocabulary.strips_right, id)});
  }
  pipeline.added = AddedTokens(std::move(added));
  pipeline.names = pipeline.added;
}

Status put_around(Pipeline& pipeline, bool wanted, std::string_view name, std::optional<TokenId> id,
                  std::vector<TokenId>& where) {
  if (!wanted) return {};
  if (!id)
    return make_error(ErrorCode::kCorrupt,
                      "a {} token is to be added, but the vocabulary of {} tokens names none", name,
                      pipeline.vocabulary.tokens.size());
  where.push_back(*id);
  return {};
}

Result<Bpe> merges_or_ids(const Pipeline& pipeline, BpeOptions options, std::vector<float>& scores) {
  const Vocabulary& vocabulary = pipeline.vocabulary;
  if (!vocabulary.merges.empty())
    return Bpe::from_merges(&pipeline.table, vocabulary.merges, std::move(options));
  scores.resize(vocabulary.tokens.size());
  for (size_t id = 0; id < scores.size(); ++id) scores[id] = -static_cast<float>(id);
  return Bpe::from_scores(&pipeline.table, scores, std::move(options));
}

Status fill_bpe(Pipeline& pipeline) {
  Vocabulary& vocabulary = pipeline.vocabulary;
  const PreTokenizerRow* row = find_pre_tokenizer(vocabulary.pre);
  if (!row)
    return make_error(ErrorCode::kUnsupported, "pre-tokeniser '{}' (tokenizer.ggml.pre) is not known",
                      vocabulary.pre);
  vocabulary.ignore_merges = vocabulary.ignore_merges || row->ignore_merges;
  BpeOptions options;
  options.ignore_merges = vocabulary.ignore_merges;
  options.unknown = vocabulary.unknown;
  if (row->letters) {
    pipeline.decoder = {ByteLettersDecode{}};
  } else {
    RIVAL_ASSIGN_OR_RETURN(options.byte_tokens, typed_byte_tokens(vocabulary));
    options.fuse_unknown = true;
    pipeline.normalizer.emplace_back(Replace{" ", nullptr, std::string(kSpaceMark)});
    pipeline.decoder = {ReplaceDecode{std::string(kSpaceMark), nullptr, " "}, ByteFallbackDecode{}};
  }
  if (row->nfc) pipeline.normalizer.emplace_back(UnicodeForm::kNfc);
  RIVAL_ASSIGN_OR_RETURN(pipeline.pre_tokenizer, steps_of(*row));
  RIVAL_ASSIGN_OR_RETURN(Bpe bpe, merges_or_ids(pipeline, std::move(options), vocabulary.scores));
  pipeline.model = std::move(bpe);
  return {};
}

// Without a token in which the space mark follows another character, nothing merges across the start of a
// word.
bool cuts_at_words(const Vocabulary& vocabulary) {
  for (const std::string_view token : vocabulary.tokens) {
    size_t marks = 0;
    while (token.substr(marks).starts_with(kSpaceMark)) marks += kSpaceMark.size();
    if (token.find(kSpaceMark, marks) != std::string_view::npos) return false;
  }
  return true;
}

Status fill_sentence_piece(Pipeline& pipeline) {
  const Vocabulary& vocabulary = pipeline.vocabulary;
  BpeOptions options;
  options.fuse_unknown = true;
  options.unknown = vocabulary.unknown;
  RIVAL_ASSIGN_OR_RETURN(options.byte_tokens, typed_byte_tokens(vocabulary));
  if (!vocabulary.precompiled_charsmap.empty()) {
    RIVAL_ASSIGN_OR_RETURN(Charsmap map, Charsmap::parse(vocabulary.precompiled_charsmap));
    pipeline.normalizer.emplace_back(std::move(map));
  }
  if (vocabulary.remove_extra_whitespaces) pipeline.normalizer.emplace_back(CollapseSpaces{});
  if (vocabulary.add_space_prefix) pipeline.normalizer.emplace_back(Prepend{std::string(kSpaceMark)});
  pipeline.normalizer.emplace_back(Replace{" ", nullptr, std::string(kSpaceMark)});
  if (cuts_at_words(vocabulary)) pipeline.pre_tokenizer.emplace_back(WordStarts{std::string(kSpaceMark)});
  pipeline.decoder = {ReplaceDecode{std::string(kSpaceMark), nullptr, " "}, ByteFallbackDecode{},
                      FuseDecode{}};
  if (vocabulary.add_space_prefix) pipeline.decoder.emplace_back(StripDecode{" ", 1, 0});
  RIVAL_ASSIGN_OR_RETURN(Bpe bpe, Bpe::from_scores(&pipeline.table, vocabulary.scores, std::move(options)));
  pipeline.model = std::move(bpe);
  return {};
}

Status fill_unigram(Pipeline& pipeline) {
  const Vocabulary& vocabulary = pipeline.vocabulary;
  if (!vocabulary.precompiled_charsmap.empty()) {
    RIVAL_ASSIGN_OR_RETURN(Charsmap map, Charsmap::parse(vocabulary.precompiled_charsmap));
    pipeline.normalizer.emplace_back(std::move(map));
  }
  if (vocabulary.remove_extra_whitespaces) pipeline.normalizer.emplace_back(CollapseSpaces{});
  const PrependScheme scheme = vocabulary.add_space_prefix ? PrependScheme::kAlways : PrependScheme::kNever;
  pipeline.pre_tokenizer.emplace_back(Metaspace{std::string(kSpaceMark), scheme, true});
  pipeline.decoder = {ReplaceDecode{std::string(kSpaceMark), nullptr, " "}, ByteFallbackDecode{},
                      FuseDecode{}};
  if (vocabulary.add_space_prefix) pipeline.decoder.emplace_back(StripDecode{" ", 1, 0});
  UnigramOptions options{.unknown = vocabulary.unknown, .byte_tokens = {}};
  RIVAL_ASSIGN_OR_RETURN(options.byte_tokens, typed_byte_tokens(vocabulary));
  RIVAL_ASSIGN_OR_RETURN(
      Unigram model, Unigram::create(vocabulary.tokens, {vocabulary.scores.begin(), vocabulary.scores.end()},
                                     vocabulary.types, std::move(options)));
  pipeline.model = std::move(model);
  return {};
}

Status fill_word_piece(Pipeline& pipeline) {
  const Vocabulary& vocabulary = pipeline.vocabulary;
  pipeline.normalizer.emplace_back(
      BertNormalize{.strip_accents = vocabulary.strip_accents.value_or(vocabulary.lowercase),
                    .lowercase = vocabulary.lowercase});
  pipeline.pre_tokenizer = bert_steps();
  pipeline.model = WordPiece{&pipeline.table, vocabulary.unknown, std::string(kSpaceMark), "", 100};
  pipeline.decoder = {WordPieceDecode{"", std::string(kSpaceMark), true}};
  RIVAL_RETURN_IF_ERROR(
      put_around(pipeline, true, "cls", vocabulary.cls ? vocabulary.cls : vocabulary.bos, pipeline.prefix));
  return put_around(pipeline, true, "separator", vocabulary.separator ? vocabulary.separator : vocabulary.eos,
                    pipeline.suffix);
}

Status fill_kind(Pipeline& pipeline) {
  switch (pipeline.vocabulary.kind) {
    case VocabularyKind::kBpe:
      return fill_bpe(pipeline);
    case VocabularyKind::kSentencePiece:
      return fill_sentence_piece(pipeline);
    case VocabularyKind::kUnigram:
      return fill_unigram(pipeline);
    case VocabularyKind::kWordPiece:
      return fill_word_piece(pipeline);
  }
  return make_error(ErrorCode::kInternal, "vocabulary kind {}", static_cast<int>(pipeline.vocabulary.kind));
}

}  // namespace

Status check_vocabulary(const Vocabulary& vocabulary) {
  const size_t size = vocabulary.tokens.size();
  if (size == 0) return make_error(ErrorCode::kCorrupt, "vocabulary has no tokens");
  if (size > limits::kVocabularyMax)
    return make_error(ErrorCode::kLimit, "vocabulary has {} tokens, at most {} are taken", size,
                      limits::kVocabularyMax);
  if (!vocabulary.scores.empty() && vocabulary.scores.size() != size)
    return make_error(ErrorCode::kCorrupt, "vocabulary has {} tokens but {} scores", size,
                      vocabulary.scores.size());
  if (!vocabulary.types.empty() && vocabulary.types.size() != size)
    return make_error(ErrorCode::kCorrupt, "vocabulary has {} tokens but {} token types", size,
                      vocabulary.types.size());
  for (size_t id = 0; id < size; ++id)
    if (vocabulary.tokens[id].size() > limits::kTokenBytesMax)
      return make_error(ErrorCode::kLimit, "token {} has {} bytes, at most {} are taken", id,
                        vocabulary.tokens[id].size(), limits::kTokenBytesMax);
  for (const NamedId& named : kNamedIds)
    if (const auto id = vocabulary.*named.member) RIVAL_RETURN_IF_ERROR(check_id(named.name, *id, size));
  RIVAL_RETURN_IF_ERROR(check_ids("end-of-generation", vocabulary.end_of_generation, size));
  RIVAL_RETURN_IF_ERROR(check_ids("strips_left", vocabulary.strips_left, size));
  return check_ids("strips_right", vocabulary.strips_right, size);
}

void set_defaults(Vocabulary& vocabulary) {
  const bool sentence_piece = vocabulary.kind == VocabularyKind::kSentencePiece;
  const PreTokenizerRow* row =
      vocabulary.kind == VocabularyKind::kBpe ? find_pre_tokenizer(vocabulary.pre) : nullptr;
  const bool word_piece = vocabulary.kind == VocabularyKind::kWordPiece;
  const bool unigram = vocabulary.kind == VocabularyKind::kUnigram;
  vocabulary.add_bos = sentence_piece || word_piece || (row && row->add_bos);
  vocabulary.add_eos = word_piece || unigram;
  vocabulary.add_space_prefix = sentence_piece || unigram;
  vocabulary.remove_extra_whitespaces = false;
  vocabulary.ignore_merges = row && row->ignore_merges;
}

Result<std::unique_ptr<Pipeline>> build_pipeline(Vocabulary vocabulary) {
  RIVAL_RETURN_IF_ERROR(check_vocabulary(vocabulary));
  auto pipeline = std::make_unique<Pipeline>();
  pipeline->vocabulary = std::move(vocabulary);
  Vocabulary& kept = pipeline->vocabulary;
  complete_types(kept);
  find_unknown(kept);
  pipeline->table = TokenTable(kept.tokens, kept.types);
  add_tokens(*pipeline);
  if (kept.kind != VocabularyKind::kWordPiece) {
    RIVAL_RETURN_IF_ERROR(put_around(*pipeline, kept.add_bos, "bos", kept.bos, pipeline->prefix));
    RIVAL_RETURN_IF_ERROR(put_around(*pipeline, kept.add_eos, "eos", kept.eos, pipeline->suffix));
  }
  RIVAL_RETURN_IF_ERROR(fill_kind(*pipeline));
  return pipeline;
}

}  // namespace rival::text
