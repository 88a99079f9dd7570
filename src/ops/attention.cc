#include "ops/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace rival::ops {

using kernels::kChunkPages;
using kernels::kChunkPositions;
using kernels::kPagePositions;

namespace {
constexpr uint32_t kRowsAtOnce = 12;  // rows that the kernel keeps in registers
}

// A thread's working memory for one unit.
struct AttentionPlan::Rows {
  std::vector<float> queries, scores, part, total, heat;
  std::vector<int32_t> first, last;
};

AttentionPlan::AttentionPlan(const AttentionShape& shape, std::span<const AttentionSlice> slices, uint32_t threads,
                             bool by_chunk)
    : shape_(shape), slices_(slices.begin(), slices.end()) {
  const uint32_t block = std::max(1u, kRowsAtOnce / group());
  for (uint32_t s = 0; s < slices_.size(); ++s)
    for (uint32_t first = 0; first < slices_[s].tokens; first += block) {
      const uint32_t tokens = std::min(block, slices_[s].tokens - first);
      const uint32_t position = slices_[s].position + first;
      const uint32_t seen = shape_.causal ? position + tokens : slices_[s].position + slices_[s].tokens;
      const uint32_t from = shape_.window > 0 && position + 1 > shape_.window ? position + 1 - shape_.window : 0;
      const uint32_t first_chunk = from / kChunkPositions;
      const uint32_t chunks = (seen - 1) / kChunkPositions + 1 - first_chunk;
      for (uint32_t head = 0; head < shape_.n_head_kv; ++head)
        units_.push_back({s, head, first, tokens, first_chunk, chunks, 0, false});
    }
  const bool few = units_.size() < 4 * threads;
  size_t floats = 0;
  for (uint32_t u = 0; u < units_.size(); ++u) {
    Unit& unit = units_[u];
    unit.split = by_chunk || (few && unit.chunks > 1);
    if (!unit.split) {
      tasks_.push_back({u, kAllChunks});
      continue;
    }
    unit.part = floats;
    floats += part_floats(unit) * unit.chunks;
    for (uint32_t chunk = 0; chunk < unit.chunks; ++chunk) tasks_.push_back({u, chunk});
  }
  // The longest first: the last units of a prompt see the most.
  std::stable_sort(tasks_.begin(), tasks_.end(), [&](const Task& a, const Task& b) {
    const auto cost = [&](const Task& t) { return t.chunk == kAllChunks ? units_[t.unit].chunks : 1u; };
    return cost(a) > cost(b);
  });
  parts_.resize(floats);
}

kernels::AttentionPart AttentionPlan::part_at(const Unit& unit, float* place) const {
  return {place, place + rows(unit), place + 2 * rows(unit)};
}

void AttentionPlan::gather(const Unit& unit, const float* queries, Rows& rows) const {
  const AttentionSlice& slice = slices_[unit.slice];
  const uint32_t n = this->rows(unit), dk = shape_.dk;
  rows.queries.resize(size_t{n} * dk);
  rows.first.resize(n);
  rows.last.resize(n);
  rows.heat.assign(n, 1.0f);
  for (uint32_t t = 0; t < unit.tokens; ++t) {
    const uint32_t position = slice.position + unit.first + t;
    const float* from = queries + (size_t{slice.first_token + unit.first + t} * shape_.n_head + unit.kv_head * group()) * dk;
    std::memcpy(&rows.queries[size_t{t} * group() * dk], from, size_t{group()} * dk * sizeof(float));
    for (uint32_t g = 0; g < group(); ++g) {
      const uint32_t r = t * group() + g;
      rows.first[r] = shape_.window > 0 && position + 1 > shape_.window ? static_cast<int32_t>(position + 1 - shape_.window) : 0;
      if (shape_.temperature_length > 0 && position > shape_.temperature_length)
        rows.heat[r] = std::log2(static_cast<float>(position)) / std::log2(static_cast<float>(shape_.temperature_length));
      rows.last[r] = static_cast<int32_t>(shape_.causal ? position : slice.position + slice.tokens - 1);
    }
  }
}

void AttentionPlan::attend_chunk(const Context& context, const KvLayer& layer, const Unit& unit, uint32_t chunk,
                                 Rows& rows, const kernels::AttentionPart& part) const {
  const AttentionSlice& slice = slices_[unit.slice];
  const uint32_t first_page = (unit.first_chunk + chunk) * kChunkPages;
  const uint32_t seen = static_cast<uint32_t>(rows.last.back()) + 1;
  const uint32_t pages_seen = (seen + kPagePositions - 1) / kPagePositions;
  const uint32_t count = std::min<uint32_t>(kChunkPages, pages_seen - first_page);
  kernels::PageView pages[kChunkPages];
  for (uint32_t p = 0; p < count; ++p) pages[p] = layer.page(slice.pages[first_page + p], unit.kv_head);
  rows.scores.resize(kRowsAtOnce * kChunkPositions);
  const kernels::AttentionRows query_rows{static_cast<int>(this->rows(unit)), static_cast<int>(shape_.dk),
                                          static_cast<int>(shape_.dv), rows.queries.data(), rows.first.data(),
                                          rows.last.data(), shape_.scale, shape_.softcap, rows.heat.data()};
  context.kernels.pages[static_cast<int>(layer.type)].attend(
      query_rows, pages, static_cast<int>(count), static_cast<int32_t>(first_page * kPagePositions), rows.scores.data(), part);
}

void AttentionPlan::write_rows(const Context& context, const Unit& unit, const kernels::AttentionPart& total, const float* sinks, uint32_t first,
                               uint32_t last, float* out) const {
  const uint32_t dv = shape_.dv;
  for (uint32_t t = first; t < last; ++t)
    for (uint32_t g = 0; g < group(); ++g) {
      const uint32_t r = (t - unit.first) * group() + g, head = unit.kv_head * group() + g;
      float factor = 1.0f / total.sum[r];
      if (sinks) {
        const float largest = std::max(total.max[r], sinks[head]);
        const float weight = std::exp(total.max[r] - largest);
        factor = weight / (total.sum[r] * weight + std::exp(sinks[head] - largest));
      }
      context.kernels.scale(total.values + size_t{r} * part_stride(), factor, dv,
                            out + (size_t{slices_[unit.slice].first_token + t} * shape_.n_head + head) * dv);
    }
}

void AttentionPlan::run(const Context& context, const KvLayer& layer, const float* queries, const float* sinks, float* out) {
  static thread_local Rows rows;
  const uint32_t count = static_cast<uint32_t>(tasks_.size());
  for (uint32_t i = context.team.next(count); i < count; i = context.team.next(count)) {
    const Task& task = tasks_[i];
    const Unit& unit = units_[task.unit];
    gather(unit, queries, rows);
    if (task.chunk != kAllChunks) {
      attend_chunk(context, layer, unit, task.chunk, rows,
                   part_at(unit, &parts_[unit.part + task.chunk * part_floats(unit)]));
      continue;
    }
    const uint32_t n = this->rows(unit);
    rows.part.resize(part_floats(unit));
    rows.total.resize(part_floats(unit));
    const kernels::AttentionPart part = part_at(unit, rows.part.data()), total = part_at(unit, rows.total.data());
    std::fill_n(total.max, n, -std::numeric_limits<float>::infinity());
    std::fill_n(total.sum, n, 0.0f);
    for (uint32_t chunk = 0; chunk < unit.chunks; ++chunk) {
      attend_chunk(context, layer, unit, chunk, rows, part);
      context.kernels.merge_part(static_cast<int>(n), static_cast<int>(shape_.dv), total, part);
    }
    write_rows(context, unit, total, sinks, unit.first, unit.first + unit.tokens, out);
  }
}

void AttentionPlan::finish(const Context& context, uint32_t first, uint32_t last, const float* sinks, float* out) const {
  static thread_local std::vector<float> buffer;
  for (const Unit& unit : units_) {
    if (!unit.split) continue;
    const uint32_t at = slices_[unit.slice].first_token;
    const uint32_t from = std::max(first, at + unit.first), to = std::min(last, at + unit.first + unit.tokens);
    if (from >= to) continue;
    const uint32_t n = rows(unit);
    buffer.resize(part_floats(unit));
    const kernels::AttentionPart total = part_at(unit, buffer.data());
    std::fill_n(total.max, n, -std::numeric_limits<float>::infinity());
    std::fill_n(total.sum, n, 0.0f);
    for (uint32_t chunk = 0; chunk < unit.chunks; ++chunk) {
      float* place = const_cast<float*>(&parts_[unit.part + chunk * part_floats(unit)]);
      context.kernels.merge_part(static_cast<int>(n), static_cast<int>(shape_.dv), total, part_at(unit, place));
    }
    write_rows(context, unit, total, sinks, from - at, to - at, out);
  }
}

}  // namespace rival::ops
