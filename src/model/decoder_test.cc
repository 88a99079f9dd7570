// What the decoder promises of its numbers, on small random models of several shapes: the logits of a token do not
// depend on the batch, on chunking, on the number of threads, or (nearly) on the type of the KV pages.
// That the numbers are right is the business of the golden tests.
#include "model/decoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <deque>

#include "base/random.h"
#include "base/thread_team.h"
#include "model/source.h"
#include "tensor/quantize.h"

namespace rival::model {
namespace {

// A model whose weights live in `storage`.
struct RandomModel {
  ModelSource source;
  std::deque<std::vector<std::byte>> storage;
  Random random{42};

  Vector vector(uint32_t count, float around) {
    Vector v(count);
    for (float& x : v) x = around + static_cast<float>(random.next_double() - 0.5) * 0.2f;
    return v;
  }
  MatrixView matrix(uint32_t rows, uint32_t cols, DType type) {
    std::vector<float> values(size_t{rows} * cols);
    for (float& x : values) x = static_cast<float>((random.next_double() - 0.5) * 2 / std::sqrt(cols));
    storage.emplace_back(rows * row_bytes(type, cols));
    for (uint32_t r = 0; r < rows; ++r)
      quantize_row(type, &values[size_t{r} * cols], storage.back().data() + r * row_bytes(type, cols), cols, {});
    return {storage.back().data(), type, rows, cols, cols, 1};
  }
};

struct Kind {
  const char* name;
  DType type;
  uint32_t n_head, n_head_kv, window;
  bool experts;
};

constexpr Kind kKinds[] = {
    {"plain", DType::kF32, 4, 2, 0, false},
    {"quantised", DType::kQ4_1, 6, 2, 0, false},
    {"windowed", DType::kQ8_0, 4, 1, 40, false},
    {"experts", DType::kQ4_0, 4, 4, 0, true},
};

RandomModel make_model(const Kind& kind) {
  RandomModel m;
  ModelConfig& c = m.source.config;
  c.architecture = "test";
  c.vocabulary_size = 100;
  c.d_model = 64;
  c.context_length = 1024;
  c.head_dim_k = c.head_dim_v = c.rope_dim = 32;
  if (kind.experts) c.experts = {.n_expert = 6, .n_used = 2, .feed_forward = 64, .normalize_weights = true};
  m.source.token_embedding = m.matrix(c.vocabulary_size, c.d_model, kind.type);
  m.source.output_norm = m.vector(c.d_model, 1);
  for (int i = 0; i < 3; ++i) {
    LayerConfig l{.n_head = kind.n_head, .n_head_kv = kind.n_head_kv, .feed_forward = kind.experts ? 0u : 96u,
                  .window = i == 1 ? 0 : kind.window, .experts = kind.experts};
    c.layers.push_back(l);
    LayerSource& w = m.source.layers.emplace_back();
    w.attn_norm = m.vector(c.d_model, 1);
    w.ffn_norm = m.vector(c.d_model, 1);
    w.q = m.matrix(l.n_head * 32, c.d_model, kind.type);
    w.k = m.matrix(l.n_head_kv * 32, c.d_model, kind.type);
    w.v = m.matrix(l.n_head_kv * 32, c.d_model, kind.type);
    w.o = m.matrix(c.d_model, l.n_head * 32, kind.type);
    if (kind.experts) {
      w.router = m.matrix(6, c.d_model, DType::kF32);
      for (int e = 0; e < 6; ++e) {
        w.expert_gate.push_back(m.matrix(64, c.d_model, kind.type));
        w.expert_up.push_back(m.matrix(64, c.d_model, kind.type));
        w.expert_down.push_back(m.matrix(c.d_model, 64, kind.type));
      }
    } else {
      w.gate = m.matrix(96, c.d_model, kind.type);
      w.up = m.matrix(96, c.d_model, kind.type);
      w.down = m.matrix(c.d_model, 96, kind.type);
    }
  }
  return m;
}

std::vector<text::TokenId> some_tokens(uint32_t count, uint64_t seed) {
  Random random(seed);
  std::vector<text::TokenId> ids(count);
  for (auto& id : ids) id = static_cast<text::TokenId>(random.next_below(100));
  return ids;
}

std::vector<PageId> pages_from(PageId first, uint32_t count) {
  std::vector<PageId> pages(count);
  for (uint32_t i = 0; i < count; ++i) pages[i] = first + i;
  return pages;
}

constexpr uint32_t kTokens = 300;  // beyond one chunk of attention

class DecoderNumbers : public testing::TestWithParam<Kind> {
 protected:
  DecoderNumbers() : model_(make_model(GetParam())), ids_(some_tokens(kTokens, 1)) {}

  // Logits of every position, the prompt coming in pieces of `chunk` tokens.
  std::vector<float> all_logits(uint32_t threads, uint32_t chunk, KvType type = KvType::kF16) {
    ThreadTeam team(threads);
    auto decoder = Decoder::create(model_.source, team).value();
    KvStore kv(model_.source.config, type, 10);
    const auto pages = pages_from(0, 10);
    std::vector<float> all, logits;
    for (uint32_t at = 0; at < kTokens; at += chunk) {
      const uint32_t count = std::min(chunk, kTokens - at);
      const SequenceSlice slice{std::span(ids_).subspan(at, count), at, pages, count};
      EXPECT_TRUE(decoder->forward({&slice, 1}, kv, logits).ok());
      all.insert(all.end(), logits.begin(), logits.end());
    }
    return all;
  }

  RandomModel model_;
  std::vector<text::TokenId> ids_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, DecoderNumbers, testing::ValuesIn(kKinds), [](const auto& info) { return info.param.name; });

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST_P(DecoderNumbers, DoNotDependOnChunksOrThreads) {
  const auto whole = all_logits(2, kTokens);
  ASSERT_EQ(whole.size(), size_t{kTokens} * 100);
  for (float x : whole) ASSERT_TRUE(std::isfinite(x));
  EXPECT_TRUE(same_bits(whole, all_logits(1, kTokens)));
  EXPECT_TRUE(same_bits(whole, all_logits(2, 37)));
  EXPECT_TRUE(same_bits(whole, all_logits(3, 1)));
  EXPECT_TRUE(same_bits(whole, all_logits(2, 2)));
}

TEST_P(DecoderNumbers, DoNotDependOnTheBatch) {
  ThreadTeam team(2);
  auto decoder = Decoder::create(model_.source, team).value();
  KvStore kv(model_.source.config, KvType::kF16, 60);
  const auto alone = all_logits(2, kTokens);
  std::vector<std::vector<PageId>> pages;
  std::vector<std::vector<text::TokenId>> others;
  for (uint32_t i = 0; i < 5; ++i) pages.push_back(pages_from(10 * i, 10)), others.push_back(some_tokens(40 + 7 * i, i + 2));
  std::vector<float> logits;
  for (uint32_t at = 0; at < kTokens; at += 50) {
    std::vector<SequenceSlice> batch;
    for (uint32_t i = 0; i < 4; ++i) batch.push_back({others[i], at / 2, pages[i + 1], 1});
    batch.insert(batch.begin() + 2, {std::span(ids_).subspan(at, 50), at, pages[0], 50});
    if (at > 0) {
      for (uint32_t i = 0; i < 5; ++i) batch[i].position = i == 2 ? at : 0;
    } else {
      for (SequenceSlice& s : batch) s.position = 0;
    }
    ASSERT_TRUE(decoder->forward(batch, kv, logits).ok());
    EXPECT_TRUE(same_bits(std::span(logits).subspan(200, 5000), std::span(alone).subspan(size_t{at} * 100, 5000))) << at;
  }
}

TEST_P(DecoderNumbers, EightBitPagesAreNear) {
  const auto half = all_logits(2, 100), byte = all_logits(2, 100, KvType::kQ8);
  double error = 0, size = 0;
  for (size_t i = 0; i < half.size(); ++i) {
    error += std::pow(half[i] - byte[i], 2);
    size += std::pow(half[i], 2);
  }
  EXPECT_LT(std::sqrt(error / size), 0.05);
  EXPECT_GT(error, 0);
}

TEST_P(DecoderNumbers, ACopiedPageGoesOnAsTheOriginal) {
  ThreadTeam team(2);
  auto decoder = Decoder::create(model_.source, team).value();
  KvStore kv(model_.source.config, KvType::kF16, 4);
  const std::vector<PageId> first = {0, 1}, second = {0, 3};
  std::vector<float> a, b;
  const SequenceSlice prompt{std::span(ids_).first(40), 0, first, 1};
  ASSERT_TRUE(decoder->forward({&prompt, 1}, kv, a).ok());
  kv.copy_page(1, 3);
  const SequenceSlice one{std::span(ids_).subspan(40, 1), 40, first, 1}, two{std::span(ids_).subspan(40, 1), 40, second, 1};
  ASSERT_TRUE(decoder->forward({&one, 1}, kv, a).ok());
  ASSERT_TRUE(decoder->forward({&two, 1}, kv, b).ok());
  EXPECT_TRUE(same_bits(a, b));
}

TEST_P(DecoderNumbers, WrongIdsAndPositionsAreErrors) {
  ThreadTeam team(1);
  auto decoder = Decoder::create(model_.source, team).value();
  KvStore kv(model_.source.config, KvType::kF16, 2);
  std::vector<float> logits;
  const std::vector<PageId> pages = {0, 1}, beyond = {0, 2};
  const auto code = [&](std::vector<text::TokenId> ids, uint32_t position, std::span<const PageId> p, uint32_t wanted) {
    const SequenceSlice slice{ids, position, p, wanted};
    return decoder->forward({&slice, 1}, kv, logits).error().code;
  };
  EXPECT_EQ(code({-1}, 0, pages, 1), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({100}, 0, pages, 1), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1}, 64, pages, 1), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1}, 40, beyond, 1), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1}, 0, pages, 2), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({}, 0, pages, 0), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(decoder->forward({}, kv, logits).ok());
}

}  // namespace
}  // namespace rival::model
