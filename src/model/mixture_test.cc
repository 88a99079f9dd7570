#include "model/mixture.h"

#include <gtest/gtest.h>

#include <set>

namespace rival::model {
namespace {

DType choose(std::string_view mixture, std::string_view name, MixtureModel model = {.layers = 32}, uint64_t row = 4096,
             uint64_t matrices = 1) {
  return choose_type(*find_mixture(mixture), model, name, Shape{{row, 1024, matrices, 1}}, DType::kF32);
}

TEST(Mixture, NamesAndFileTypes) {
  std::set<uint32_t> file_types;
  for (const Mixture& mixture : mixtures()) {
    EXPECT_TRUE(file_types.insert(mixture.file_type).second) << mixture.name;
    EXPECT_EQ(find_file_type(mixture.file_type), mixture.name);
  }
  EXPECT_EQ(find_mixture("q4_k")->name, "Q4_K_M");
  EXPECT_EQ(find_mixture("iq4_xs")->base, DType::kIQ4_XS);
  EXPECT_FALSE(find_mixture("IQ2_XXS").has_value());
}

TEST(Mixture, SmallAndSensitiveTensorsKeepTheirType) {
  for (const char* name : {"blk.0.attn_norm.weight", "blk.0.ffn_gate_inp.weight", "position_embd.weight", "blk.0.attn_q.bias"})
    EXPECT_EQ(choose("Q4_K_M", name), DType::kF32) << name;
  EXPECT_EQ(choose_type(*find_mixture("Q4_0"), {}, "a.weight", Shape{{64, 1, 1, 1}}, DType::kF32), DType::kF32);
}

TEST(Mixture, MoreBitsWhereTheyMatter) {
  EXPECT_EQ(choose("Q4_K_M", "blk.0.attn_v.weight"), DType::kQ6_K);
  EXPECT_EQ(choose("Q4_K_M", "blk.5.attn_v.weight"), DType::kQ4_K);
  EXPECT_EQ(choose("Q4_K_M", "blk.6.ffn_down.weight"), DType::kQ6_K);  // (6 - 32 / 8) % 3 == 2
  EXPECT_EQ(choose("Q4_K_M", "blk.31.ffn_down.weight"), DType::kQ6_K);
  EXPECT_EQ(choose("Q4_K_M", "blk.0.attn_q.weight"), DType::kQ4_K);
  EXPECT_EQ(choose("Q4_K_M", "output.weight"), DType::kQ6_K);
  EXPECT_EQ(choose("Q4_K_M", "token_embd.weight"), DType::kQ4_K);
  EXPECT_EQ(choose("Q4_K_M", "token_embd.weight", {.layers = 32, .tied_output = true}), DType::kQ6_K);
  EXPECT_EQ(choose("Q4_K_S", "blk.3.attn_v.weight"), DType::kQ5_K);
  EXPECT_EQ(choose("Q3_K_M", "blk.9.attn_output.weight"), DType::kQ4_K);
  EXPECT_EQ(choose("Q2_K", "blk.9.attn_v.weight"), DType::kQ3_K);
  EXPECT_EQ(choose("Q2_K", "blk.9.attn_v.weight", {.layers = 32, .heads_per_kv = 4}), DType::kQ4_K);
  EXPECT_EQ(choose("Q4_0", "blk.0.ffn_down.weight"), DType::kQ4_0);
  EXPECT_EQ(choose("Q4_0", "blk.0.ffn_down.weight", {.layers = 32, .has_importance = true}), DType::kQ4_1);
  EXPECT_EQ(choose("Q4_K_M", "blk.9.attn_k.weight", {.layers = 32, .experts = 8}), DType::kQ8_0);
}

TEST(Mixture, Mxfp4IsForExpertsWhereThereAreAny) {
  const MixtureModel experts{.layers = 32, .experts = 64};
  EXPECT_EQ(choose("MXFP4", "blk.0.ffn_up_exps.weight", experts, 4096, 64), DType::kMXFP4);
  EXPECT_EQ(choose("MXFP4", "blk.0.attn_q.weight", experts), DType::kQ8_0);
  EXPECT_EQ(choose("MXFP4", "blk.0.attn_q.weight"), DType::kMXFP4);
  EXPECT_EQ(choose("MXFP4", "token_embd.weight"), DType::kQ8_0);
}

// Rows of 576 (SmolLM2-135M) are whole blocks of 32, not of 256.
TEST(Mixture, ShortRowsFallBack) {
  const std::pair<const char*, DType> rows[] = {
      {"Q2_K", DType::kIQ4_NL}, {"Q3_K_S", DType::kIQ4_NL}, {"Q4_K_M", DType::kQ5_0}, {"Q5_K_S", DType::kQ5_1},
      {"Q6_K", DType::kQ8_0},   {"IQ4_XS", DType::kIQ4_NL}, {"Q4_1", DType::kQ4_1}};
  for (const auto& [mixture, type] : rows)
    EXPECT_EQ(choose(mixture, "blk.9.attn_q.weight", {.layers = 32}, 576), type) << mixture;
  EXPECT_EQ(choose("Q4_K_M", "output.weight", {.layers = 32}, 576), DType::kQ8_0);
  EXPECT_EQ(choose("Q4_1", "output.weight", {.layers = 32}, 576), DType::kQ8_0);
  EXPECT_EQ(choose("Q4_K_M", "blk.9.attn_q.weight", {.layers = 32}, 48), DType::kF16);
  EXPECT_EQ(choose("F16", "blk.9.attn_q.weight", {.layers = 32}, 48), DType::kF16);
}

}  // namespace
}  // namespace rival::model
