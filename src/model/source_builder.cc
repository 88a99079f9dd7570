#include "model/source_builder.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "tensor/dequantize.h"

namespace rival::model {
namespace {

enum class Need { kRequired, kOptional };

// The rows [first, first + count) of a matrix.
MatrixView rows_of(MatrixView matrix, uint64_t first, uint64_t count) {
  const bool whole_rows = matrix.row_stride == matrix.cols && matrix.col_stride == 1;
  matrix.data += whole_rows ? first * row_bytes(matrix.type, matrix.cols)
                            : first * matrix.row_stride * dtype_info(matrix.type).block_bytes;
  matrix.rows = count;
  return matrix;
}

Vector take_floats(const StoredTensor& stored, size_t matrix, uint64_t row) {
  const MatrixView view = stored.matrix(matrix);
  const MatrixView one_row = rows_of(view, row, 1);
  Vector values(view.cols);
  if (view.col_stride == 1) {
    dequantize_row(view.type, one_row.data, values.data(), view.cols);
  } else {
    const uint64_t step = view.col_stride * dtype_info(view.type).block_bytes;
    for (uint64_t i = 0; i < view.cols; ++i)
      dequantize_row(view.type, one_row.data + i * step, &values[i], 1);
  }
  for (float& value : values) value += stored.offset;
  return values;
}

bool holds_weights(DType type) {
  return type != DType::kI8 && type != DType::kI16 && type != DType::kI32 && type != DType::kI64;
}

class Builder {
 public:
  Builder(const Architecture& architecture, WeightFile& weights)
      : architecture_(architecture), weights_(weights) {}

  Status build(ModelConfig config);
  ModelSource take() { return std::move(source_); }

 private:
  Status load_ends();
  Status load_rope_factors();
  Status load_layer(uint32_t index);
  Status load_attention(const LayerConfig& layer, LayerSource& out);
  Status load_qkv(const LayerConfig& layer, LayerSource& out);
  Status load_fused_qkv(const StoredTensor& stored, const LayerConfig& layer, LayerSource& out);
  Status load_dense(LayerConfig& layer, LayerSource& out);
  Status load_fused_gate(const LayerConfig& layer, LayerSource& out);
  Status load_experts(LayerSource& out);

  // One tensor of the current layer (prefix_) or, at the ends, of the model. A role that the row requires is
  // required whatever `need` says. An optional tensor that is missing gives an empty view or vector.
  Status matrix(std::string_view role, uint64_t rows, uint64_t cols, Need need, MatrixView& out);
  // A matrix whose number of rows the tensor itself says.
  Status matrix_of_any_height(std::string_view role, uint64_t rows_max, uint64_t cols, Need need,
                              MatrixView& out);
  Status vector(std::string_view role, uint64_t size, Need need, Vector& out);
  Status expert_matrices(std::string_view role, uint64_t rows, uint64_t cols, Need need,
                         std::vector<MatrixView>& out);
  Status expert_vectors(std::string_view role, uint64_t size, std::vector<Vector>& out);
  Result<std::optional<StoredTensor>> find(std::string_view role, Need need);
  Status check_shape(const StoredTensor& stored, uint64_t matrices, uint64_t rows, uint64_t cols) const;

  const Architecture& architecture_;
  WeightFile& weights_;
  ModelSource source_;
  std::string prefix_;
};

Result<std::optional<StoredTensor>> Builder::find(std::string_view role, Need need) {
  const std::string full = prefix_ + std::string(role);
  RIVAL_ASSIGN_OR_RETURN(std::optional<StoredTensor> stored, weights_.find(full));
  const bool listed = std::ranges::find(architecture_.required, role) != architecture_.required.end();
  if (!stored && (need == Need::kRequired || listed))
    return make_error(ErrorCode::kCorrupt, "tensor '{}' is missing; a model of architecture '{}' has it",
                      full, architecture_.name);
  if (stored && !holds_weights(stored->type))
    return make_error(ErrorCode::kCorrupt, "tensor {} has type {}, which holds no weights",
                      format::quote_name(stored->name), dtype_info(stored->type).name);
  return stored;
}

Status Builder::check_shape(const StoredTensor& stored, uint64_t matrices, uint64_t rows,
                            uint64_t cols) const {
  if (stored.matrices.size() == matrices && stored.rows == rows && stored.cols == cols) return {};
  const auto shape = [](uint64_t matrices, uint64_t rows, uint64_t cols) {
    if (matrices > 1) return fmt::format("{} x {} x {}", matrices, rows, cols);
    return rows > 1 ? fmt::format("{} x {}", rows, cols) : fmt::format("{}", cols);
  };
  return make_error(ErrorCode::kCorrupt, "tensor {} is {}, expected {} by the model's hyper-parameters",
                    format::quote_name(stored.name), shape(stored.matrices.size(), stored.rows, stored.cols),
                    shape(matrices, rows, cols));
}

Status Builder::matrix(std::string_view role, uint64_t rows, uint64_t cols, Need need, MatrixView& out) {
  RIVAL_ASSIGN_OR_RETURN(const auto stored, find(role, need));
  if (!stored) return {};
  RIVAL_RETURN_IF_ERROR(check_shape(*stored, 1, rows, cols));
  out = stored->matrix();
  return {};
}

Status Builder::matrix_of_any_height(std::string_view role, uint64_t rows_max, uint64_t cols, Need need,
                                     MatrixView& out) {
  RIVAL_ASSIGN_OR_RETURN(const auto stored, find(role, need));
  if (!stored) return {};
  if (stored->rows > rows_max)
    return make_error(ErrorCode::kLimit, "tensor {} has {} rows; at most {} are supported",
                      format::quote_name(stored->name), stored->rows, rows_max);
  RIVAL_RETURN_IF_ERROR(check_shape(*stored, 1, stored->rows, cols));
  out = stored->matrix();
  return {};
}

Status Builder::vector(std::string_view role, uint64_t size, Need need, Vector& out) {
  RIVAL_ASSIGN_OR_RETURN(const auto stored, find(role, need));
  if (!stored) return {};
  RIVAL_RETURN_IF_ERROR(check_shape(*stored, 1, 1, size));
  out = take_floats(*stored, 0, 0);
  return {};
}

Status Builder::expert_matrices(std::string_view role, uint64_t rows, uint64_t cols, Need need,
                                std::vector<MatrixView>& out) {
  RIVAL_ASSIGN_OR_RETURN(const auto stored, find(role, need));
  if (!stored) return {};
  RIVAL_RETURN_IF_ERROR(check_shape(*stored, source_.config.experts.n_expert, rows, cols));
  for (size_t expert = 0; expert < stored->matrices.size(); ++expert) out.push_back(stored->matrix(expert));
  return {};
}

Status Builder::expert_vectors(std::string_view role, uint64_t size, std::vector<Vector>& out) {
  RIVAL_ASSIGN_OR_RETURN(const auto stored, find(role, Need::kOptional));
  if (!stored) return {};
  RIVAL_RETURN_IF_ERROR(check_shape(*stored, 1, source_.config.experts.n_expert, size));
  for (uint64_t expert = 0; expert < stored->rows; ++expert) out.push_back(take_floats(*stored, 0, expert));
  return {};
}

Status Builder::load_ends() {
  ModelConfig& config = source_.config;
  RIVAL_RETURN_IF_ERROR(matrix_of_any_height("token_embd.weight", limits::kVocabularyMax, config.d_model,
                                             Need::kRequired, source_.token_embedding));
  config.vocabulary_size = static_cast<uint32_t>(source_.token_embedding.rows);
  const uint64_t d = config.d_model;
  if (architecture_.learned_positions) {
    RIVAL_RETURN_IF_ERROR(matrix("position_embd.weight", config.context_length, d, Need::kRequired,
                                 source_.position_embedding));
  }
  if (architecture_.encoder) {
    RIVAL_RETURN_IF_ERROR(matrix_of_any_height("token_types.weight", limits::kVocabularyMax, d,
                                               Need::kOptional, source_.type_embedding));
    RIVAL_RETURN_IF_ERROR(vector("token_embd_norm.weight", d, Need::kRequired, source_.embedding_norm));
    return vector("token_embd_norm.bias", d, Need::kRequired, source_.embedding_norm_bias);
  }
  const Need bias = config.norm == NormKind::kLayer ? Need::kRequired : Need::kOptional;
  RIVAL_RETURN_IF_ERROR(vector("output_norm.weight", d, Need::kRequired, source_.output_norm));
  RIVAL_RETURN_IF_ERROR(vector("output_norm.bias", d, bias, source_.output_norm_bias));
  return matrix("output.weight", config.vocabulary_size, d, Need::kOptional, source_.output);
}

Status Builder::load_rope_factors() {
  const uint64_t pairs = source_.config.rope_dim / 2;
  Vector shorter;
  RIVAL_RETURN_IF_ERROR(vector("rope_freqs.weight", pairs, Need::kOptional, source_.rope_factors));
  RIVAL_RETURN_IF_ERROR(vector("rope_factors_short.weight", pairs, Need::kOptional, shorter));
  RIVAL_RETURN_IF_ERROR(vector("rope_factors_long.weight", pairs, Need::kOptional, source_.rope_factors_long));
  if (source_.rope_factors.empty()) source_.rope_factors = std::move(shorter);
  if (source_.config.context_length_long == 0) source_.rope_factors_long.clear();
  for (const Vector* factors : {&source_.rope_factors, &source_.rope_factors_long})
    for (const float factor : *factors)
      if (!std::isfinite(factor) || factor <= 0.0f)
        return make_error(ErrorCode::kCorrupt, "a divisor of the RoPE frequencies is {}, expected positive numbers",
                          factor);
  return {};
}

Status Builder::load_fused_qkv(const StoredTensor& stored, const LayerConfig& layer, LayerSource& out) {
  const ModelConfig& config = source_.config;
  const uint64_t q = uint64_t{layer.n_head} * config.head_dim_k,
                 k = uint64_t{layer.n_head_kv} * config.head_dim_k,
                 v = uint64_t{layer.n_head_kv} * config.head_dim_v;
  RIVAL_RETURN_IF_ERROR(check_shape(stored, 1, q + k + v, config.d_model));
  out.q = rows_of(stored.matrix(), 0, q);
  out.k = rows_of(stored.matrix(), q, k);
  out.v = rows_of(stored.matrix(), q + k, v);
  Vector bias;
  RIVAL_RETURN_IF_ERROR(vector("attn_qkv.bias", q + k + v, Need::kOptional, bias));
  if (bias.empty()) return {};
  const auto end_of_q = bias.begin() + static_cast<std::ptrdiff_t>(q);
  const auto end_of_k = end_of_q + static_cast<std::ptrdiff_t>(k);
  out.q_bias.assign(bias.begin(), end_of_q);
  out.k_bias.assign(end_of_q, end_of_k);
  out.v_bias.assign(end_of_k, bias.end());
  return {};
}

Status Builder::load_qkv(const LayerConfig& layer, LayerSource& out) {
  RIVAL_ASSIGN_OR_RETURN(const auto fused, find("attn_qkv.weight", Need::kOptional));
  if (fused) return load_fused_qkv(*fused, layer, out);
  const ModelConfig& config = source_.config;
  const uint64_t d = config.d_model, q = uint64_t{layer.n_head} * config.head_dim_k,
                 k = uint64_t{layer.n_head_kv} * config.head_dim_k,
                 v = uint64_t{layer.n_head_kv} * config.head_dim_v;
  RIVAL_RETURN_IF_ERROR(matrix("attn_q.weight", q, d, Need::kRequired, out.q));
  RIVAL_RETURN_IF_ERROR(matrix("attn_k.weight", k, d, Need::kRequired, out.k));
  RIVAL_RETURN_IF_ERROR(matrix("attn_v.weight", v, d, Need::kRequired, out.v));
  RIVAL_RETURN_IF_ERROR(vector("attn_q.bias", q, Need::kOptional, out.q_bias));
  RIVAL_RETURN_IF_ERROR(vector("attn_k.bias", k, Need::kOptional, out.k_bias));
  return vector("attn_v.bias", v, Need::kOptional, out.v_bias);
}

Status Builder::load_attention(const LayerConfig& layer, LayerSource& out) {
  const ModelConfig& config = source_.config;
  const uint64_t d = config.d_model;
  RIVAL_RETURN_IF_ERROR(vector("attn_norm.weight", d, Need::kOptional, out.attn_norm));
  RIVAL_RETURN_IF_ERROR(vector("attn_norm.bias", d, Need::kOptional, out.attn_norm_bias));
  RIVAL_RETURN_IF_ERROR(load_qkv(layer, out));
  const uint64_t q_heads = architecture_.norms_all_heads ? layer.n_head : 1;
  const uint64_t k_heads = architecture_.norms_all_heads ? layer.n_head_kv : 1;
  RIVAL_RETURN_IF_ERROR(vector("attn_q_norm.weight", q_heads * config.head_dim_k, Need::kOptional, out.q_norm));
  RIVAL_RETURN_IF_ERROR(vector("attn_k_norm.weight", k_heads * config.head_dim_k, Need::kOptional, out.k_norm));
  RIVAL_RETURN_IF_ERROR(vector("attn_sinks.weight", layer.n_head, Need::kOptional, out.sinks));
  RIVAL_RETURN_IF_ERROR(
      matrix("attn_output.weight", d, uint64_t{layer.n_head} * config.head_dim_v, Need::kRequired, out.o));
  RIVAL_RETURN_IF_ERROR(vector("attn_output.bias", d, Need::kOptional, out.o_bias));
  RIVAL_RETURN_IF_ERROR(vector("post_attention_norm.weight", d, Need::kOptional, out.attn_post_norm));
  RIVAL_RETURN_IF_ERROR(vector("ffn_norm.weight", d, Need::kOptional, out.ffn_norm));
  RIVAL_RETURN_IF_ERROR(vector("ffn_norm.bias", d, Need::kOptional, out.ffn_norm_bias));
  return vector("post_ffw_norm.weight", d, Need::kOptional, out.ffn_post_norm);
}

Status Builder::load_fused_gate(const LayerConfig& layer, LayerSource& out) {
  const uint64_t f = layer.feed_forward;
  MatrixView both;
  RIVAL_RETURN_IF_ERROR(matrix("ffn_up.weight", 2 * f, source_.config.d_model, Need::kRequired, both));
  out.gate = rows_of(both, 0, f);
  out.up = rows_of(both, f, f);
  return {};
}

Status Builder::load_dense(LayerConfig& layer, LayerSource& out) {
  const uint64_t d = source_.config.d_model;
  if (layer.experts) {  // Grok-2, Qwen 2 MoE: the width is the tensor's
    RIVAL_RETURN_IF_ERROR(
        matrix_of_any_height("ffn_up.weight", limits::kFeedForwardMax, d, Need::kOptional, out.up));
    if (out.up.rows == 0) return {};
    layer.feed_forward = static_cast<uint32_t>(out.up.rows);
  }
  const uint64_t f = layer.feed_forward;
  if (f == 0)
    return make_error(ErrorCode::kCorrupt,
                      "feed_forward_length is missing or 0, expected the width of the block");
  if (architecture_.fused_gate) {
    RIVAL_RETURN_IF_ERROR(load_fused_gate(layer, out));
  } else {
    RIVAL_RETURN_IF_ERROR(
        matrix("ffn_gate.weight", f, d, layer.experts ? Need::kRequired : Need::kOptional, out.gate));
    RIVAL_RETURN_IF_ERROR(matrix("ffn_up.weight", f, d, Need::kRequired, out.up));
  }
  RIVAL_RETURN_IF_ERROR(matrix("ffn_down.weight", d, f, Need::kRequired, out.down));
  RIVAL_RETURN_IF_ERROR(vector("ffn_gate.bias", f, Need::kOptional, out.gate_bias));
  RIVAL_RETURN_IF_ERROR(vector("ffn_up.bias", f, Need::kOptional, out.up_bias));
  return vector("ffn_down.bias", d, Need::kOptional, out.down_bias);
}

Status Builder::load_experts(LayerSource& out) {
  const ExpertsConfig& experts = source_.config.experts;
  const uint64_t d = source_.config.d_model, f = experts.feed_forward;
  RIVAL_RETURN_IF_ERROR(matrix("ffn_gate_inp.weight", experts.n_expert, d, Need::kRequired, out.router));
  RIVAL_RETURN_IF_ERROR(vector("ffn_gate_inp.bias", experts.n_expert, Need::kOptional, out.router_bias));
  RIVAL_RETURN_IF_ERROR(expert_matrices("ffn_gate_exps.weight", f, d, Need::kOptional, out.expert_gate));
  RIVAL_RETURN_IF_ERROR(expert_matrices("ffn_up_exps.weight", f, d, Need::kRequired, out.expert_up));
  RIVAL_RETURN_IF_ERROR(expert_matrices("ffn_down_exps.weight", d, f, Need::kRequired, out.expert_down));
  RIVAL_RETURN_IF_ERROR(expert_vectors("ffn_gate_exps.bias", f, out.expert_gate_bias));
  RIVAL_RETURN_IF_ERROR(expert_vectors("ffn_up_exps.bias", f, out.expert_up_bias));
  RIVAL_RETURN_IF_ERROR(vector("ffn_gate_inp_shexp.weight", d, Need::kOptional, out.dense_gate));
  return expert_vectors("ffn_down_exps.bias", d, out.expert_down_bias);
}

Status Builder::load_layer(uint32_t index) {
  LayerConfig& layer = source_.config.layers[index];
  LayerSource& out = source_.layers.emplace_back();
  prefix_ = fmt::format("blk.{}.", index);
  RIVAL_RETURN_IF_ERROR(load_attention(layer, out));
  if (layer.experts) RIVAL_RETURN_IF_ERROR(load_experts(out));
  if (!layer.experts || architecture_.dense_beside_experts) RIVAL_RETURN_IF_ERROR(load_dense(layer, out));
  prefix_.clear();
  return {};
}

Status Builder::build(ModelConfig config) {
  source_.config = std::move(config);
  RIVAL_RETURN_IF_ERROR(load_ends());
  RIVAL_RETURN_IF_ERROR(load_rope_factors());
  for (uint32_t index = 0; index < source_.config.layers.size(); ++index)
    RIVAL_RETURN_IF_ERROR(load_layer(index));
  if (const std::string name = weights_.unused(); !name.empty())
    return make_error(ErrorCode::kUnsupported, "tensor {} is not one that architecture '{}' has",
                      format::quote_name(name), architecture_.name);
  const bool dense =
      std::ranges::any_of(source_.config.layers, [](const auto& layer) { return layer.feed_forward; });
  if (!dense) source_.config.ffn_residual_scale = 1.0f;  // Grok-1: nothing beside the experts
  source_.files = weights_.files();
  source_.buffers = weights_.buffers();
  source_.bytes = weights_.bytes();
  return {};
}

}  // namespace

Result<ModelSource> build_source(const Architecture& architecture, ModelConfig config, WeightFile& weights) {
  Builder builder(architecture, weights);
  RIVAL_RETURN_IF_ERROR(builder.build(std::move(config)));
  return builder.take();
}

}  // namespace rival::model
