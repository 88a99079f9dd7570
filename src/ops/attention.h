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
  bool quantized = false;

  // Bytes of one KV head in one page.
  static uint64_t head_bytes(uint32_t dk, uint32_t dv, bool quantized) {
    const uint64_t values = uint64_t{kernels::kPagePositions} * (dk + dv);
    return quantized ? values + 2 * kernels::kPagePositions * sizeof(float) : 2 * values;
  }
  kernels::PageView page(uint32_t page, uint32_t kv_head) const {
    uint8_t* keys = base + page * page_stride + kv_head * head_bytes(dk, dv, quantized);
    const uint64_t element = quantized ? 1 : 2;
    uint8_t* values = keys + element * kernels::kPagePositions * dk;
    float* scales = quantized ? reinterpret_cast<float*>(values + uint64_t{kernels::kPagePositions} * dv) : nullptr;
    return {keys, values, scales, scales ? scales + kernels::kPagePositions : nullptr};
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
  uint32_t rows(const Unit& unit) const { return unit.tokens * group(); }
  size_t part_floats(const Unit& unit) const { return size_t{rows(unit)} * (2 + shape_.dv); }
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
