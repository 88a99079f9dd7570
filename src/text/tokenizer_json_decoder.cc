// Decoders and post-processors of tokenizer.json.
#include <utility>

#include "text/tokenizer_json.h"

namespace rival::text {
namespace {

Result<DecoderStep> read_strip_decode(const JsonFields& fields) {
  StripDecode step;
  RIVAL_ASSIGN_OR_RETURN(step.content, fields.string("content"));
  RIVAL_ASSIGN_OR_RETURN(const int64_t start, fields.integer_or("start", 0));
  RIVAL_ASSIGN_OR_RETURN(const int64_t stop, fields.integer_or("stop", 0));
  if (start < 0 || stop < 0)
    return make_error(ErrorCode::kCorrupt, "{}: start and stop must not be negative", fields.where());
  step.start = static_cast<size_t>(start);
  step.stop = static_cast<size_t>(stop);
  return DecoderStep(std::move(step));
}

Result<DecoderStep> read_metaspace_decode(const JsonFields& fields) {
  RIVAL_ASSIGN_OR_RETURN(const Metaspace metaspace, read_metaspace(fields));
  return DecoderStep(MetaspaceDecode{metaspace.replacement, metaspace.scheme == PrependScheme::kNever});
}

Result<DecoderStep> read_word_piece_decode(const JsonFields& fields) {
  WordPieceDecode step;
  RIVAL_ASSIGN_OR_RETURN(step.prefix, fields.string_or("prefix", "##"));
  RIVAL_ASSIGN_OR_RETURN(step.cleanup, fields.boolean_or("cleanup", true));
  return DecoderStep(std::move(step));
}

Result<DecoderStep> read_ctc_decode(const JsonFields& fields) {
  CtcDecode step;
  RIVAL_ASSIGN_OR_RETURN(step.pad, fields.string_or("pad_token", "<pad>"));
  RIVAL_ASSIGN_OR_RETURN(step.delimiter, fields.string_or("word_delimiter_token", "|"));
  RIVAL_ASSIGN_OR_RETURN(step.cleanup, fields.boolean_or("cleanup", true));
  return DecoderStep(std::move(step));
}

Result<DecoderStep> read_one_decoder(std::string_view type, const JsonFields& fields) {
  if (type == "ByteLevel") return DecoderStep(ByteLettersDecode{});
  if (type == "ByteFallback") return DecoderStep(ByteFallbackDecode{});
  if (type == "Fuse") return DecoderStep(FuseDecode{});
  if (type == "Strip") return read_strip_decode(fields);
  if (type == "Metaspace") return read_metaspace_decode(fields);
  if (type == "WordPiece") return read_word_piece_decode(fields);
  if (type == "CTC") return read_ctc_decode(fields);
  if (type == "BPEDecoder") {
    RIVAL_ASSIGN_OR_RETURN(const std::string_view suffix, fields.string_or("suffix", "</w>"));
    return DecoderStep(SuffixDecode{std::string(suffix)});
  }
  if (type == "Replace") {
    RIVAL_ASSIGN_OR_RETURN(JsonPattern pattern, read_pattern(fields));
    RIVAL_ASSIGN_OR_RETURN(const std::string_view content, fields.string("content"));
    return DecoderStep(
        ReplaceDecode{std::move(pattern.literal), std::move(pattern.regex), std::string(content)});
  }
  return unknown_component("decoder", type, fields.where());
}

Status read_id(const json::value& value, const std::string& where, std::vector<TokenId>& ids) {
  if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > INT32_MAX)
    return make_error(ErrorCode::kCorrupt, "{} is {}, expected a token id", where,
                      value.is_int64() ? "out of range" : kind_of(value));
  ids.push_back(static_cast<TokenId>(value.get_int64()));
  return {};
}

// ["[SEP]", 102]
Status read_token_pair(const JsonFields& fields, std::string_view key, std::vector<TokenId>& ids) {
  RIVAL_ASSIGN_OR_RETURN(const json::array* pair, fields.array(key));
  if (pair->size() != 2)
    return make_error(ErrorCode::kCorrupt, "{}.{} has {} items, expected a token and its id", fields.where(),
                      key, pair->size());
  return read_id((*pair)[1], fmt::format("{}.{}[1]", fields.where(), key), ids);
}

Status add_template_token(const JsonFields& fields, const JsonFields& piece, std::vector<TokenId>& ids) {
  RIVAL_ASSIGN_OR_RETURN(const JsonFields special, piece.child("SpecialToken"));
  RIVAL_ASSIGN_OR_RETURN(const std::string_view name, special.string("id"));
  RIVAL_ASSIGN_OR_RETURN(const JsonFields tokens, fields.child("special_tokens"));
  RIVAL_ASSIGN_OR_RETURN(const JsonFields token, tokens.child(name));
  RIVAL_ASSIGN_OR_RETURN(const json::array* list, token.array("ids"));
  for (const json::value& id : *list) RIVAL_RETURN_IF_ERROR(read_id(id, token.where() + ".ids", ids));
  return {};
}

Status read_template(const JsonFields& fields, std::vector<TokenId>& before, std::vector<TokenId>& behind) {
  RIVAL_ASSIGN_OR_RETURN(const json::array* pieces, fields.array("single"));
  int texts = 0;
  for (size_t i = 0; i < pieces->size(); ++i) {
    RIVAL_ASSIGN_OR_RETURN(const JsonFields piece,
                           JsonFields::of((*pieces)[i], fmt::format("{}.single[{}]", fields.where(), i)));
    if (piece.find("Sequence")) {
      ++texts;
    } else {
      RIVAL_RETURN_IF_ERROR(add_template_token(fields, piece, texts == 0 ? before : behind));
    }
  }
  if (texts == 1) return {};
  return make_error(ErrorCode::kUnsupported, "{}.single holds the text {} times, expected once",
                    fields.where(), texts);
}

Status read_around(std::string_view type, const JsonFields& fields, std::vector<TokenId>& before,
                   std::vector<TokenId>& behind) {
  if (type == "TemplateProcessing") return read_template(fields, before, behind);
  if (type != "BertProcessing" && type != "RobertaProcessing")
    return unknown_component("post-processor", type, fields.where());
  RIVAL_RETURN_IF_ERROR(read_token_pair(fields, "cls", before));
  return read_token_pair(fields, "sep", behind);
}

}  // namespace

Status read_decoder(const json::value& value, std::vector<DecoderStep>& steps) {
  return walk_components(value, "decoder", "decoders",
                         [&](std::string_view type, const JsonFields& fields) -> Status {
                           RIVAL_ASSIGN_OR_RETURN(DecoderStep step, read_one_decoder(type, fields));
                           steps.push_back(std::move(step));
                           return {};
                         });
}

Status read_post_processor(const json::value& value, std::vector<TokenId>& prefix,
                           std::vector<TokenId>& suffix) {
  bool done = false;
  return walk_components(
      value, "post_processor", "processors", [&](std::string_view type, const JsonFields& fields) -> Status {
        if (type == "ByteLevel") return {};  // moves offsets only
        // The library gives the output of one, piece by piece, to the next, which then takes it for a pair.
        if (std::exchange(done, true))
          return make_error(ErrorCode::kUnsupported, "{}: a second post-processor that adds tokens",
                            fields.where());
        return read_around(type, fields, prefix, suffix);
      });
}

}  // namespace rival::text
