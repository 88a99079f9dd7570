#include "text/grammar/mask_cache.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/random.h"
#include "text/grammar.h"
#include "text/grammar/test_vocabulary.h"

namespace rival::text::grammar {
namespace {

constexpr size_t kWords = 768;

Bits random_bits(Random& random, uint32_t one_in) {
  Bits bits(kWords);
  for (size_t i = 0; i < kWords * 64; ++i)
    if (random.next_below(one_in) == 0) bits[i / 64] |= uint64_t{1} << (i % 64);
  return bits;
}

TEST(MaskCache, GivesBackWhatWasPutHoweverItIsKept) {
  Random random(1);
  MaskCache cache;
  const auto base = std::make_shared<const Bits>(random_bits(random, 2));
  std::vector<Bits> masks{Bits(kWords), random_bits(random, 1000), random_bits(random, 3), Bits(kWords, UINT64_MAX)};
  Bits wider = *base;
  const Bits further = random_bits(random, 500);
  for (size_t i = 0; i < kWords; ++i) wider[i] |= further[i];
  masks.push_back(wider);
  for (size_t i = 0; i < masks.size(); ++i) cache.put(i, masks[i], i + 1 == masks.size() ? base : nullptr);
  for (size_t i = 0; i < masks.size(); ++i) {
    Bits bits(kWords, 0x5555);
    ASSERT_TRUE(cache.get(i, bits));
    EXPECT_EQ(bits, masks[i]) << i;
  }
  Bits bits(kWords);
  EXPECT_FALSE(cache.get(99, bits));
}

TEST(MaskCache, WhatIsUsedStaysAndTheRestGoes) {
  Random random(2);
  MaskCache cache;
  const Bits used = random_bits(random, 2), other = random_bits(random, 2);
  cache.put(0, used, nullptr);
  Bits bits(kWords);
  const size_t many = 4 * limits::kGrammarMaskCacheBytesMax / (kWords * 8);
  for (size_t key = 1; key < many; ++key) {
    cache.put(key, other, nullptr);
    ASSERT_TRUE(cache.get(0, bits)) << key;
  }
  EXPECT_EQ(bits, used);
  EXPECT_FALSE(cache.get(1, bits));
  EXPECT_TRUE(cache.get(many - 1, bits));
}

// Items far from all bounds share their masks; those near a bound have their own.
TEST(MaskCache, ItemsOfALongArrayGetTheirOwnMasksNearItsBounds) {
  const auto g = Grammar::json_schema_text(test_vocabulary(), R"({"type": "array", "prefixItems": [{"const": 7}], "items": {"enum": [1, 12]}, "minItems": 40, "maxItems": 60})");
  ASSERT_TRUE(g.ok());
  GrammarState state(*g);
  std::string text;
  const auto expect_true_mask = [&] {
    std::vector<uint32_t> mask(test_vocabulary()->mask_words());
    state.mask(mask);
    for (TokenId t = 0; t < static_cast<TokenId>(test_vocabulary()->size()); ++t)
      EXPECT_EQ((mask[t / 32] >> (t % 32) & 1) != 0, GrammarState(state).accept(t)) << text << " then token " << t;
  };
  for (int item = 0; item < 60; ++item) {
    for (const std::string part : {item == 0 ? "[" : ",", item == 0 ? "7" : "12"}) {
      ASSERT_TRUE(state.accept_bytes(part)) << text;
      text += part;
      expect_true_mask();
    }
  }
}

}  // namespace
}  // namespace rival::text::grammar
