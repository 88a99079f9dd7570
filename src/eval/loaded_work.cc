#include "engine/loaded_model.h"
#include "eval/model_work.h"

namespace rival::eval {

ModelWork work_of(engine::LoadedModel& loaded, model::KvType kv) {
  const model::ModelConfig& config = loaded.config();
  ModelWork work;
  for (const model::LayerConfig& layer : config.layers) {
    const double values = double{1} * layer.n_head_kv * (config.head_dim_k + config.head_dim_v);
    work.kv_bytes.push_back(kv == model::KvType::kF16 ? 2.0 * values : values + 8.0 * layer.n_head_kv);
    work.kv_window.push_back(layer.window);
  }
  work.body_ops = 2.0 * static_cast<double>(loaded.matrices().per_token);
  work.head_ops = 2.0 * static_cast<double>(loaded.matrices().head);
  work.weight_bytes = static_cast<double>(loaded.decoder().bytes_read_per_token());
  work.int8 = loaded.matrices().quantised;
  return work;
}

}  // namespace rival::eval
