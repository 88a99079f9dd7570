#include "model/decoder.h"

#include <algorithm>
#include <cmath>

#include "kernels/dispatch.h"
#include "model/forward_step.h"
#include "model/kv_storage.h"
#include "model/weights.h"

namespace rival::model {

Decoder::Decoder() = default;
Decoder::~Decoder() = default;

const ModelConfig& Decoder::config() const { return impl_->config; }
uint64_t Decoder::weight_bytes() const { return impl_->weights.arena.size(); }
uint64_t Decoder::bytes_read_per_token() const { return impl_->weights.bytes_read_per_token(impl_->config); }

void Decoder::observe(ActivationSums* sums) { impl_->sums = sums; }

namespace {

// The index of `value` in `list`, appended if it is new.
template <typename T>
uint32_t index_of(std::vector<T>& list, const T& value) {
  const auto place = std::find(list.begin(), list.end(), value);
  if (place != list.end()) return static_cast<uint32_t>(place - list.begin());
  list.push_back(value);
  return static_cast<uint32_t>(list.size() - 1);
}

ops::AttentionShape attention_shape(const ModelConfig& config, const LayerConfig& layer) {
  const float scale = config.attention_scale > 0 ? config.attention_scale
                                                 : 1.0f / std::sqrt(static_cast<float>(config.head_dim_k));
  return {layer.n_head, layer.n_head_kv, config.head_dim_k, config.head_dim_v,
          layer.window, config.causal,   scale,             config.attention_softcap, config.attention_temperature_length};
}

// Which forms of activations the weights that read them ask for.
void need(PanelNeeds& needs, const ops::PackedMatrix& matrix) {
  if (!matrix) return;
  (matrix.quantized() ? needs.quantized : needs.plain) = true;
}

}  // namespace

Result<std::unique_ptr<Decoder>> Decoder::create(const ModelSource& source, ThreadTeam& team) {
  RIVAL_ASSIGN_OR_RETURN(Weights weights, Weights::pack(source, team));
  std::unique_ptr<Decoder> decoder(new Decoder);
  decoder->impl_ = std::make_unique<Impl>(source.config, std::move(weights), team, kernels::best_table());
  Impl& impl = *decoder->impl_;
  struct RopeKey {
    float base;
    ops::RopeScaling scaling;
    bool operator==(const RopeKey&) const = default;
  };
  std::vector<RopeKey> ropes;
  for (uint32_t i = 0; i < impl.config.layers.size(); ++i) {
    const LayerConfig& layer = impl.config.layers[i];
    const LayerWeights& w = impl.weights.layers[i];
    impl.layer_shape.push_back(index_of(impl.shapes, attention_shape(impl.config, layer)));
    impl.layer_rope.push_back(layer.rope ? index_of(ropes, RopeKey{layer.rope_base, layer.rope_scaling}) : UINT32_MAX);
    need(impl.qkv_needs, w.q);
    need(impl.qkv_needs, w.k);
    need(impl.qkv_needs, w.v);
    need(impl.o_needs, w.o);
    need(impl.ffn_needs, w.ffn.gate);
    need(impl.ffn_needs, w.ffn.up);
    need(impl.down_needs, w.down);
  }
  need(impl.output_needs, impl.weights.output);
  for (const RopeKey& key : ropes) impl.ropes.emplace_back(impl.config.rope_dim, key.base, key.scaling, impl.weights.rope_factors);
  return decoder;
}

Status Decoder::Impl::check(std::span<const SequenceSlice> slices, const KvStore& kv) const {
  for (const SequenceSlice& slice : slices) {
    const uint64_t end = slice.position + uint64_t{slice.tokens.size()};
    if (slice.tokens.empty()) return make_error(ErrorCode::kInvalidArgument, "a slice has no tokens");
    if (end > slice.pages.size() * uint64_t{kPagePositions})
      return make_error(ErrorCode::kInvalidArgument, "position {} lies beyond the sequence's {} pages", end - 1, slice.pages.size());
    if (slice.logits_count > slice.tokens.size())
      return make_error(ErrorCode::kInvalidArgument, "{} logits wanted of {} tokens", slice.logits_count, slice.tokens.size());
    if (weights.position_embedding.view.rows > 0 && end > weights.position_embedding.view.rows)
      return make_error(ErrorCode::kLimit, "position {} lies beyond the {} positions that the model has", end - 1,
                        weights.position_embedding.view.rows);
    for (const text::TokenId id : slice.tokens)
      if (id < 0 || static_cast<uint32_t>(id) >= config.vocabulary_size)
        return make_error(ErrorCode::kInvalidArgument, "token id {} is not in the vocabulary of {}", id, config.vocabulary_size);
    for (const PageId page : slice.pages)
      if (page >= kv.page_count()) return make_error(ErrorCode::kInvalidArgument, "page {} of {}", page, kv.page_count());
  }
  return {};
}

Status Decoder::forward(std::span<const SequenceSlice> slices, KvStore& kv, std::vector<float>& logits) {
  RIVAL_RETURN_IF_ERROR(impl_->check(slices, kv));
  if (!impl_->weights.output) return make_error(ErrorCode::kUnsupported, "{} is an embedding model: it gives no logits", impl_->config.architecture);
  ForwardStep& step = impl_->step;
  step.begin(*impl_, slices, kv.storage());
  logits.resize(size_t{step.wanted()} * impl_->config.vocabulary_size);
  if (slices.empty()) return {};
  impl_->team.run([&](uint32_t thread) {
    const ops::Context context{impl_->kernels, impl_->team, thread};
    step.layers(context);
    step.head(context, logits.data());
  });
  return {};
}

Status Decoder::embed(std::span<const SequenceSlice> slices, std::vector<float>& embeddings) {
  const ModelConfig& config = impl_->config;
  std::vector<SequenceSlice> own(slices.begin(), slices.end());
  std::vector<std::vector<PageId>> pages;
  uint32_t count = 0;
  for (SequenceSlice& slice : own) {
    pages.emplace_back();
    for (uint32_t p = 0; p < (slice.tokens.size() + kPagePositions - 1) / kPagePositions; ++p) pages.back().push_back(count++);
    slice.position = 0;
    slice.logits_count = 0;
  }
  for (size_t i = 0; i < own.size(); ++i) own[i].pages = pages[i];
  KvStore kv(config, KvType::kF32, count);  // read once and dropped: there is nothing to save
  RIVAL_RETURN_IF_ERROR(impl_->check(own, kv));
  embeddings.assign(own.size() * config.d_model, 0.0f);
  if (own.empty()) return {};
  ForwardStep& step = impl_->step;
  step.begin(*impl_, own, kv.storage());
  std::vector<float> states;
  states.resize(size_t{step.tokens()} * config.d_model);
  impl_->team.run([&](uint32_t thread) {
    const ops::Context context{impl_->kernels, impl_->team, thread};
    step.layers(context);
    step.states(context, states.data());
  });
  const float* row = states.data();
  for (size_t i = 0; i < own.size(); ++i) {
    impl_->pool(row, static_cast<uint32_t>(own[i].tokens.size()), &embeddings[i * config.d_model]);
    row += own[i].tokens.size() * config.d_model;
  }
  return {};
}

void Decoder::Impl::pool(const float* states, uint32_t tokens, float* out) const {
  const uint32_t d = config.d_model;
  if (config.pooling == Pooling::kMean) {
    for (uint32_t t = 0; t < tokens; ++t) kernels.multiply_add(out, states + size_t{t} * d, 1.0f / static_cast<float>(tokens), d);
  } else {
    std::copy_n(states + (config.pooling == Pooling::kCls ? 0 : size_t{tokens - 1} * d), d, out);
  }
  if (!config.normalize_embedding) return;
  double squares = 0;
  for (uint32_t i = 0; i < d; ++i) squares += double{out[i]} * out[i];
  if (squares > 0) kernels.scale(out, static_cast<float>(1.0 / std::sqrt(squares)), d, out);
}

}  // namespace rival::model
