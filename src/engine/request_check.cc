#include "engine/request_check.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace rival::engine {
namespace {

bool known(TokenId id, uint32_t vocabulary_size) { return id >= 0 && static_cast<uint32_t>(id) < vocabulary_size; }

Status check_prompt(const Request& request, const EngineOptions& options) {
  if (request.prompt.empty()) return make_error(ErrorCode::kInvalidArgument, "the prompt is empty");
  const uint64_t limit = options.context;
  if (request.prompt.size() < limit) return {};
  if (request.overflow == OverflowPolicy::kError)
    return make_error(ErrorCode::kLimit, "the prompt has {} tokens; the context of {} leaves room for {} and an answer",
                      request.prompt.size(), limit, limit - 1);
  if (request.keep_tokens >= limit / 2)
    return make_error(ErrorCode::kLimit, "keep_tokens is {}; a context of {} keeps at most {}", request.keep_tokens,
                      limit, limit / 2);
  return {};
}

// Room for the answer in a prompt that is cut: max_tokens, but at most half of the context.
uint32_t answer_room(const Request& request, uint32_t context) {
  return std::clamp(request.max_tokens.value_or(context / 4), 1u, std::max(1u, context / 2));
}

uint32_t truncate_left(Request& request, uint32_t context) {
  if (request.prompt.size() < context) return 0;
  const uint32_t kept = std::max(request.keep_tokens + 1, context - answer_room(request, context));
  const uint32_t cut = static_cast<uint32_t>(request.prompt.size()) - kept;
  const auto begin = request.prompt.begin() + request.keep_tokens;
  request.prompt.erase(begin, begin + cut);
  return cut;
}

}  // namespace

Status check_request(const Request& request, const EngineOptions& options, uint32_t vocabulary_size) {
  RIVAL_RETURN_IF_ERROR(check_prompt(request, options));
  for (const TokenId id : request.prompt)
    if (!known(id, vocabulary_size))
      return make_error(ErrorCode::kInvalidArgument, "the prompt holds token {}; the vocabulary has {}", id,
                        vocabulary_size);
  for (const TokenId id : request.stop_tokens)
    if (!known(id, vocabulary_size))
      return make_error(ErrorCode::kInvalidArgument, "stop_tokens holds {}; the vocabulary has {}", id,
                        vocabulary_size);
  if (request.n == 0 || request.n > limits::kAnswersMax)
    return make_error(ErrorCode::kInvalidArgument, "n is {}; expected 1 to {}", request.n, limits::kAnswersMax);
  if (request.max_tokens && request.min_tokens > *request.max_tokens)
    return make_error(ErrorCode::kInvalidArgument, "min_tokens is {}, more than max_tokens, {}", request.min_tokens,
                      *request.max_tokens);
  return check_sampler_params(request.sampler, vocabulary_size);
}

PreparedRequest prepare_request(Request request, const EngineOptions& options) {
  PreparedRequest prepared;
  prepared.state = std::make_shared<RequestState>();
  prepared.state->context_limit = options.context;
  prepared.state->truncated_tokens = truncate_left(request, options.context);
  prepared.state->ending = options.end_of_generation;
  auto& ending = prepared.state->ending;
  ending.insert(ending.end(), request.stop_tokens.begin(), request.stop_tokens.end());
  std::sort(ending.begin(), ending.end());
  ending.erase(std::unique(ending.begin(), ending.end()), ending.end());
  prepared.prompt = std::move(request.prompt);
  prepared.constraint = std::move(request.constraint);
  prepared.state->request = std::move(request);
  return prepared;
}

std::unique_ptr<Sequence> make_sequences(PreparedRequest prepared, uint64_t seed, const EngineOptions& options) {
  const auto make = [&](uint32_t index, std::unique_ptr<TokenConstraint> constraint) {
    std::unique_ptr<TextStream> text;
    if (options.text_stream) text = options.text_stream(prepared.state->request.special_text);
    return std::make_unique<Sequence>(prepared.state, index, prepared.prompt, seed, std::move(constraint),
                                      std::move(text));
  };
  std::vector<std::unique_ptr<Sequence>> followers;
  for (uint32_t i = 1; i < prepared.state->request.n; ++i)
    followers.push_back(make(i, prepared.constraint ? prepared.constraint->clone() : nullptr));
  auto first = make(0, std::move(prepared.constraint));
  first->followers = std::move(followers);
  return first;
}

}  // namespace rival::engine
