// config.json as written by hand and by older programs: what is left out, null, or asks for another computation.
#include "model/hf_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "model/architecture.h"

namespace rival::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kSizes = R"({"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3,
  "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-6,
  "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64, "layer_norm_epsilon": 1e-5, "layer_norm_eps": 1e-5})";

Result<ModelConfig> config_of(std::string_view hf_class, std::string_view changes) {
  RIVAL_ASSIGN_OR_RETURN(const json::value sizes, parse_json(kSizes));
  RIVAL_ASSIGN_OR_RETURN(const json::value changed, parse_json(changes));
  json::object config = sizes.as_object();
  for (const auto& member : changed.as_object()) config[member.key()] = member.value();
  config["architectures"] = json::array{hf_class};
  RIVAL_ASSIGN_OR_RETURN(const Architecture* architecture, hf_architecture(config));
  RIVAL_ASSIGN_OR_RETURN(const HyperParameters parameters, hf_parameters(*architecture, config));
  return make_config(*architecture, parameters);
}

std::vector<uint32_t> windows_of(const ModelConfig& config) {
  std::vector<uint32_t> windows;
  for (const LayerConfig& layer : config.layers) windows.push_back(layer.window);
  return windows;
}

TEST(HfConfig, CapsThatAreNullAreNone) {
  const auto usual = config_of("Gemma2ForCausalLM", "{}");
  ASSERT_TRUE(usual.ok()) << usual.error().message;
  EXPECT_EQ(usual->attention_softcap, 50.0f);
  EXPECT_EQ(usual->final_softcap, 30.0f);
  const auto none =
      config_of("Gemma2ForCausalLM", R"({"attn_logit_softcapping": null, "final_logit_softcapping": null})");
  ASSERT_TRUE(none.ok()) << none.error().message;
  EXPECT_EQ(none->attention_softcap, 0.0f);
  EXPECT_EQ(none->final_softcap, 0.0f);
}

TEST(HfConfig, WindowsFromTheirFirstLayer) {
  const std::string_view with = R"({"use_sliding_window": true, "sliding_window": 8, "max_window_layers": 1})";
  EXPECT_THAT(windows_of(*config_of("Qwen2ForCausalLM", with)), ElementsAre(0, 8, 8));
  const std::string_view without = R"({"use_sliding_window": false, "sliding_window": 8, "max_window_layers": 1})";
  EXPECT_THAT(windows_of(*config_of("Qwen2ForCausalLM", without)), ElementsAre(0, 0, 0));
}

TEST(HfConfig, RefusesSwitchesOfOtherComputations) {
  struct Row {
    std::string_view hf_class, changes, problem;
  };
  constexpr Row kRows[] = {
      {"GPT2LMHeadModel", R"({"scale_attn_weights": false})", "scale_attn_weights is false"},
      {"GPT2LMHeadModel", R"({"scale_attn_by_inverse_layer_idx": true})", "scale_attn_by_inverse_layer_idx is true"},
      {"BertModel", R"({"position_embedding_type": "relative_key"})", "position_embedding_type is relative_key"},
      {"BertModel", R"({"is_decoder": true})", "is_decoder is true"},
      {"Gemma3ForCausalLM", R"({"use_bidirectional_attention": true})", "use_bidirectional_attention is true"},
      {"GptOssForCausalLM", R"({"num_local_experts": 2, "num_experts_per_tok": 1, "swiglu_limit": 8.5})",
       "swiglu_limit is 8.5"},
  };
  for (const Row& row : kRows) {
    const auto config = config_of(row.hf_class, row.changes);
    ASSERT_FALSE(config.ok()) << row.changes;
    EXPECT_EQ(config.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(config.error().message, HasSubstr(row.problem));
  }
  const auto same =
      config_of("GptOssForCausalLM", R"({"num_local_experts": 2, "num_experts_per_tok": 1, "swiglu_limit": 7.0})");
  EXPECT_TRUE(same.ok()) << same.error().message;
}

}  // namespace
}  // namespace rival::model
