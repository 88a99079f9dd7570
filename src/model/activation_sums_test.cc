#include "model/activation_sums.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/thread_team.h"
#include "model/decoder.h"
#include "model/golden_model.h"
#include "model/model_contents.h"
#include "model/source.h"

namespace rival::model {
namespace {

struct Observed {
  ActivationSums sums;
  std::vector<float> logits;
};

// The golden's text in chunks of `chunk` tokens, observed unless `sums` is not wanted.
Observed observe(const ModelSource& source, const GoldenModel& golden, size_t chunk, uint32_t threads, bool wanted = true) {
  ThreadTeam team(threads);
  const auto decoder = Decoder::create(source, team);
  Observed observed{ActivationSums(source.config), {}};
  if (wanted) (*decoder)->observe(&observed.sums);
  const std::span<const text::TokenId> ids = golden.ids;
  std::vector<PageId> pages;
  for (PageId page = 0; page * kPagePositions < ids.size(); ++page) pages.push_back(page);
  KvStore kv(source.config, KvType::kF32, static_cast<uint32_t>(pages.size()));
  std::vector<float> part;
  for (size_t at = 0; at < ids.size(); at += chunk) {
    const auto tokens = ids.subspan(at, std::min(chunk, ids.size() - at));
    const SequenceSlice slice{.tokens = tokens, .position = static_cast<uint32_t>(at), .pages = pages, .logits_count = 1};
    if (golden.embedding)
      EXPECT_TRUE((*decoder)->embed({&slice, 1}, part).ok());
    else
      EXPECT_TRUE((*decoder)->forward({&slice, 1}, kv, part).ok());
    observed.logits.insert(observed.logits.end(), part.begin(), part.end());
  }
  return observed;
}

double sum(const std::vector<uint64_t>& counts) {
  double all = 0;
  for (const uint64_t count : counts) all += static_cast<double>(count);
  return all;
}

class ObservedGolden : public testing::TestWithParam<std::string> {};

TEST_P(ObservedGolden, LogitsStayAndEveryMatrixIsSeen) {
  const GoldenModel golden = make_golden(GetParam());
  const auto source = open_model(golden.folder);
  ASSERT_TRUE(source.ok()) << source.error().message;
  const Observed observed = observe(*source, golden, 64, 2);
  EXPECT_EQ(observed.logits, observe(*source, golden, 64, 2, /*wanted=*/false).logits);
  const auto contents = read_contents(golden.folder);
  ASSERT_TRUE(contents.ok()) << contents.error().message;
  const format::ImportanceMatrix matrix = importance_of(observed.sums, contents->tensors);
  for (const format::TensorSource& tensor : contents->tensors) {
    if (!tensor.name.starts_with("blk.") || !is_quantizable(tensor.name, tensor.shape)) continue;
    const format::Importance* importance = matrix.find(tensor.name);
    ASSERT_NE(importance, nullptr) << tensor.name;
    EXPECT_EQ(importance->columns, tensor.shape.row()) << tensor.name;
    EXPECT_EQ(importance->counts.size(), tensor.shape.dims[2]) << tensor.name;
    EXPECT_GT(importance->sums[0] + importance->sums.back() + importance->counts[0] + importance->counts.back(), 0.0f);
  }
}

TEST_P(ObservedGolden, ChunksAndThreadsDoNotMatter) {
  const GoldenModel golden = make_golden(GetParam());
  if (golden.embedding) GTEST_SKIP() << "an encoder reads its text in one piece";
  const auto source = open_model(golden.folder);
  ASSERT_TRUE(source.ok()) << source.error().message;
  const Observed whole = observe(*source, golden, 512, 1);
  const Observed cut = observe(*source, golden, 2, 3);
  for (size_t layer = 0; layer < whole.sums.layers.size(); ++layer) {
    for (const auto where : {&LayerInputSums::heads, &LayerInputSums::attended, &LayerInputSums::feed_forward,
                             &LayerInputSums::hidden, &LayerInputSums::expert, &LayerInputSums::expert_hidden}) {
      const InputSums &a = whole.sums.layers[layer].*where, &b = cut.sums.layers[layer].*where;
      ASSERT_EQ(a.counts, b.counts);
      for (size_t i = 0; i < a.squares.size(); ++i) ASSERT_NEAR(a.squares[i], b.squares[i], 1e-9 * (1 + a.squares[i]));
    }
    const auto tokens = static_cast<double>(golden.ids.size());
    EXPECT_EQ(sum(whole.sums.layers[layer].heads.counts), tokens);
    if (source->config.layers[layer].experts) {
      EXPECT_EQ(sum(whole.sums.layers[layer].expert.counts), tokens * source->config.experts.n_used);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ObservedGolden, testing::ValuesIn(golden_names()),
                         [](const auto& info) { return info.param; });

// The first layer's input is the normed embedding, which can be computed by hand.
TEST(ActivationSums, AreSquaresOfWhatTheMatrixMeets) {
  const GoldenModel golden = make_golden("llama");
  const auto source = open_model(golden.folder);
  ASSERT_TRUE(source.ok()) << source.error().message;
  const Observed observed = observe(*source, golden, 512, 2);
  const uint32_t width = source->config.d_model;
  std::vector<double> expected(width, 0.0);
  for (const text::TokenId id : golden.ids) {
    const auto* row = reinterpret_cast<const float*>(source->token_embedding.data) + size_t(id) * width;
    double square = 0.0;
    for (uint32_t i = 0; i < width; ++i) square += double{row[i]} * row[i];
    for (uint32_t i = 0; i < width; ++i)
      expected[i] += std::pow(row[i] * source->layers[0].attn_norm[i], 2) / (square / width + source->config.norm_eps);
  }
  for (uint32_t i = 0; i < width; ++i)
    EXPECT_NEAR(observed.sums.layers[0].heads.squares[i], expected[i], 1e-4 * expected[i]) << i;
}

}  // namespace
}  // namespace rival::model
