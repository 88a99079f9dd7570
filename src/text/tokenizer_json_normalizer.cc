#include "text/tokenizer_json.h"

namespace rival::text {
namespace {

Result<std::string> decode_base64(std::string_view text, std::string_view where) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char c : text) {
    const size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return make_error(ErrorCode::kCorrupt, "{} is not base64", where);
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xFF);
  }
  return out;
}

Result<NormalizerStep> read_bert_normalizer(const JsonFields& fields) {
  BertNormalize step;
  RIVAL_ASSIGN_OR_RETURN(step.clean_text, fields.boolean_or("clean_text", true));
  RIVAL_ASSIGN_OR_RETURN(step.space_ideographs, fields.boolean_or("handle_chinese_chars", true));
  RIVAL_ASSIGN_OR_RETURN(step.lowercase, fields.boolean_or("lowercase", true));
  RIVAL_ASSIGN_OR_RETURN(step.strip_accents, fields.boolean_or("strip_accents", step.lowercase));
  return NormalizerStep(step);
}

Result<NormalizerStep> read_charsmap(const JsonFields& fields) {
  RIVAL_ASSIGN_OR_RETURN(const std::string_view encoded, fields.string("precompiled_charsmap"));
  RIVAL_ASSIGN_OR_RETURN(const std::string bytes,
                         decode_base64(encoded, fields.where() + ".precompiled_charsmap"));
  RIVAL_ASSIGN_OR_RETURN(Charsmap map, Charsmap::parse(bytes));
  return NormalizerStep(std::move(map));
}

Result<NormalizerStep> read_strip_space(const JsonFields& fields) {
  StripSpace step;
  RIVAL_ASSIGN_OR_RETURN(step.left, fields.boolean_or("strip_left", true));
  RIVAL_ASSIGN_OR_RETURN(step.right, fields.boolean_or("strip_right", true));
  return NormalizerStep(step);
}

Result<NormalizerStep> read_replace(const JsonFields& fields) {
  RIVAL_ASSIGN_OR_RETURN(JsonPattern pattern, read_pattern(fields));
  RIVAL_ASSIGN_OR_RETURN(const std::string_view content, fields.string("content"));
  return NormalizerStep(Replace{std::move(pattern.literal), std::move(pattern.regex), std::string(content)});
}

Result<NormalizerStep> read_prepend(const JsonFields& fields) {
  RIVAL_ASSIGN_OR_RETURN(const std::string_view text, fields.string("prepend"));
  return NormalizerStep(Prepend{std::string(text)});
}

Result<NormalizerStep> read_one_normalizer(std::string_view type, const JsonFields& fields) {
  if (type == "NFC") return NormalizerStep(UnicodeForm::kNfc);
  if (type == "NFD") return NormalizerStep(UnicodeForm::kNfd);
  if (type == "NFKC") return NormalizerStep(UnicodeForm::kNfkc);
  if (type == "NFKD") return NormalizerStep(UnicodeForm::kNfkd);
  if (type == "Lowercase") return NormalizerStep(Lowercase{});
  if (type == "StripAccents") return NormalizerStep(StripAccents{});
  if (type == "Nmt") return NormalizerStep(NmtNormalize{});
  if (type == "ByteLevel") return NormalizerStep(ByteLettersNormalize{});
  if (type == "BertNormalizer") return read_bert_normalizer(fields);
  if (type == "Precompiled") return read_charsmap(fields);
  if (type == "Strip") return read_strip_space(fields);
  if (type == "Replace") return read_replace(fields);
  if (type == "Prepend") return read_prepend(fields);
  return unknown_component("normaliser", type, fields.where());
}

}  // namespace

Status read_normalizer(const json::value& value, std::vector<NormalizerStep>& steps) {
  return walk_components(value, "normalizer", "normalizers",
                         [&](std::string_view type, const JsonFields& fields) -> Status {
                           RIVAL_ASSIGN_OR_RETURN(NormalizerStep step, read_one_normalizer(type, fields));
                           steps.push_back(std::move(step));
                           return {};
                         });
}

}  // namespace rival::text
