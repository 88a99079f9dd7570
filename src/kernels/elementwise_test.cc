// Every loop of every instruction set that this CPU has, against plain double arithmetic, at every count from 0 to
// past two vectors.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "base/random.h"
#include "kernels/dispatch.h"

namespace rival::kernels {
namespace {

std::vector<float> random_floats(size_t count, uint64_t seed, float range = 4.0f) {
  Random random(seed);
  std::vector<float> x(count);
  for (float& v : x) v = static_cast<float>((random.next_double() * 2 - 1) * range);
  return x;
}

class EveryTable : public testing::TestWithParam<const KernelTable*> {
 protected:
  const KernelTable& k = *GetParam();
};

INSTANTIATE_TEST_SUITE_P(Isa, EveryTable, testing::ValuesIn(available_tables().begin(), available_tables().end()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST_P(EveryTable, NormsOfEveryCount) {
  for (size_t n = 1; n <= 70; ++n) {
    const auto x = random_floats(n, n), gain = random_floats(n, n + 100), bias = random_floats(n, n + 200);
    double squares = 0, mean = 0, variance = 0;
    for (float v : x) squares += double{v} * v, mean += v;
    mean /= static_cast<double>(n);
    for (float v : x) variance += (v - mean) * (v - mean);
    std::vector<float> rms(n), layer(n);
    k.rms_norm(x.data(), gain.data(), 1e-5f, n, rms.data());
    k.layer_norm(x.data(), gain.data(), bias.data(), 1e-5f, n, layer.data());
    for (size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(rms[i], x[i] / std::sqrt(squares / static_cast<double>(n) + 1e-5) * gain[i], 2e-5);
      EXPECT_NEAR(layer[i], (x[i] - mean) / std::sqrt(variance / static_cast<double>(n) + 1e-5) * gain[i] + bias[i], 1e-4) << n;
    }
  }
}

TEST_P(EveryTable, Gates) {
  const auto silu = [](double x) { return x / (1 + std::exp(-x)); };
  const auto tanh_gelu = [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); };
  const auto erf_gelu = [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); };
  const auto relu = [](double x) { return x > 0 ? x : 0; };
  const std::vector<std::pair<GateKind, std::function<double(double)>>> rows = {
      {GateKind::kSilu, silu}, {GateKind::kGeluTanh, tanh_gelu}, {GateKind::kGeluErf, erf_gelu}, {GateKind::kRelu, relu},
      {GateKind::kReluSquared, [&](double x) { return relu(x) * relu(x); }}};
  for (size_t n = 0; n <= 40; ++n) {
    const auto g = random_floats(n, n + 1, 12.0f), u = random_floats(n, n + 50);
    std::vector<float> out(n);
    for (const auto& [kind, f] : rows) {
      k.gate(kind, g.data(), u.data(), n, out.data());
      for (size_t i = 0; i < n; ++i) EXPECT_NEAR(out[i], f(g[i]) * u[i], 3e-6 * (1 + std::abs(f(g[i]) * u[i])));
      k.gate(kind, g.data(), nullptr, n, out.data());
      for (size_t i = 0; i < n; ++i) EXPECT_NEAR(out[i], f(g[i]), 3e-6 * (1 + std::abs(f(g[i]))));
    }
    k.gate(GateKind::kSwigluOai, g.data(), u.data(), n, out.data());
    for (size_t i = 0; i < n; ++i) {
      const double x = std::min(double{g[i]}, 7.0), y = std::clamp(double{u[i]}, -7.0, 7.0);
      EXPECT_NEAR(out[i], x / (1 + std::exp(-1.702 * x)) * (y + 1), 2e-5);
    }
  }
}

TEST_P(EveryTable, SoftmaxSoftcapAndSums) {
  for (size_t n = 1; n <= 40; ++n) {
    const auto x = random_floats(n, n, 30.0f), y = random_floats(n, n + 9);
    std::vector<float> soft = x, capped = x, sum = x, scaled(n);
    k.softmax(soft.data(), n);
    k.softcap(capped.data(), 5.0f, n);
    k.multiply_add(sum.data(), y.data(), 0.5f, n);
    k.scale(x.data(), -2.0f, n, scaled.data());
    double total = 0;
    for (float v : x) total += std::exp(double{v});
    for (size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(soft[i], std::exp(double{x[i]}) / total, 1e-6);
      EXPECT_NEAR(capped[i], 5 * std::tanh(x[i] / 5.0), 1e-5);
      EXPECT_NEAR(sum[i], x[i] + 0.5 * y[i], 1e-5);
      EXPECT_EQ(scaled[i], x[i] * -2.0f);
    }
  }
}

TEST_P(EveryTable, SmallNumbersKeepTheirPrecision) {
  // tanh near zero is where 1 - 2 / (e^2x + 1) would cancel.
  for (float x : {1e-6f, 1e-3f, 0.01f, 0.1f, 0.149f, 0.151f, 0.3f}) {
    float y = x;
    k.softcap(&y, 1.0f, 1);
    EXPECT_NEAR(y / std::tanh(double{x}), 1.0, 1e-5) << x;
  }
}

TEST_P(EveryTable, RotaryTurnsBothPairings) {
  for (int half : {1, 4, 7, 16, 32, 40}) {
    const auto x = random_floats(static_cast<size_t>(2 * half), 5);
    std::vector<float> cos(static_cast<size_t>(half)), sin(static_cast<size_t>(half));
    for (int i = 0; i < half; ++i) cos[i] = std::cos(0.3f * i), sin[i] = std::sin(0.3f * i);
    for (RotaryPairs pairs : {RotaryPairs::kAdjacent, RotaryPairs::kHalves}) {
      auto y = x;
      k.rotary(y.data(), cos.data(), sin.data(), half, pairs);
      for (int i = 0; i < half; ++i) {
        const int a = pairs == RotaryPairs::kAdjacent ? 2 * i : i, b = pairs == RotaryPairs::kAdjacent ? 2 * i + 1 : i + half;
        EXPECT_NEAR(y[a], double{x[a]} * cos[i] - double{x[b]} * sin[i], 1e-6);
        EXPECT_NEAR(y[b], double{x[a]} * sin[i] + double{x[b]} * cos[i], 1e-6);
      }
    }
  }
}

TEST_P(EveryTable, QuantizedActivationsAreNearAndTheirSumsExact) {
  const size_t n = 96;
  auto x = random_floats(n, 3);
  for (size_t i = 32; i < 64; ++i) x[i] = 0;
  std::vector<ActivationBlock> panel(n / kBlock);
  for (int column : {0, kPanelColumns - 1}) {
    k.quantize_activation(x.data(), n, panel.data(), column);
    for (size_t b = 0; b < panel.size(); ++b) {
      float largest = 0;
      int sums[2] = {};
      for (int i = 0; i < kBlock; ++i) largest = std::max(largest, std::abs(x[b * kBlock + i]));
      for (int i = 0; i < kBlock; ++i) {
        sums[i / 16] += panel[b].q[column][i];
        EXPECT_NEAR(panel[b].q[column][i] * panel[b].d[column], x[b * kBlock + i], largest / 253);
      }
      EXPECT_NEAR(panel[b].d[column], largest / 127, 1e-7);
      const float d = panel[b].d[column];
      EXPECT_EQ(panel[b].minus_sum[column], -(sums[0] + sums[1]));
      EXPECT_EQ(panel[b].d_sum[column], d * static_cast<float>(sums[0] + sums[1]));
      for (int half = 0; half < 2; ++half) {
        EXPECT_EQ(panel[b].minus_sum16[half][column], -sums[half]);
        EXPECT_EQ(panel[b].d_sum16[half][column], d * static_cast<float>(sums[half]));
      }
    }
  }
}

TEST_P(EveryTable, PeakLoopsCountTheirWork) {
  EXPECT_GT(k.peak_fma(1000), 1000.0);
  EXPECT_GT(k.peak_dot(1000), 1000.0);
}

}  // namespace
}  // namespace rival::kernels
