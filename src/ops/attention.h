// Attention over paged keys and values (paged: Kwon et al. 2023, arXiv 2309.06180; softmax in parts: Dao et al. 2022,
// arXiv 2205.14135). Sums are cut at fixed positions, every kChunkPositions, so that a token's result does not depend
// on the batch, on how its prompt came in, or on the number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ops/context.h"

namespace rival::ops {

// Keys and values of one layer inside the pages of a store.
struct KvLayer {
  uint8_t* base = nullptr;  // of the layer inside page 0
  uint64_t page_stride = 0; // bytes from page to page
  uint32_t dk = 0, dv = 0;
  kernels::PageType type = kernels::PageType::kF16;

  static uint32_t element_bytes(kernels::PageType type) {
    constexpr uint32_t kBytes[kernels::kPageTypes] = {2, 1, 4};
    return kBytes[static_cast<int>(type)];
  }
  // Bytes of one KV head in one page.
  static uint64_t head_bytes(uint32_t dk, uint32_t dv, kernels::PageType type) {
    const uint64_t numbers = uint64_t{kernels::kPagePositions} * (dk + kernels::value_stride(static_cast<int>(dv)));
    const uint64_t scales = type == kernels::PageType::kQ8 ? 2 * kernels::kPagePositions * sizeof(float) : 0;
    return numbers * element_bytes(type) + scales;
  }
  kernels::PageView page(uint32_t page, uint32_t kv_head) const {
    uint8_t* keys = base + page * page_stride + kv_head * head_bytes(dk, dv, type);
    uint8_t* values = keys + uint64_t{element_bytes(type)} * kernels::kPagePositions * dk;
    if (type != kernels::PageType::kQ8) return {keys, values, nullptr, nullptr};
    auto* scales = reinterpret_cast<float*>(keys + head_bytes(dk, dv, type)) - 2 * kernels::kPagePositions;
    return {keys, values, scales, scales + kernels::kPagePositions};
  }
};

// The tokens of one sequence in a step.
struct AttentionSlice {
  uint32_t first_token;             // index in the step
  uint32_t tokens;
  uint32_t position;                // of the first token
  std::span<const uint32_t> pages;  // page ids from position 0 on
};

// What layers of one kind have in common.
struct AttentionShape {
  uint32_t n_head = 0, n_head_kv = 0, dk = 0, dv = 0;
  uint32_t window = 0;  // 0 = all
  bool causal = true;
  float scale = 1.0f;
  float softcap = 0.0f;
  // Scores of queries at positions p > temperature_length are multiplied, after the cap, by log p over the logarithm
  // of that length (Grok-2). 0 = never.
  uint32_t temperature_length = 0;

  bool operator==(const AttentionShape&) const = default;
};

// How a step's attention is cut into tasks, for all layers of one shape.
class AttentionPlan {
 public:
  // by_chunk: every task is one chunk of positions, whose parts finish() brings together; otherwise a task forms whole
  // outputs unless there are too few of them for the team.
  AttentionPlan(const AttentionShape& shape, std::span<const AttentionSlice> slices, uint32_t threads, bool by_chunk);

  // Runs all tasks. queries [token][n_head * dk], out [token][n_head * dv]; sinks [n_head] or null (gpt-oss: a logit
  // that takes weight and gives no value). A barrier must follow.
  void run(const Context& context, const KvLayer& layer, const float* queries, const float* sinks, float* out);

  // Completes the tokens [first, last) that run() left in parts.
  void finish(const Context& context, uint32_t first, uint32_t last, const float* sinks, float* out) const;

 private:
  // Query rows that share a KV head: `tokens` tokens of a slice times the heads of the group.
  struct Unit {
    uint32_t slice, kv_head, first, tokens;  // first: token inside the slice
    uint32_t first_chunk, chunks;
    size_t part;                             // of its first chunk in parts_, if split
    bool split;
  };
  struct Task {
    uint32_t unit;
    uint32_t chunk;  // relative to first_chunk; kAllChunks for all of them
  };
  static constexpr uint32_t kAllChunks = UINT32_MAX;
  struct Rows;

  uint32_t group() const { return shape_.n_head / shape_.n_head_kv; }
  uint32_t part_stride() const { return static_cast<uint32_t>(kernels::value_stride(static_cast<int>(shape_.dv))); }
  uint32_t rows(const Unit& unit) const { return unit.tokens * group(); }
  size_t part_floats(const Unit& unit) const { return size_t{rows(unit)} * (2 + part_stride()); }
  kernels::AttentionPart part_at(const Unit& unit, float* place) const;
  void gather(const Unit& unit, const float* queries, Rows& rows) const;
  void attend_chunk(const Context& context, const KvLayer& layer, const Unit& unit, uint32_t chunk, Rows& rows,
                    const kernels::AttentionPart& part) const;
  void write_rows(const Context& context, const Unit& unit, const kernels::AttentionPart& total, const float* sinks,
                  uint32_t first, uint32_t last, float* out) const;

  AttentionShape shape_;
  std::vector<AttentionSlice> slices_;
  std::vector<Unit> units_;
  std::vector<Task> tasks_;
  std::vector<float> parts_;
};

}  // namespace rival::ops
