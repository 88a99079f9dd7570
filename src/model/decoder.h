// The forward pass of every architecture, written once. Token ids and positions in, logits out.
//
// Numerics are batch-invariant: the logits of a sequence do not depend on what else is in the batch, on how its
// prompt was cut into chunks, or on the number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/config.h"
#include "text/vocabulary.h"

namespace rival {
class ThreadTeam;
}

namespace rival::model {

struct ActivationSums;
struct ModelSource;

enum class KvType : uint8_t { kF16, kQ8, kF32 };  // kF32: for comparisons with references

// Positions of one page. A page holds keys and values of kPagePositions consecutive positions in every layer.
constexpr uint32_t kPagePositions = 32;

using PageId = uint32_t;

// Storage of keys and values: a fixed number of pages. Which sequence uses which page is the engine's business;
// a page may be read by several sequences (a shared prefix) but written by one. Memory becomes resident as pages
// are first written.
class KvStore {
 public:
  static uint64_t bytes_per_page(const ModelConfig& config, KvType type);
  KvStore(const ModelConfig& config, KvType type, uint32_t page_count);
  ~KvStore();
  KvStore(const KvStore&) = delete;
  KvStore& operator=(const KvStore&) = delete;
  uint32_t page_count() const;
  KvType type() const;
  // Copies page `from` to page `to` in every layer (a fork inside a page).
  void copy_page(PageId from, PageId to);

  struct Storage;  // decoder.cc knows its layout
  Storage& storage() { return *storage_; }

 private:
  std::unique_ptr<Storage> storage_;
};

// A run of consecutive tokens of one sequence inside a step.
struct SequenceSlice {
  std::span<const text::TokenId> tokens;  // at least one
  uint32_t position = 0;                  // of tokens[0]; keys and values of all earlier positions lie in `pages`
  std::span<const PageId> pages;          // covers positions [0, position + tokens.size()), in order
  uint32_t logits_count = 1;              // logits of the last logits_count tokens are wanted, 0 = none
};

class ForwardStep;

class Decoder {
 public:
  // Packs the weights; the source's file pages leave resident memory as it goes. `source` may be dropped
  // afterwards. Errors: kUnsupported, kLimit.
  static Result<std::unique_ptr<Decoder>> create(const ModelSource& source, ThreadTeam& team);
  ~Decoder();

  const ModelConfig& config() const;
  uint64_t weight_bytes() const;          // packed, resident
  uint64_t bytes_read_per_token() const;  // weights that one decode step of one sequence reads

  // One step over a batch of slices of different sequences. Writes one row of config().vocabulary_size logits for
  // every wanted token, in the order of slices, to `logits` (resized). Best up to about 512 tokens a step.
  // Errors: kInvalidArgument for an id or a position out of range.
  Status forward(std::span<const SequenceSlice> slices, KvStore& kv, std::vector<float>& logits);

  // Encoders and embedding models: one pooled vector of d_model a slice, normalised if the model asks.
  Status embed(std::span<const SequenceSlice> slices, std::vector<float>& embeddings);

  // From now on every step adds the squares of its activations to `sums`, which was made for this configuration;
  // nullptr: no longer. What a step computes does not change.
  void observe(ActivationSums* sums);

 private:
  Decoder();
  struct Impl;
  std::unique_ptr<Impl> impl_;
  friend class ForwardStep;
};

}  // namespace rival::model
