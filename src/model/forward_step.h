// One step of the decoder: the passage of a batch of tokens through all layers, on all threads of the team at once.
#pragma once

#include <vector>

#include "model/activation_sums.h"
#include "model/decoder.h"
#include "model/kv_storage.h"
#include "model/weights.h"
#include "ops/attention.h"
#include "ops/experts.h"
#include "ops/panels.h"
#include "ops/rope.h"

namespace rival::model {

struct PanelNeeds {
  bool quantized = false, plain = false;
};

class ForwardStep {
 public:
  // Plans the step and makes room. One thread; `slices` were checked and stay valid until the step is over.
  void begin(Decoder::Impl& model, std::span<const SequenceSlice> slices, KvStore::Storage& kv);

  uint32_t tokens() const { return static_cast<uint32_t>(token_.size()); }
  uint32_t wanted() const { return static_cast<uint32_t>(wanted_.size()); }  // rows of logits

  // On every thread: embedding and all layers; then either the logits [wanted][vocabulary] or the final states
  // [tokens][d_model].
  void layers(const ops::Context& context);
  void head(const ops::Context& context, float* logits);
  void states(const ops::Context& context, float* out);

 private:
  struct Token {
    text::TokenId id;
    uint32_t position;
    PageId page;
  };
  // Buffers indexed by token. With one or two tokens every thread keeps a copy of its own and does all the work on
  // them itself, which is quicker than meeting; with more tokens the threads share one and each owns some tokens.
  struct Rows {
    std::vector<float> x;         // [tokens][D], the residual stream
    std::vector<float> normed;    // [tokens][D], input of the experts
    std::vector<float> attended;  // [tokens][Hq * V]
    std::vector<float> dense_scale;  // [tokens], of the block beside the experts
    ops::Panels qkv_in, ffn_in, router_in, output_in;
    std::vector<ops::Panels> o_in;  // by attention shape
  };
  // The output of a block that has not been added to the residual stream yet.
  enum class Pending { kNone, kAttention, kFeedForward };

  bool replicated() const { return tokens() <= 2; }
  Rows& rows(const ops::Context& context) { return rows_[replicated() ? context.thread : 0]; }
  std::pair<uint32_t, uint32_t> own_tokens(const ops::Context& context) const {
    return replicated() ? std::pair<uint32_t, uint32_t>{0, tokens()} : context.share(tokens());
  }
  void meet(const ops::Context& context) const {
    if (!replicated()) context.barrier();
  }

  void embed(const ops::Context& context);
  void attention_block(const ops::Context& context, uint32_t layer, Pending before);
  void project_heads(const ops::Context& context, uint32_t layer, Pending before);
  void place_heads(const ops::Context& context, uint32_t layer);
  void feed_forward_block(const ops::Context& context, uint32_t layer);
  void experts_block(const ops::Context& context, uint32_t layer);
  void absorb(const ops::Context& context, Pending pending, uint32_t layer, uint32_t token);
  void norm(const ops::Context& context, const Vector& gain, const Vector& bias, const float* x, float* out) const;
  void observe(const ops::Context& context, const ops::Panels& in, InputSums LayerInputSums::*where, uint32_t layer) const;
  void observe_experts(const ops::Context& context, uint32_t layer) const;
  bool dense(uint32_t layer) const;
  bool sparse(uint32_t layer) const;

  Decoder::Impl* model_ = nullptr;
  KvStore::Storage* kv_ = nullptr;
  std::vector<Token> token_;
  std::vector<uint32_t> wanted_;            // tokens whose logits are wanted
  std::vector<ops::AttentionPlan> plans_;   // by attention shape
  std::vector<Rows> rows_;                  // one a thread if replicated, else one
  std::vector<std::vector<float>> scratch_; // one a thread: 2 x D
  std::vector<float> q_, k_, v_, out_;      // shared: [tokens][..]; out_ is the last block's output [tokens][D]
  std::vector<float> router_logits_;        // [tokens][E]
  std::vector<ops::Choice> choices_;        // [tokens][n_used]
  ops::ExpertStep experts_;
  std::vector<ops::Panels> hidden_;         // by width of the feed-forward block
};

struct Decoder::Impl {
  Impl(const ModelConfig& config, Weights weights, ThreadTeam& team, const kernels::KernelTable& kernels)
      : config(config), weights(std::move(weights)), team(team), kernels(kernels) {}

  Status check(std::span<const SequenceSlice> slices, const KvStore& kv) const;
  void pool(const float* states, uint32_t tokens, float* out) const;

  const ModelConfig config;
  const Weights weights;
  ThreadTeam& team;
  const kernels::KernelTable& kernels;
  std::vector<ops::AttentionShape> shapes;
  std::vector<uint32_t> layer_shape;
  std::vector<ops::RopeTable> ropes;
  std::vector<uint32_t> layer_rope;  // UINT32_MAX: none
  PanelNeeds qkv_needs, o_needs, ffn_needs, down_needs, output_needs;
  ActivationSums* sums = nullptr;  // see Decoder::observe
  ForwardStep step;
};

}  // namespace rival::model
