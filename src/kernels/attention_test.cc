// Attention over pages against plain double arithmetic, and against itself: a row's numbers must not depend on the
// rows beside it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/random.h"
#include "kernels/dispatch.h"

namespace rival::kernels {
namespace {

struct Pages {
  Pages(const KernelTable& k, int positions, int dk, int dv, PageType type) : dk(dk), dv(dv) {
    const int count = (positions + kPagePositions - 1) / kPagePositions;
    const size_t element = type == PageType::kQ8 ? 1 : type == PageType::kF16 ? 2 : 4;
    Random random(11);
    const auto number = [&] { return static_cast<float>(random.next_double() * 2 - 1); };
    keys_.assign(count, std::vector<uint8_t>(element * kPagePositions * dk));
    values_.assign(count, std::vector<uint8_t>(element * kPagePositions * value_stride(dv)));
    scales_.assign(count, std::vector<float>(2 * kPagePositions));
    for (int p = 0; p < count; ++p)
      views.push_back({keys_[p].data(), values_[p].data(), scales_[p].data(), scales_[p].data() + kPagePositions});
    for (int p = 0; p < positions; ++p) {
      std::vector<float> key(dk), value(dv);
      for (float& v : key) v = number();
      for (float& v : value) v = number();
      k.pages[static_cast<int>(type)].store(views[p / kPagePositions], p % kPagePositions, key.data(), dk, value.data(), dv);
      key_rows.push_back(key);
      value_rows.push_back(value);
    }
  }
  int dk, dv;
  std::vector<PageView> views;
  std::vector<std::vector<float>> key_rows, value_rows;

 private:
  std::vector<std::vector<uint8_t>> keys_, values_;
  std::vector<std::vector<float>> scales_;
};

struct Part {
  Part(int rows, int dv) : max(rows, -std::numeric_limits<float>::infinity()), sum(rows), values(size_t(rows) * value_stride(dv)) {}
  std::vector<float> max, sum, values;
  AttentionPart view() { return {max.data(), sum.data(), values.data()}; }
};

// All chunks in order, as the ops do.
Part attend_all(const KernelTable& k, const Pages& pages, const AttentionRows& rows, PageType type) {
  Part total(rows.rows, rows.dv), part(rows.rows, rows.dv);
  std::vector<float> scratch(12 * kChunkPositions);
  for (size_t first = 0; first < pages.views.size(); first += kChunkPages) {
    const int count = static_cast<int>(std::min<size_t>(kChunkPages, pages.views.size() - first));
    k.pages[static_cast<int>(type)].attend(rows, &pages.views[first], count, static_cast<int32_t>(first * kPagePositions),
                                             scratch.data(), part.view());
    k.merge_part(rows.rows, rows.dv, total.view(), part.view());
  }
  return total;
}

class Attention : public testing::TestWithParam<const KernelTable*> {};
INSTANTIATE_TEST_SUITE_P(Isa, Attention, testing::ValuesIn(available_tables().begin(), available_tables().end()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST_P(Attention, EqualsPlainSoftmaxOverVisiblePositions) {
  const KernelTable& k = *GetParam();
  using enum PageType;
  struct Case {
    int positions, rows, dk, dv;
    PageType type;
    float softcap;
  };
  for (const Case& c : {Case{1, 1, 64, 64, kF16, 0}, Case{40, 3, 64, 32, kF16, 0}, Case{300, 17, 32, 64, kF16, 0},
                        Case{300, 17, 12, 20, kF16, 0}, Case{300, 7, 5, 3, kQ8, 0}, Case{300, 7, 20, 33, kF32, 0},
                        Case{600, 5, 16, 48, kF16, 2.0f}, Case{300, 13, 64, 64, kQ8, 0}}) {
    const Pages pages(k, c.positions, c.dk, c.dv, c.type);
    Random random(7);
    std::vector<float> q(static_cast<size_t>(c.rows) * c.dk);
    for (float& v : q) v = static_cast<float>(random.next_double() * 2 - 1);
    std::vector<int32_t> first(c.rows), last(c.rows);
    for (int r = 0; r < c.rows; ++r) {
      last[r] = static_cast<int32_t>(random.next_below(static_cast<uint32_t>(c.positions)));
      first[r] = static_cast<int32_t>(random.next_below(static_cast<uint32_t>(last[r]) + 1));
    }
    std::vector<float> heat(c.rows, 1.0f);
    heat.back() = 1.25f;
    const AttentionRows rows{c.rows, c.dk, c.dv, q.data(), first.data(), last.data(), 0.5f, c.softcap, heat.data()};
    Part total = attend_all(k, pages, rows, c.type);
    for (int r = 0; r < c.rows; ++r) {
      std::vector<double> weight;
      double sum = 0;
      for (int p = first[r]; p <= last[r]; ++p) {
        double s = 0;
        for (int d = 0; d < c.dk; ++d) s += double{q[r * c.dk + d]} * pages.key_rows[p][d];
        s *= 0.5;
        if (c.softcap > 0) s = c.softcap * std::tanh(s / c.softcap);
        weight.push_back(std::exp(s * heat[r]));
        sum += weight.back();
      }
      for (int d = 0; d < c.dv; ++d) {
        double expected = 0;
        for (int p = first[r]; p <= last[r]; ++p) expected += weight[p - first[r]] / sum * pages.value_rows[p][d];
        EXPECT_NEAR(total.values[r * value_stride(c.dv) + d] / total.sum[r], expected, c.type == kQ8 ? 2e-2 : c.type == kF16 ? 1e-3 : 1e-5) << r << " " << d;
      }
    }
  }
}

TEST_P(Attention, ARowDoesNotDependOnItsNeighbours) {
  const KernelTable& k = *GetParam();
  for (const PageType type : {PageType::kF16, PageType::kQ8, PageType::kF32}) {
    const Pages pages(k, 320, 64, 64, type);
    Random random(3);
    std::vector<float> q(20 * 64);
    for (float& v : q) v = static_cast<float>(random.next_double() * 2 - 1);
    std::vector<int32_t> first(20, 0), last(20);
    for (int r = 0; r < 20; ++r) last[r] = 100 + 11 * r;
    Part all = attend_all(k, pages, {20, 64, 64, q.data(), first.data(), last.data(), 0.125f, 0}, type);
    for (int r = 0; r < 20; ++r) {
      Part one = attend_all(k, pages, {1, 64, 64, q.data() + 64 * r, &first[r], &last[r], 0.125f, 0}, type);
      EXPECT_EQ(one.sum[0], all.sum[r]);
      EXPECT_EQ(0, std::memcmp(one.values.data(), &all.values[64 * r], 64 * sizeof(float))) << r;
    }
  }
}

}  // namespace
}  // namespace rival::kernels
