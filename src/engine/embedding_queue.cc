#include "engine/embedding_queue.h"

#include <utility>

namespace rival::engine {
namespace {

Status check_inputs(const EmbeddingJob& job, const ForwardModel& model) {
  for (size_t i = 0; i < job.inputs.size(); ++i) {
    const auto& input = job.inputs[i];
    if (input.empty()) return make_error(ErrorCode::kInvalidArgument, "input {} is empty", i);
    if (input.size() > model.context_length())
      return make_error(ErrorCode::kLimit, "input {} has {} tokens; the model takes at most {}", i, input.size(),
                        model.context_length());
    for (const text::TokenId id : input)
      if (id < 0 || static_cast<uint32_t>(id) >= model.vocabulary_size())
        return make_error(ErrorCode::kInvalidArgument, "input {} holds token {}; the vocabulary has {}", i, id,
                          model.vocabulary_size());
  }
  return {};
}

}  // namespace

void EmbeddingQueue::add(EmbeddingJob job) {
  if (Status status = check_inputs(job, model_); !status.ok()) return job.done(status.error());
  if (job.inputs.empty()) return job.done(Engine::Embeddings{});
  jobs_.push_back(std::move(job));
}

bool EmbeddingQueue::step(uint32_t tokens_max) {
  if (jobs_.empty()) return false;
  const Status status = compute(jobs_.front(), tokens_max);
  if (status.ok() && jobs_.front().vectors.size() < jobs_.front().inputs.size()) return true;
  EmbeddingJob job = std::move(jobs_.front());
  jobs_.pop_front();
  if (status.ok()) {
    job.done(std::move(job.vectors));
  } else {
    job.done(status.error());
  }
  return true;
}

Status EmbeddingQueue::compute(EmbeddingJob& job, uint32_t tokens_max) {
  std::vector<model::SequenceSlice> slices;
  size_t tokens = 0;
  for (size_t i = job.vectors.size(); i < job.inputs.size(); ++i) {
    tokens += job.inputs[i].size();
    if (tokens > tokens_max && !slices.empty()) break;
    slices.push_back({.tokens = job.inputs[i], .position = 0, .pages = {}, .logits_count = 0});
  }
  std::vector<float> vectors;
  RIVAL_RETURN_IF_ERROR(model_.embed(slices, vectors));
  const size_t width = vectors.size() / slices.size();
  for (size_t i = 0; i < slices.size(); ++i)
    job.vectors.emplace_back(vectors.begin() + i * width, vectors.begin() + (i + 1) * width);
  return {};
}

void EmbeddingQueue::fail_all(const Error& error) {
  for (EmbeddingJob& job : std::exchange(jobs_, {})) job.done(error);
}

}  // namespace rival::engine
