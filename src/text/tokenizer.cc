#include "text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "text/pipeline.h"
#include "text/unicode.h"

namespace rival::text {
namespace {

bool in_range(const Pipeline& pipeline, TokenId id) {
  return id >= 0 && static_cast<size_t>(id) < pipeline.vocabulary.tokens.size();
}

std::string push_id(const Pipeline& pipeline, DecoderRun& run, TokenId id, bool skip_special) {
  if (!in_range(pipeline, id)) return {};
  const auto index = static_cast<size_t>(id);
  const std::string_view token = pipeline.vocabulary.tokens[index];
  if (token.empty() || (skip_special && pipeline.is_special[index])) return {};
  return run.push(token, pipeline.is_as_is[index]);
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<Pipeline> pipeline) : pipeline_(std::move(pipeline)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<Tokenizer> Tokenizer::create(Vocabulary vocabulary) {
  RIVAL_ASSIGN_OR_RETURN(std::unique_ptr<Pipeline> pipeline, build_pipeline(std::move(vocabulary)));
  return Tokenizer(std::move(pipeline));
}

Result<Tokenizer> Tokenizer::from_json(std::string_view tokenizer_json,
                                       std::string_view tokenizer_config_json) {
  RIVAL_ASSIGN_OR_RETURN(std::unique_ptr<Pipeline> pipeline,
                         parse_pipeline(tokenizer_json, tokenizer_config_json));
  return Tokenizer(std::move(pipeline));
}

Result<std::vector<TokenId>> Tokenizer::encode(std::string_view bytes, EncodeOptions options) const {
  return encode_with(*pipeline_, bytes, options);
}

std::string Tokenizer::decode(std::span<const TokenId> ids, DecodeOptions options) const {
  DecoderRun run(pipeline_->decoder, options.inside);
  std::string text;
  for (const TokenId id : ids) text += push_id(*pipeline_, run, id, options.skip_special);
  return text + run.finish();
}

std::string Tokenizer::token_bytes(TokenId id) const {
  DecoderRun run(pipeline_->decoder, true);
  std::string text = push_id(*pipeline_, run, id, false);
  return text + run.finish();
}

void Tokenizer::set_end_of_generation(std::vector<TokenId> ids) {
  pipeline_->vocabulary.end_of_generation = std::move(ids);
}

const Vocabulary& Tokenizer::vocabulary() const { return pipeline_->vocabulary; }

bool Tokenizer::is_control(TokenId id) const {
  return in_range(*pipeline_, id) && pipeline_->is_special[static_cast<size_t>(id)];
}

std::vector<std::string_view> Tokenizer::control_texts() const {
  std::vector<std::string_view> texts;
  for (const AddedTokens* added : {&pipeline_->added, &pipeline_->added_normalized})
    for (const AddedToken& token : added->tokens())
      if (token.special) texts.push_back(token.text);
  return texts;
}

std::optional<TokenId> Tokenizer::find_token(std::string_view text) const {
  if (const AddedToken* token = pipeline_->names.find(text)) return token->id;
  if (const TokenId id = pipeline_->table.find(text); id >= 0) return id;
  const auto& tokens = pipeline_->vocabulary.tokens;
  if (const auto at = std::find(tokens.begin(), tokens.end(), text); at != tokens.end() && !text.empty())
    return static_cast<TokenId>(at - tokens.begin());
  return std::nullopt;
}

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, DecodeOptions options)
    : pipeline_(tokenizer.pipeline_.get()),
      options_(options),
      run_(std::make_unique<DecoderRun>(pipeline_->decoder, options.inside)) {}
StreamDecoder::StreamDecoder(StreamDecoder&&) noexcept = default;
StreamDecoder& StreamDecoder::operator=(StreamDecoder&&) noexcept = default;
StreamDecoder::~StreamDecoder() = default;

std::string StreamDecoder::take_complete(std::string added) {
  pending_ += added;
  const size_t complete = complete_utf8_prefix(pending_);
  std::string text = replace_invalid_utf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return text;
}

std::string StreamDecoder::push(TokenId id) {
  return take_complete(push_id(*pipeline_, *run_, id, options_.skip_special));
}

std::string StreamDecoder::flush() {
  std::string text = take_complete(run_->finish());
  text += replace_invalid_utf8(std::exchange(pending_, {}));
  run_ = std::make_unique<DecoderRun>(pipeline_->decoder, options_.inside);
  return text;
}

}  // namespace rival::text
