#include "model/sampling_defaults.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "format/gguf.h"
#include "model/source.h"
#include "model/tiny_gguf.h"

namespace rival::model {
namespace {

json::object parsed(std::string_view text) { return parse_json(text)->as_object(); }

TEST(SamplingDefaults, AreTheSameInBothFormats) {
  const json::object config = parsed(R"({"do_sample":true,"temperature":0.6,"top_p":0.95,"min_p":0.05,
                                         "repetition_penalty":1.1,"top_k":20})");
  const SamplingDefaults sampling = sampling_of(config);
  EXPECT_EQ(sampling, (SamplingDefaults{0.6f, 20u, 0.95f, 0.05f, 1.1f}));
  json::object again;
  write_sampling(sampling, again);
  EXPECT_EQ(again, config);

  TinyGguf model = tiny_llama();
  write_sampling(sampling, model.metadata);
  EXPECT_EQ(open_model(model.write("sampling.gguf"))->sampling, sampling);
}

TEST(SamplingDefaults, GreedyIsATemperatureOfZero) {
  EXPECT_EQ(sampling_of(parsed(R"({"do_sample":false,"top_p":0.9})")), SamplingDefaults{.temperature = 0.0f});
}

TEST(SamplingDefaults, WhatIsOutOfRangeIsLeftOut) {
  const json::object wild = parsed(R"({"temperature":-1,"top_p":0,"min_p":7,"repetition_penalty":1e9,"top_k":-5})");
  EXPECT_EQ(sampling_of(wild), SamplingDefaults());
  EXPECT_EQ(sampling_of(parsed(R"({"temperature":"hot","top_k":2.5,"top_p":null})")), SamplingDefaults());
  EXPECT_EQ(sampling_of(parsed(R"({"top_k":-1})")).top_k, 0u);
  TinyGguf model = tiny_llama();
  model.metadata.set_string("general.sampling.temp", "hot");
  model.metadata.set_f32("general.sampling.top_p", 3.0f);
  EXPECT_EQ(open_model(model.write("wild.gguf"))->sampling, SamplingDefaults());
}

// The ids at which an answer ends come from the tokens' names and from both configurations, and the tokenizer, which
// the engine asks, knows them too.
TEST(EndOfGeneration, OfAFolder) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "ends";
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(write_file_atomically(folder / "tokenizer.json", R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2},"merges":[]},
    "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},
    "added_tokens":[{"id":3,"content":"<|im_end|>","special":true},{"id":4,"content":"<end>","special":true},
                    {"id":5,"content":"<stop>","special":true},{"id":6,"content":"<eos>","special":true}]})").ok());
  ASSERT_TRUE(write_file_atomically(folder / "tokenizer_config.json", R"({"eos_token":"<stop>"})").ok());
  ASSERT_TRUE(write_file_atomically(folder / "generation_config.json", R"({"eos_token_id":[4,5,99]})").ok());
  const auto texts = open_texts(folder);
  ASSERT_TRUE(texts.ok()) << texts.error().message;
  EXPECT_EQ(texts->end_of_generation, (std::vector<text::TokenId>{3, 4, 5, 6}));
  EXPECT_EQ(texts->tokenizer->vocabulary().end_of_generation, texts->end_of_generation);
}

}  // namespace
}  // namespace rival::model
