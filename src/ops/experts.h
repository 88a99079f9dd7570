// Mixture of experts (Shazeer et al. 2017, arXiv 1701.06538): every token goes through the few experts that a router
// chooses for it. Tokens are gathered by expert, so that an expert's weights are read once a step.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/feed_forward.h"

namespace rival::ops {

struct RouterShape {
  uint32_t n_expert = 0, n_used = 0;
  bool softmax_before_topk = true;  // else softmax over the chosen ones
  bool normalize_weights = false;   // the chosen weights are divided by their sum
  float weights_scale = 1.0f;
  float softcap = 0.0f;
};

struct Choice {
  uint32_t expert;
  float weight;
};

// The chosen experts of one token, the highest first; ties go to the lower index. logits [n_expert] is overwritten.
void route(const kernels::KernelTable& k, const RouterShape& shape, float* logits, Choice* choices);

struct Expert {
  GatedWeights hidden;
  PackedMatrix down;              // [D, F]
  const float* down_bias = nullptr;
};

// Working memory of a step, shared by the team.
class ExpertStep {
 public:
  // choices [tokens][n_used]. One thread calls it, between barriers. `plain_too`: inputs are kept as floats, whatever
  // the weights ask for.
  void plan(uint32_t tokens, uint32_t n_used, const Choice* choices, const std::vector<Expert>& experts, bool plain_too);

  // The three phases; a barrier must follow each. `in` [token][D] is the normed input, `out` [token][D].
  void gather(const Context& context, const float* in);
  void hidden(const Context& context, const std::vector<Expert>& experts);
  void down(const Context& context, const std::vector<Expert>& experts);
  // body(expert, input of gate and up, input of down) for every expert that some token chose.
  template <typename Body>
  void for_each_group(const Body& body) const {
    for (const Group& group : groups_) body(group.expert, group.in, group.hidden);
  }
  // out = dense_scale * dense (or nothing, if null) + sum over the token's experts of weight * output.  dense, out [D]
  void combine(const Context& context, uint32_t token, const float* dense, float dense_scale, float* out) const;

 private:
  struct Group {                  // the tokens of one expert
    uint32_t expert;
    uint32_t first;               // of its assignments in order_
    Panels in, hidden;
  };
  uint32_t n_used_ = 0;
  uint32_t d_model_ = 0;
  std::vector<Choice> choices_;   // [token][n_used]
  std::vector<uint32_t> order_;   // assignments (token * n_used + rank) sorted by expert
  std::vector<Group> groups_;
  std::vector<float> outputs_;    // [assignment in order_][D]
  std::vector<uint32_t> place_;   // assignment -> its index in order_
};

}  // namespace rival::ops
