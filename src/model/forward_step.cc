#include "model/forward_step.h"

#include <algorithm>
#include <cmath>

namespace rival::model {

void ForwardStep::begin(Decoder::Impl& model, std::span<const SequenceSlice> slices, KvStore::Storage& kv) {
  model_ = &model;
  kv_ = &kv;
  const ModelConfig& c = model.config;
  const bool plain_too = model.sums != nullptr;
  token_.clear();
  wanted_.clear();
  std::vector<ops::AttentionSlice> attention;
  uint32_t positions = 0;
  for (const SequenceSlice& slice : slices) {
    const uint32_t count = static_cast<uint32_t>(slice.tokens.size());
    attention.push_back({tokens(), count, slice.position, slice.pages});
    for (uint32_t t = 0; t < count; ++t) {
      if (t + slice.logits_count >= count) wanted_.push_back(tokens());
      token_.push_back({slice.tokens[t], slice.position + t, slice.pages[(slice.position + t) / kPagePositions]});
    }
    positions = std::max(positions, slice.position + count);
  }
  if (token_.empty()) return;
  for (ops::RopeTable& table : model.ropes) table.grow(positions);
  plans_.clear();
  uint32_t q_width = 0, kv_width = 0;
  for (const ops::AttentionShape& shape : model.shapes) {
    plans_.emplace_back(shape, attention, model.team.size(), replicated());
    q_width = std::max(q_width, shape.n_head * std::max(shape.dk, shape.dv));
    kv_width = std::max(kv_width, shape.n_head_kv * std::max(shape.dk, shape.dv));
  }
  const size_t n = tokens();
  rows_.resize(std::max<size_t>(rows_.size(), replicated() ? model.team.size() : 1));
  for (size_t i = 0; i < (replicated() ? model.team.size() : 1); ++i) {
    Rows& r = rows_[i];
    r.x.resize(n * c.d_model);
    r.normed.resize(n * c.d_model);
    r.attended.resize(n * q_width);
    r.dense_scale.resize(n);
    r.qkv_in.resize(tokens(), c.d_model, model.qkv_needs.quantized, model.qkv_needs.plain || plain_too);
    r.ffn_in.resize(tokens(), c.d_model, model.ffn_needs.quantized, model.ffn_needs.plain || plain_too);
    r.router_in.resize(tokens(), c.d_model, false, c.experts.n_expert > 0);
    if (wanted() > 0) r.output_in.resize(wanted(), c.d_model, model.output_needs.quantized, model.output_needs.plain);
    r.o_in.resize(model.shapes.size());
    for (size_t s = 0; s < model.shapes.size(); ++s)
      r.o_in[s].resize(tokens(), model.shapes[s].n_head * model.shapes[s].dv, model.o_needs.quantized,
                       model.o_needs.plain || plain_too);
  }
  scratch_.resize(model.team.size());
  for (auto& buffer : scratch_) buffer.resize(2 * c.d_model);
  q_.resize(n * q_width);
  k_.resize(n * kv_width);
  v_.resize(n * kv_width);
  out_.resize(n * c.d_model);
  router_logits_.resize(n * c.experts.n_expert);
  choices_.resize(n * c.experts.n_used);
  hidden_.resize(c.layers.size());
  for (size_t i = 0; i < c.layers.size(); ++i) {
    // Layers of one width share the first one's panels: only one feed-forward block is at work at a time.
    size_t owner = 0;
    while (c.layers[owner].feed_forward != c.layers[i].feed_forward) ++owner;
    if (owner == i && dense(static_cast<uint32_t>(i)))
      hidden_[i].resize(tokens(), c.layers[i].feed_forward, model.down_needs.quantized,
                        model.down_needs.plain || plain_too);
  }
}

bool ForwardStep::dense(uint32_t layer) const { return static_cast<bool>(model_->weights.layers[layer].ffn.up); }
bool ForwardStep::sparse(uint32_t layer) const { return !model_->weights.layers[layer].experts.empty(); }

void ForwardStep::norm(const ops::Context& context, const Vector& gain, const Vector& bias, const float* x, float* out) const {
  const ModelConfig& c = model_->config;
  if (c.norm == NormKind::kRms) {
    context.kernels.rms_norm(x, gain.data(), c.norm_eps, c.d_model, out);
  } else {
    context.kernels.layer_norm(x, gain.data(), bias.empty() ? nullptr : bias.data(), c.norm_eps, c.d_model, out);
  }
}

void ForwardStep::embed(const ops::Context& context) {
  const ModelConfig& c = model_->config;
  const Weights& w = model_->weights;
  const auto [first, last] = own_tokens(context);
  float* scratch = scratch_[context.thread].data();
  for (uint32_t t = first; t < last; ++t) {
    float* x = &rows(context).x[size_t{t} * c.d_model];
    const uint32_t id = static_cast<uint32_t>(token_[t].id);
    w.tied ? w.output.row(id, x) : w.token_embedding.row(id, x);
    if (c.embedding_scale != 1.0f) context.kernels.scale(x, c.embedding_scale, c.d_model, x);
    if (w.position_embedding.view.rows > 0) {
      w.position_embedding.row(token_[t].position, scratch);
      context.kernels.add(x, scratch, c.d_model);
    }
    if (w.type_embedding.view.rows > 0) {
      w.type_embedding.row(0, scratch);
      context.kernels.add(x, scratch, c.d_model);
    }
    if (!w.embedding_norm.empty()) norm(context, w.embedding_norm, w.embedding_norm_bias, x, x);
  }
}

// x += f(x), with what the architecture puts between: experts brought together, a norm of the output, a scale.
void ForwardStep::absorb(const ops::Context& context, Pending pending, uint32_t layer, uint32_t token) {
  if (pending == Pending::kNone) return;
  const ModelConfig& c = model_->config;
  const LayerSource& v = model_->weights.layers[layer].vectors;
  const bool attention = pending == Pending::kAttention;
  float* x = &rows(context).x[size_t{token} * c.d_model];
  float* scratch = scratch_[context.thread].data();
  const float* out = &out_[size_t{token} * c.d_model];
  if (!attention && sparse(layer)) {
    experts_.combine(context, token, dense(layer) ? out : nullptr, rows(context).dense_scale[token], scratch);
    out = scratch;
  }
  if (!attention && c.ffn_residual_scale != 1.0f) {
    context.kernels.scale(out, c.ffn_residual_scale, c.d_model, scratch);
    out = scratch;
  }
  const Vector& gain = attention ? v.attn_post_norm : v.ffn_post_norm;
  if (!gain.empty()) {
    norm(context, gain, attention ? v.attn_post_norm_bias : v.ffn_post_norm_bias, out, scratch);
    out = scratch;
  }
  context.kernels.multiply_add(x, out, c.residual_scale, c.d_model);
  if (c.post_norm_only)
    norm(context, attention ? v.attn_norm : v.ffn_norm, attention ? v.attn_norm_bias : v.ffn_norm_bias, x, x);
}

void ForwardStep::layers(const ops::Context& context) {
  embed(context);
  const uint32_t count = static_cast<uint32_t>(model_->config.layers.size());
  for (uint32_t layer = 0; layer < count; ++layer) {
    attention_block(context, layer, layer == 0 ? Pending::kNone : Pending::kFeedForward);
    feed_forward_block(context, layer);
  }
}

void ForwardStep::attention_block(const ops::Context& context, uint32_t layer, Pending before) {
  const LayerWeights& w = model_->weights.layers[layer];
  const uint32_t shape = model_->layer_shape[layer];
  const float* sinks = w.vectors.sinks.empty() ? nullptr : w.vectors.sinks.data();
  Rows& r = rows(context);
  project_heads(context, layer, before);
  place_heads(context, layer);
  context.barrier();
  plans_[shape].run(context, kv_->layer(layer), q_.data(), sinks, r.attended.data());
  context.barrier();
  const auto [first, last] = own_tokens(context);
  plans_[shape].finish(context, first, last, sinks, r.attended.data());
  const size_t width = size_t{model_->shapes[shape].n_head} * model_->shapes[shape].dv;
  for (uint32_t t = first; t < last; ++t) r.o_in[shape].set(context.kernels, t, &r.attended[t * width]);
  meet(context);
  observe(context, r.o_in[shape], &LayerInputSums::attended, layer);
  const ops::LinearOutput o{&w.o, w.vectors.o_bias.empty() ? nullptr : w.vectors.o_bias.data(), out_.data(), model_->config.d_model};
  ops::linear(context, r.o_in[shape], {&o, 1});
  context.barrier();
}

// Norm, then queries, keys and values of all tokens.
void ForwardStep::project_heads(const ops::Context& context, uint32_t layer, Pending before) {
  const ModelConfig& c = model_->config;
  const LayerWeights& w = model_->weights.layers[layer];
  const LayerConfig& l = c.layers[layer];
  Rows& r = rows(context);
  const auto [first, last] = own_tokens(context);
  float* normed = scratch_[context.thread].data() + c.d_model;
  for (uint32_t t = first; t < last; ++t) {
    absorb(context, before, layer - 1, t);
    const float* x = &r.x[size_t{t} * c.d_model];
    const bool pre_norm = !c.post_norm_only && !w.vectors.attn_norm.empty();
    if (pre_norm) norm(context, w.vectors.attn_norm, w.vectors.attn_norm_bias, x, normed);
    r.qkv_in.set(context.kernels, t, pre_norm ? normed : x);
  }
  meet(context);
  observe(context, r.qkv_in, &LayerInputSums::heads, layer);
  const auto bias = [](const Vector& v) { return v.empty() ? nullptr : v.data(); };
  const ops::LinearOutput outputs[] = {
      {&w.q, bias(w.vectors.q_bias), q_.data(), size_t{l.n_head} * c.head_dim_k},
      {&w.k, bias(w.vectors.k_bias), k_.data(), size_t{l.n_head_kv} * c.head_dim_k},
      {&w.v, bias(w.vectors.v_bias), v_.data(), size_t{l.n_head_kv} * c.head_dim_v},
  };
  ops::linear(context, r.qkv_in, outputs);
  context.barrier();
}

namespace {

// RMS norm of every head, or of all heads together, as wide as the gain says.
void norm_heads(const ops::Context& context, const Vector& gain, float eps, uint32_t width, float* x) {
  if (gain.empty()) return;
  for (size_t i = 0; i < width; i += gain.size()) context.kernels.rms_norm(x + i, gain.data(), eps, gain.size(), x + i);
}

}  // namespace

// Norms and turns queries and keys, and stores keys and values in their pages.
void ForwardStep::place_heads(const ops::Context& context, uint32_t layer) {
  const ModelConfig& c = model_->config;
  const LayerConfig& l = c.layers[layer];
  const LayerSource& v = model_->weights.layers[layer].vectors;
  const ops::KvLayer kv = kv_->layer(layer);
  const uint32_t dk = c.head_dim_k, dv = c.head_dim_v;
  const ops::RopeTable* rope = model_->layer_rope[layer] == UINT32_MAX ? nullptr : &model_->ropes[model_->layer_rope[layer]];
  const auto pairs = static_cast<kernels::RotaryPairs>(c.rope_style);
  const auto [first, last] = context.share(tokens());
  for (uint32_t t = first; t < last; ++t) {
    const Token& token = token_[t];
    float* q = &q_[size_t{t} * l.n_head * dk];
    float* k = &k_[size_t{t} * l.n_head_kv * dk];
    norm_heads(context, v.q_norm, c.norm_eps, l.n_head * dk, q);
    norm_heads(context, v.k_norm, c.norm_eps, l.n_head_kv * dk, k);
    if (rope) {
      const float *cos = rope->cos(token.position), *sin = rope->sin(token.position);
      const int half = static_cast<int>(rope->half());
      for (uint32_t h = 0; h < l.n_head; ++h) context.kernels.rotary(q + h * dk, cos, sin, half, pairs);
      for (uint32_t h = 0; h < l.n_head_kv; ++h) context.kernels.rotary(k + h * dk, cos, sin, half, pairs);
    }
    const auto store = context.kernels.pages[static_cast<int>(kv.type)].store;
    for (uint32_t h = 0; h < l.n_head_kv; ++h)
      store(kv.page(token.page, h), static_cast<int>(token.position % kPagePositions), k + h * dk, static_cast<int>(dk),
            &v_[(size_t{t} * l.n_head_kv + h) * dv], static_cast<int>(dv));
  }
}

namespace {

// sigmoid(gate . x); 1 without a gate.
float share_of_dense(const Vector& gate, const float* x) {
  if (gate.empty()) return 1.0f;
  double sum = 0.0;
  for (size_t i = 0; i < gate.size(); ++i) sum += double{gate[i]} * x[i];
  return static_cast<float>(1.0 / (1.0 + std::exp(-sum)));
}

}  // namespace

void ForwardStep::feed_forward_block(const ops::Context& context, uint32_t layer) {
  const ModelConfig& c = model_->config;
  const LayerWeights& w = model_->weights.layers[layer];
  Rows& r = rows(context);
  const auto [first, last] = own_tokens(context);
  for (uint32_t t = first; t < last; ++t) {
    absorb(context, Pending::kAttention, layer, t);
    const float* x = &r.x[size_t{t} * c.d_model];
    float* normed = &r.normed[size_t{t} * c.d_model];
    if (!c.post_norm_only && !w.vectors.ffn_norm.empty()) {
      norm(context, w.vectors.ffn_norm, w.vectors.ffn_norm_bias, x, normed);
    } else {
      std::copy_n(x, c.d_model, normed);
    }
    if (dense(layer)) r.ffn_in.set(context.kernels, t, normed);
    if (sparse(layer)) {
      r.router_in.set(context.kernels, t, normed);
      r.dense_scale[t] = share_of_dense(w.vectors.dense_gate, normed);
    }
  }
  meet(context);
  if (sparse(layer)) experts_block(context, layer);
  if (!dense(layer)) return;
  size_t owner = 0;
  while (c.layers[owner].feed_forward != c.layers[layer].feed_forward) ++owner;
  observe(context, r.ffn_in, &LayerInputSums::feed_forward, layer);
  ops::gated(context, w.ffn, r.ffn_in, hidden_[owner]);
  context.barrier();
  observe(context, hidden_[owner], &LayerInputSums::hidden, layer);
  const ops::LinearOutput down{&w.down, w.vectors.down_bias.empty() ? nullptr : w.vectors.down_bias.data(), out_.data(), c.d_model};
  ops::linear(context, hidden_[owner], {&down, 1});
  context.barrier();
}

void ForwardStep::experts_block(const ops::Context& context, uint32_t layer) {
  const ExpertsConfig& e = model_->config.experts;
  const LayerWeights& w = model_->weights.layers[layer];
  Rows& r = rows(context);
  const ops::LinearOutput logits{&w.router, w.vectors.router_bias.empty() ? nullptr : w.vectors.router_bias.data(),
                                 router_logits_.data(), e.n_expert};
  ops::linear(context, r.router_in, {&logits, 1});
  context.barrier();
  if (context.thread == 0) {
    const ops::RouterShape shape{e.n_expert, e.n_used, e.softmax_before_topk, e.normalize_weights, e.weights_scale, e.router_softcap};
    for (uint32_t t = 0; t < tokens(); ++t)
      ops::route(context.kernels, shape, &router_logits_[size_t{t} * e.n_expert], &choices_[size_t{t} * e.n_used]);
    experts_.plan(tokens(), e.n_used, choices_.data(), w.experts, model_->sums != nullptr);
  }
  context.barrier();
  experts_.gather(context, r.normed.data());
  context.barrier();
  experts_.hidden(context, w.experts);
  context.barrier();
  observe_experts(context, layer);
  experts_.down(context, w.experts);
  context.barrier();
}

// Each thread adds up some columns.
void ForwardStep::observe(const ops::Context& context, const ops::Panels& in, InputSums LayerInputSums::*where,
                          uint32_t layer) const {
  if (!model_->sums) return;
  InputSums& sums = model_->sums->layers[layer].*where;
  const auto [first, last] = context.share(in.cols());
  in.add_squares(first, last, sums.squares.data());
  if (context.thread == 0) sums.counts[0] += in.tokens();
}

void ForwardStep::observe_experts(const ops::Context& context, uint32_t layer) const {
  if (!model_->sums) return;
  LayerInputSums& layer_sums = model_->sums->layers[layer];
  const auto add = [&](InputSums& sums, uint32_t expert, const ops::Panels& in) {
    const auto [first, last] = context.share(in.cols());
    in.add_squares(first, last, &sums.squares[size_t{expert} * in.cols()]);
    if (context.thread == 0) sums.counts[expert] += in.tokens();
  };
  experts_.for_each_group([&](uint32_t expert, const ops::Panels& in, const ops::Panels& hidden) {
    add(layer_sums.expert, expert, in);
    add(layer_sums.expert_hidden, expert, hidden);
  });
}

void ForwardStep::head(const ops::Context& context, float* logits) {
  const ModelConfig& c = model_->config;
  const Weights& w = model_->weights;
  Rows& r = rows(context);
  const uint32_t last_layer = static_cast<uint32_t>(c.layers.size()) - 1;
  const auto [first, last] = own_tokens(context);
  float* normed = scratch_[context.thread].data() + c.d_model;
  for (uint32_t i = 0; i < wanted(); ++i) {
    const uint32_t t = wanted_[i];
    if (t < first || t >= last) continue;
    absorb(context, Pending::kFeedForward, last_layer, t);
    norm(context, w.output_norm, w.output_norm_bias, &r.x[size_t{t} * c.d_model], normed);
    r.output_in.set(context.kernels, i, normed);
  }
  meet(context);
  if (wanted() == 0) return;
  const ops::LinearOutput output{&w.output, nullptr, logits, c.vocabulary_size};
  ops::linear(context, r.output_in, {&output, 1});
  if (c.logit_scale == 1.0f && c.final_softcap == 0) return;
  context.barrier();
  const auto [from, to] = context.share(c.vocabulary_size);
  for (uint32_t i = 0; i < wanted(); ++i) {
    float* row = logits + size_t{i} * c.vocabulary_size;
    if (c.logit_scale != 1.0f) context.kernels.scale(row + from, c.logit_scale, to - from, row + from);
    if (c.final_softcap > 0) context.kernels.softcap(row + from, c.final_softcap, to - from);
  }
}

void ForwardStep::states(const ops::Context& context, float* out) {
  const ModelConfig& c = model_->config;
  const Weights& w = model_->weights;
  const auto [first, last] = context.share(tokens());
  for (uint32_t t = first; t < last; ++t) {
    absorb(context, Pending::kFeedForward, static_cast<uint32_t>(c.layers.size()) - 1, t);
    const float* x = &rows(context).x[size_t{t} * c.d_model];
    float* row = out + size_t{t} * c.d_model;
    if (w.output_norm.empty()) {
      std::copy_n(x, c.d_model, row);
    } else {
      norm(context, w.output_norm, w.output_norm_bias, x, row);
    }
  }
}

}  // namespace rival::model
