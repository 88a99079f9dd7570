#include "model/weights.h"

#include <algorithm>

#include "tensor/dequantize.h"

namespace rival::model {
namespace {

// One matrix to pack: where it comes from and where its plan is kept.
struct Job {
  const MatrixView* view;
  ops::PackedMatrix* matrix;
};

class Packer {
 public:
  explicit Packer(const ModelSource& source) : source_(source) {}

  Status add(const MatrixView& view, ops::PackedMatrix& matrix) {
    if (view.rows == 0) return {};
    RIVAL_ASSIGN_OR_RETURN(matrix, ops::plan_packing(view));
    bytes_ += Arena::rounded(matrix.bytes());
    jobs_.push_back({&view, &matrix});
    return {};
  }

  Result<Arena> run(ThreadTeam& team) {
    RIVAL_ASSIGN_OR_RETURN(Arena arena, Arena::create(bytes_));
    std::vector<uint8_t*> places;
    for (const Job& job : jobs_) {
      places.push_back(reinterpret_cast<uint8_t*>(arena.take(job.matrix->bytes())));
      job.matrix->data = places.back();
    }
    team.run([&](uint32_t thread) {
      for (size_t j = 0; j < jobs_.size(); ++j) pack_share(jobs_[j], places[j], thread, team.size());
    });
    return arena;
  }

 private:
  // Tiles are packed a megabyte at a time, and the file's pages given back at once: packed weights take the place of
  // the mapped ones in memory, they do not join them.
  void pack_share(const Job& job, uint8_t* place, uint32_t thread, uint32_t threads) const {
    const uint32_t tiles = job.matrix->tiles();
    const uint32_t last = static_cast<uint32_t>(uint64_t{tiles} * (thread + 1) / threads);
    const uint32_t step = std::max<uint32_t>(1, static_cast<uint32_t>((1u << 20) / job.matrix->bytes_per_tile));
    for (uint32_t tile = static_cast<uint32_t>(uint64_t{tiles} * thread / threads); tile < last; tile += step) {
      const uint32_t end = std::min(last, tile + step);
      ops::pack_tiles(*job.view, *job.matrix, tile, end, place);
      release(*job.view, uint64_t{tile} * kernels::kTileRows, std::min<uint64_t>(job.view->rows, uint64_t{end} * kernels::kTileRows));
    }
  }

  void release(const MatrixView& view, uint64_t first_row, uint64_t last_row) const {
    if (view.col_stride != 1 || view.row_stride != view.cols) return;  // strided views share their pages
    const uint64_t row = row_bytes(view.type, view.cols);
    const std::span<const std::byte> range(view.data + first_row * row, (last_row - first_row) * row);
    for (const auto& file : source_.files) {
      const auto bytes = file->bytes();
      if (range.data() >= bytes.data() && range.data() + range.size() <= bytes.data() + bytes.size()) file->release(range);
    }
  }

  const ModelSource& source_;
  std::vector<Job> jobs_;
  uint64_t bytes_ = 0;
};

const float* or_null(const Vector& v) { return v.empty() ? nullptr : v.data(); }

kernels::GateKind gate_kind(Activation activation) {
  static_assert(static_cast<int>(Activation::kSilu) == static_cast<int>(kernels::GateKind::kSilu));
  static_assert(static_cast<int>(Activation::kSwigluOai) == static_cast<int>(kernels::GateKind::kSwigluOai));
  return static_cast<kernels::GateKind>(activation);
}

void keep_vectors(const LayerSource& from, LayerSource& to) {
  to = from;
  to.q = to.k = to.v = to.o = to.gate = to.up = to.down = to.router = MatrixView{};
  to.expert_gate.clear();
  to.expert_up.clear();
  to.expert_down.clear();
}

Status add_layer(Packer& packer, const ModelConfig& config, const LayerSource& source, LayerWeights& layer) {
  keep_vectors(source, layer.vectors);
  RIVAL_RETURN_IF_ERROR(packer.add(source.q, layer.q));
  RIVAL_RETURN_IF_ERROR(packer.add(source.k, layer.k));
  RIVAL_RETURN_IF_ERROR(packer.add(source.v, layer.v));
  RIVAL_RETURN_IF_ERROR(packer.add(source.o, layer.o));
  RIVAL_RETURN_IF_ERROR(packer.add(source.gate, layer.ffn.gate));
  RIVAL_RETURN_IF_ERROR(packer.add(source.up, layer.ffn.up));
  RIVAL_RETURN_IF_ERROR(packer.add(source.down, layer.down));
  RIVAL_RETURN_IF_ERROR(packer.add(source.router, layer.router));
  layer.ffn.gate_bias = or_null(layer.vectors.gate_bias);
  layer.ffn.up_bias = or_null(layer.vectors.up_bias);
  layer.ffn.kind = gate_kind(config.activation);
  layer.experts.resize(source.expert_up.size());
  for (size_t e = 0; e < layer.experts.size(); ++e) {
    ops::Expert& expert = layer.experts[e];
    if (!source.expert_gate.empty()) RIVAL_RETURN_IF_ERROR(packer.add(source.expert_gate[e], expert.hidden.gate));
    RIVAL_RETURN_IF_ERROR(packer.add(source.expert_up[e], expert.hidden.up));
    RIVAL_RETURN_IF_ERROR(packer.add(source.expert_down[e], expert.down));
    const LayerSource& v = layer.vectors;
    if (!v.expert_gate_bias.empty()) expert.hidden.gate_bias = v.expert_gate_bias[e].data();
    if (!v.expert_up_bias.empty()) expert.hidden.up_bias = v.expert_up_bias[e].data();
    if (!v.expert_down_bias.empty()) expert.down_bias = v.expert_down_bias[e].data();
    expert.hidden.kind = gate_kind(config.activation);
  }
  return {};
}

}  // namespace

void EmbeddingRows::row(uint32_t index, float* out) const {
  dequantize_row(view.type, view.data + index * row_bytes(view.type, view.row_stride), out, view.cols);
}

Result<Weights> Weights::pack(const ModelSource& source, ThreadTeam& team) {
  Weights weights;
  Packer packer(source);
  weights.layers.resize(source.layers.size());
  for (size_t i = 0; i < source.layers.size(); ++i) {
    const Status added = add_layer(packer, source.config, source.layers[i], weights.layers[i]);
    if (!added.ok()) return with_context(added.error(), fmt::format("layer {}", i));
  }
  weights.tied = source.output.rows == 0;
  if (source.config.causal)
    RIVAL_RETURN_IF_ERROR(packer.add(weights.tied ? source.token_embedding : source.output, weights.output));
  weights.tied = weights.tied && source.config.causal;
  weights.token_embedding.view = source.token_embedding;
  weights.position_embedding.view = source.position_embedding;
  weights.type_embedding.view = source.type_embedding;
  weights.embedding_norm = source.embedding_norm;
  weights.embedding_norm_bias = source.embedding_norm_bias;
  weights.output_norm = source.output_norm;
  weights.output_norm_bias = source.output_norm_bias;
  weights.rope_factors = source.rope_factors;
  weights.files = source.files;
  RIVAL_ASSIGN_OR_RETURN(weights.arena, packer.run(team));
  return weights;
}

uint64_t Weights::bytes_read_per_token(const ModelConfig& config) const {
  uint64_t bytes = output.bytes();
  for (const LayerWeights& layer : layers) {
    for (const ops::PackedMatrix* m : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.ffn.gate, &layer.ffn.up, &layer.down, &layer.router})
      bytes += m->bytes();
    if (!layer.experts.empty()) {
      const ops::Expert& e = layer.experts[0];
      bytes += config.experts.n_used * (e.hidden.gate.bytes() + e.hidden.up.bytes() + e.down.bytes());
    }
  }
  return bytes;
}

}  // namespace rival::model
