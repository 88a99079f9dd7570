// Rotary tables, routing and experts against plain arithmetic.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "kernels/dispatch.h"
#include "ops/experts.h"
#include "ops/rope.h"

namespace rival::ops {
namespace {

// The angle that one position adds, read back from the table.
std::vector<double> frequencies(RopeTable& table) {
  table.grow(2);
  std::vector<double> f;
  for (uint32_t i = 0; i < table.half(); ++i) f.push_back(std::atan2(table.sin(1)[i], table.cos(1)[i]));
  return f;
}

TEST(Rope, PlainLinearAndDivided) {
  RopeTable plain(8, 10000.0f, {}, {});
  RopeTable linear(8, 10000.0f, {.kind = RopeScalingKind::kLinear, .factor = 4}, {});
  const std::vector<float> divisors = {1, 2, 4, 8};
  RopeTable divided(8, 10000.0f, {}, divisors);
  const auto p = frequencies(plain), l = frequencies(linear), d = frequencies(divided);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(p[i], std::pow(10000.0, -i / 4.0), 1e-7);
    EXPECT_NEAR(l[i], p[i] / 4, 1e-7);
    EXPECT_NEAR(d[i], p[i] / divisors[i], 1e-7);
  }
}

TEST(Rope, Llama3StretchesOnlyLongWaves) {
  const RopeScaling s{.kind = RopeScalingKind::kLlama3, .factor = 8, .original_context = 8192, .low_freq_factor = 1, .high_freq_factor = 4};
  RopeTable plain(128, 500000.0f, {}, {}), scaled(128, 500000.0f, s, {});
  const auto p = frequencies(plain), f = frequencies(scaled);
  for (size_t i = 0; i < f.size(); ++i) {
    const double wave = 2 * M_PI / p[i];
    if (wave < 8192 / 4) {
      EXPECT_NEAR(f[i], p[i], 1e-7);
    }
    if (wave > 8192) {
      EXPECT_NEAR(f[i], p[i] / 8, 1e-7);
    }
    EXPECT_LE(f[i], p[i] * 1.0000001);
    EXPECT_GE(f[i], p[i] / 8.0001);
  }
}

TEST(Rope, YarnKeepsFastStretchesSlowAndScalesTheMagnitude) {
  const RopeScaling s{.kind = RopeScalingKind::kYarn, .factor = 32, .original_context = 4096};
  RopeTable plain(64, 150000.0f, {}, {}), yarn(64, 150000.0f, s, {});
  const auto p = frequencies(plain), f = frequencies(yarn);
  EXPECT_NEAR(f.front(), p.front(), 1e-6);
  EXPECT_NEAR(f.back(), p.back() / 32, 1e-7);
  EXPECT_NEAR(std::hypot(yarn.cos(1)[3], yarn.sin(1)[3]), 0.1 * std::log(32.0) + 1, 1e-6);
}

TEST(Rope, GrowingKeepsEarlierPositions) {
  RopeTable a(16, 10000.0f, {}, {}), b(16, 10000.0f, {}, {});
  a.grow(3);
  a.grow(100);
  b.grow(100);
  for (uint32_t p : {0u, 2u, 3u, 99u})
    for (uint32_t i = 0; i < 8; ++i) EXPECT_EQ(a.cos(p)[i], b.cos(p)[i]);
}

TEST(Route, HighestFirstTiesToTheLowerIndex) {
  const auto& k = kernels::best_table();
  std::vector<float> logits = {1, 3, 3, 0};
  Choice c[2];
  route(k, {.n_expert = 4, .n_used = 2, .softmax_before_topk = false}, logits.data(), c);
  EXPECT_EQ(c[0].expert, 1u);
  EXPECT_EQ(c[1].expert, 2u);
  EXPECT_NEAR(c[0].weight, 0.5, 1e-6);
  logits = {1, 3, 2, 0};
  route(k, {.n_expert = 4, .n_used = 2, .normalize_weights = true, .weights_scale = 2}, logits.data(), c);
  EXPECT_NEAR(c[0].weight, 2 * std::exp(3.0) / (std::exp(3.0) + std::exp(2.0)), 1e-5);
  EXPECT_NEAR(c[0].weight + c[1].weight, 2.0, 1e-5);
}

struct Matrix {
  Matrix(uint32_t rows, uint32_t cols, Random& random) : values(size_t{rows} * cols) {
    for (float& v : values) v = static_cast<float>(random.next_double() - 0.5);
    const MatrixView view{reinterpret_cast<const std::byte*>(values.data()), DType::kF32, rows, cols, cols, 1};
    packed = plan_packing(view).value();
    memory.resize(packed.bytes());
    pack_tiles(view, packed, 0, packed.tiles(), memory.data());
    packed.data = memory.data();
  }
  std::vector<double> times(const std::vector<double>& x) const {
    std::vector<double> y(packed.rows);
    for (uint32_t r = 0; r < packed.rows; ++r)
      for (uint32_t c = 0; c < packed.cols; ++c) y[r] += double{values[size_t{r} * packed.cols + c]} * x[c];
    return y;
  }
  std::vector<float> values;
  std::vector<uint8_t> memory;
  PackedMatrix packed;
};

TEST(Experts, EqualTheSumOverChosenExperts) {
  const uint32_t d = 24, f = 40, n_expert = 5, used = 2, tokens = 17;
  Random random(9);
  std::vector<Matrix> gates, ups, downs;
  std::vector<Expert> experts(n_expert);
  std::vector<float> bias(d);
  for (float& b : bias) b = static_cast<float>(random.next_double());
  for (uint32_t e = 0; e < n_expert; ++e) {
    gates.emplace_back(f, d, random);
    ups.emplace_back(f, d, random);
    downs.emplace_back(d, f, random);
  }
  for (uint32_t e = 0; e < n_expert; ++e)
    experts[e] = {{gates[e].packed, ups[e].packed, nullptr, nullptr, kernels::GateKind::kSilu}, downs[e].packed, bias.data()};
  std::vector<float> x(tokens * d), dense(d, 1.0f), out(d);
  for (float& v : x) v = static_cast<float>(random.next_double() * 2 - 1);
  std::vector<Choice> choices;
  for (uint32_t t = 0; t < tokens; ++t) choices.push_back({t % n_expert, 0.75f}), choices.push_back({(t + 2) % n_expert, 0.25f});
  ExpertStep step;
  step.plan(tokens, used, choices.data(), experts, false);
  ThreadTeam team(2);
  team.run([&](uint32_t thread) {
    const Context context{kernels::best_table(), team, thread};
    step.gather(context, x.data());
    context.barrier();
    step.hidden(context, experts);
    context.barrier();
    step.down(context, experts);
  });
  const Context context{kernels::best_table(), team, 0};
  for (uint32_t t = 0; t < tokens; ++t) {
    std::vector<double> expected(d, 1.0);
    for (uint32_t i = 0; i < used; ++i) {
      const Choice& c = choices[t * used + i];
      const std::vector<double> in(x.begin() + t * d, x.begin() + (t + 1) * d);
      std::vector<double> g = gates[c.expert].times(in), u = ups[c.expert].times(in);
      for (uint32_t j = 0; j < f; ++j) u[j] *= g[j] / (1 + std::exp(-g[j]));
      const auto y = downs[c.expert].times(u);
      for (uint32_t j = 0; j < d; ++j) expected[j] += c.weight * (y[j] + bias[j]);
    }
    step.combine(context, t, dense.data(), 1.0f, out.data());
    for (uint32_t j = 0; j < d; ++j) EXPECT_NEAR(out[j], expected[j], 2e-5) << t;
  }
}

}  // namespace
}  // namespace rival::ops
