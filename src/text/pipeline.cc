#include "text/pipeline.h"

#include <algorithm>

#include "base/limits.h"
#include "text/unicode.h"

namespace rival::text {
namespace {

// One call of encode: the text's sections one after the other through the steps, with the buffers they share.
class Encoder {
 public:
  // `plain`: offsets of the text at which no control token begins, ascending.
  Encoder(const Pipeline& pipeline, bool parse_special, std::span<const size_t> plain, bool escaped, std::vector<TokenId>& ids)
      : pipeline_(pipeline), parse_special_(parse_special), plain_(plain), escaped_(escaped), ids_(ids) {}

  Status run(std::string_view text) {
    constexpr size_t kWorthRemembering = 4096;
    if (text.size() > kWorthRemembering) Bpe::remember_words(scratch_);
    std::vector<Section> sections;
    pipeline_.added.split(text, {0, static_cast<uint32_t>(text.size())}, parse_special_, plain_, sections);
    for (const Section& section : sections) {
      if (section.id >= 0) {
        ids_.push_back(section.id);
      } else {
        RIVAL_RETURN_IF_ERROR(run_text(text, section.span));
      }
    }
    return {};
  }

 private:
  Status run_text(std::string_view whole, Span span) {
    const bool at_start = span.begin == 0;
    std::string text(whole.substr(span.begin, span.end - span.begin));
    for (const NormalizerStep& step : pipeline_.normalizer)
      RIVAL_RETURN_IF_ERROR(apply(step, escaped_, text));
    if (text.size() > kNormalizedBytesMax)
      return make_error(ErrorCode::kLimit, "normalised text has {} bytes, at most {} are taken", text.size(),
                        kNormalizedBytesMax);
    if (pipeline_.added_normalized.empty()) return run_pieces(std::move(text), at_start);
    std::vector<Section> sections;
    // Where a normaliser has moved the text, the offsets are lost: none of the section's control tokens is parsed.
    const auto next_plain = std::lower_bound(plain_.begin(), plain_.end(), span.begin);
    const bool parse = parse_special_ && (next_plain == plain_.end() || *next_plain >= span.end);
    pipeline_.added_normalized.split(text, {0, static_cast<uint32_t>(text.size())}, parse, {}, sections);
    for (const Section& section : sections) {
      if (section.id >= 0) {
        ids_.push_back(section.id);
      } else {
        RIVAL_RETURN_IF_ERROR(
            run_pieces(text.substr(section.span.begin, section.span.end - section.span.begin),
                       at_start && section.span.begin == 0));
      }
    }
    return {};
  }

  Status run_pieces(std::string text, bool at_start) {
    Pieces pieces{std::move(text), {}, at_start, escaped_};
    if (pieces.text.empty()) return {};
    pieces.spans.push_back({0, static_cast<uint32_t>(pieces.text.size())});
    for (const PreTokenizerStep& step : pipeline_.pre_tokenizer) RIVAL_RETURN_IF_ERROR(apply(step, pieces));
    for (const Span span : pieces.spans)
      RIVAL_RETURN_IF_ERROR(
          run_model(std::string_view(pieces.text).substr(span.begin, span.end - span.begin)));
    return {};
  }

  Status run_model(std::string_view piece) {
    if (const auto* bpe = std::get_if<Bpe>(&pipeline_.model)) {
      bpe->encode(piece, escaped_, scratch_, ids_);
      return {};
    }
    if (const auto* unigram = std::get_if<Unigram>(&pipeline_.model))
      return unigram->encode(piece, escaped_, ids_);
    if (const auto* word_piece = std::get_if<WordPiece>(&pipeline_.model))
      return word_piece->encode(piece, ids_);
    return std::get<WordLevel>(pipeline_.model).encode(piece, ids_);
  }

  // Spans are 32 bits wide; a step makes at most a few bytes of one.
  static constexpr size_t kNormalizedBytesMax = limits::kPromptBytesMax * 8;

  const Pipeline& pipeline_;
  bool parse_special_;
  std::span<const size_t> plain_;
  bool escaped_;
  std::vector<TokenId>& ids_;
  BpeScratch scratch_;
};

// Where the offsets lie once the text is escaped.
std::vector<size_t> escaped_offsets(std::string_view text, std::span<const size_t> offsets) {
  std::vector<size_t> out;
  size_t done = 0, size = 0;
  for (const size_t offset : offsets) {
    size += escape_invalid_utf8(text.substr(done, offset - done)).size();
    done = offset;
    out.push_back(size);
  }
  return out;
}

}  // namespace

Result<std::vector<TokenId>> encode_with(const Pipeline& pipeline, std::string_view text, const EncodeOptions& options) {
  if (text.size() > limits::kPromptBytesMax)
    return make_error(ErrorCode::kLimit, "text has {} bytes, at most {} are taken", text.size(),
                      limits::kPromptBytesMax);
  std::vector<TokenId> ids;
  if (options.add_special) ids = pipeline.prefix;
  const bool escaped = !is_valid_utf8(text);
  const std::string rewritten = escaped ? escape_invalid_utf8(text) : std::string();
  const std::vector<size_t> moved = escaped ? escaped_offsets(text, options.plain) : std::vector<size_t>();
  Encoder encoder(pipeline, options.parse_special, escaped ? std::span<const size_t>(moved) : options.plain, escaped, ids);
  RIVAL_RETURN_IF_ERROR(encoder.run(escaped ? rewritten : text));
  if (options.add_special) ids.insert(ids.end(), pipeline.suffix.begin(), pipeline.suffix.end());
  return ids;
}

}  // namespace rival::text
