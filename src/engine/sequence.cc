#include "engine/sequence.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"

namespace rival::engine {

Sequence::Sequence(std::shared_ptr<const RequestState> state, uint32_t index, std::vector<TokenId> prompt,
                   uint64_t seed, std::unique_ptr<TokenConstraint> constraint, std::unique_ptr<TextStream> text)
    : state_(std::move(state)),
      index_(index),
      tokens_(std::move(prompt)),
      prompt_size_(static_cast<uint32_t>(tokens_.size())),
      sampler_(state_->request.sampler, seed, index),
      constraint_(std::move(constraint)),
      text_(std::move(text)),
      stop_(state_->request.stop) {
  usage.prompt_tokens = prompt_size_;
  usage.truncated_tokens = state_->truncated_tokens;
}

bool Sequence::may_not_end() const {
  return request().ignore_eos || completion_tokens() < request().min_tokens;
}

Result<SampledToken> Sequence::sample(std::span<float> logits) {
  SamplerContext context{.tokens = tokens_, .prompt_size = prompt_size_};
  if (constraint_) {
    allowed_.resize((logits.size() + 31) / 32);
    constraint_->mask(allowed_);
    context.allowed = allowed_;
  }
  if (may_not_end()) context.banned = state_->ending;
  return sampler_.sample(logits, context);
}

// Whether the constraint allows nothing but tokens that end the answer.
bool Sequence::must_end() const {
  uint32_t allowed = 0, ending = 0;
  for (const uint32_t word : allowed_) allowed += static_cast<uint32_t>(std::popcount(word));
  for (const TokenId id : state_->ending) ending += allowed_[id / 32] >> (id % 32) & 1;
  return ending > 0 && allowed == ending;
}

bool Sequence::advance(std::span<float> logits) {
  RIVAL_CHECK(!finished());
  Result<SampledToken> token = sample(logits);
  if (token.ok()) {
    accept(std::move(token).value());
  } else if (constraint_ && may_not_end() && must_end()) {
    end(FinishReason::kStop);  // the answer is complete, however long it was meant to be
  } else {
    end(FinishReason::kError, token.error());
  }
  return !finished();
}

uint32_t Sequence::advance_over(std::span<float> rows, std::span<const TokenId> drafted) {
  const size_t width = rows.size() / (drafted.size() + 1);
  uint32_t right = 0;
  while (advance(rows.subspan(right * width, width)) && right < drafted.size() && tokens_.back() == drafted[right])
    ++right;
  usage.drafted_tokens += static_cast<uint32_t>(drafted.size());
  usage.accepted_tokens += right;
  return right;
}

void Sequence::score_prompt(std::span<const float> rows, uint32_t count) {
  if (scores_.empty()) scores_.push_back({.id = tokens_.front()});
  const size_t width = rows.size() / count;
  for (uint32_t i = 0; i < count; ++i) {
    const size_t next = computed + i + 1;
    if (next != scores_.size() || next >= prompt_size_) continue;  // computed again after its pages were taken away
    scores_.push_back(with_logprobs(tokens_[next], rows.subspan(i * width, width), request().sampler.logprobs));
  }
}

void Sequence::accept(SampledToken token) {
  const TokenId id = token.id;
  tokens_.push_back(id);
  ++usage.completion_tokens;
  if (std::binary_search(state_->ending.begin(), state_->ending.end(), id)) {
    end(FinishReason::kStop);
    finish_->stop_token = id;
    return;
  }
  const size_t begin = stop_.size();
  if (text_) stop_.add(text_->add(id));
  pending_.push_back({std::move(token), begin, stop_.size()});
  if (constraint_) {
    if (Status status = constraint_->accept(id); !status.ok()) return end(FinishReason::kError, status.error());
  }
  if (stop_.met()) {
    end(FinishReason::kStop);
    finish_->stop_string = *stop_.met();
  } else if (constraint_ && constraint_->finished()) {
    end(FinishReason::kStop);
  } else if (request().max_tokens && completion_tokens() >= *request().max_tokens) {
    end(FinishReason::kLength);
  } else if (size() >= state_->context_limit) {
    end(FinishReason::kContext);
  }
}

void Sequence::end(FinishReason reason, Error error) {
  if (finish_) return;
  finish_.emplace();
  finish_->reason = reason;
  finish_->error = std::move(error);
}

void Sequence::take_tokens(Output& output, bool all) {
  while (!pending_.empty()) {
    const Pending& next = pending_.front();
    // At the end, a token of which some text was told, or that has none, belongs to the answer.
    const bool told = all ? next.begin < stop_.taken() || next.end <= stop_.taken() : next.end <= stop_.taken();
    if (!told && !all) return;
    if (told) output.tokens.push_back(std::move(pending_.front().token));
    pending_.pop_front();
  }
}

std::optional<Output> Sequence::take_output(Clock::time_point now) {
  if (told_finish_) return std::nullopt;
  Output output{.request = state_->id, .index = index_};
  if (finished() && text_ && !stop_.met()) stop_.add(text_->finish());
  output.text = finished() ? stop_.take_all() : stop_.take();
  take_tokens(output, finished());
  if (!told_prompt_ && (completion_tokens() > 0 || finished())) {
    told_prompt_ = true;
    output.prompt = std::move(scores_);
  }
  if (!first_token_at_ && completion_tokens() > 0) first_token_at_ = now;
  if (finished()) {
    finish_->usage = usage;
    finish_->timings = timings(now);
    output.finish = finish_;
    told_finish_ = true;
  }
  if (output.text.empty() && output.tokens.empty() && output.prompt.empty() && !output.finish) return std::nullopt;
  return output;
}

void Sequence::mark_started(Clock::time_point now) {
  if (!started_at_) started_at_ = now;
}

void Sequence::mark_prefilled(Clock::time_point now) {
  if (!prefilled_at_) prefilled_at_ = now;
}

Timings Sequence::timings(Clock::time_point now) const {
  Timings t;
  const Clock::time_point begin = state_->submitted;
  t.total_s = seconds_between(begin, now);
  t.queue_s = seconds_between(begin, started_at_.value_or(now));
  if (started_at_ && prefilled_at_) t.prefill_s = seconds_between(*started_at_, *prefilled_at_);
  if (first_token_at_) {
    t.first_token_s = seconds_between(begin, *first_token_at_);
    t.decode_s = seconds_between(*first_token_at_, now);
  }
  return t;
}

}  // namespace rival::engine
