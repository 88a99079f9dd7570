// The seam between the scheduler and the forward pass: the decoder with its KV pages, or a stand-in in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/decoder.h"

namespace rival::engine {

// Used by one thread at a time.
class ForwardModel {
 public:
  virtual ~ForwardModel() = default;

  virtual uint32_t vocabulary_size() const = 0;
  virtual uint32_t context_length() const = 0;  // as trained
  virtual uint32_t page_count() const = 0;      // of model::kPagePositions positions each
  virtual uint64_t bytes_per_page() const = 0;

  // See Decoder::forward. The logits of a sequence must not depend on the rest of the batch nor on how its tokens
  // were cut into slices: prefix reuse, preemption and speculation rest on it.
  virtual Status forward(std::span<const model::SequenceSlice> slices, std::vector<float>& logits) = 0;

  // See Decoder::embed. One vector of equal length a slice.
  virtual Status embed(std::span<const model::SequenceSlice> slices, std::vector<float>& embeddings) = 0;

  virtual void copy_page(model::PageId from, model::PageId to) = 0;

  // Runs work(i) for every i < count, on as many threads as the model computes with.
  virtual void for_each(size_t count, const std::function<void(size_t)>& work) = 0;
};

// The real one. The decoder, the store and the team outlive it.
std::unique_ptr<ForwardModel> make_forward_model(model::Decoder& decoder, model::KvStore& kv, ThreadTeam& team);

}  // namespace rival::engine
