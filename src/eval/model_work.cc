#include "eval/model_work.h"

#include <algorithm>

namespace rival::eval {

double ModelWork::kv_bytes_at(uint32_t positions) const {
  double bytes = 0.0;
  for (size_t i = 0; i < kv_bytes.size(); ++i)
    bytes += kv_bytes[i] * (kv_window[i] > 0 ? std::min(kv_window[i], positions) : positions);
  return bytes;
}

double least_seconds(const ModelWork& work, const MachineLimits& limits, uint32_t tokens, uint32_t sequences,
                     uint32_t rows, uint32_t depth) {
  const double ops = work.body_ops * tokens + work.head_ops * rows;
  const double peak = work.int8 ? limits.int8_ops_per_s : limits.fma_flops_per_s;
  const double bytes = work.weight_bytes + sequences * work.kv_bytes_at(depth);
  return std::max(ops / peak, bytes / limits.memory_bytes_per_s);
}

}  // namespace rival::eval
