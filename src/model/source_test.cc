#include "model/source.h"

#include <gmock/gmock.h>

#include <cstring>

#include "model/tiny_gguf.h"

namespace rival::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

float element(const MatrixView& matrix, uint64_t row, uint64_t col) {
  float value;
  std::memcpy(&value, matrix.data + 4 * (row * matrix.row_stride + col * matrix.col_stride), 4);
  return value;
}

std::string error_of(const TinyGguf& model) {
  const auto source = open_model(model.write("wrong.gguf"));
  return source.ok() ? "no error" : source.error().message;
}

TEST(Source, OpensLlama) {
  TinyGguf model = tiny_llama();
  model.metadata.set_string("general.name", "Tiny");
  model.metadata.set_f32("llama.rope.freq_base", 5000.0f);
  const auto source = open_model(model.write("llama.gguf"));
  ASSERT_TRUE(source.ok()) << source.error().message;
  const ModelConfig& config = source->config;
  EXPECT_EQ(config.architecture, "llama");
  EXPECT_EQ(config.name, "Tiny");
  EXPECT_EQ(config.vocabulary_size, 40u);
  EXPECT_EQ(config.head_dim_k, 8u);
  EXPECT_EQ(config.rope_dim, 8u);
  EXPECT_EQ(config.rope_style, RopeStyle::kAdjacent);
  ASSERT_EQ(config.layers.size(), 2u);
  EXPECT_EQ(config.layers[1].n_head_kv, 2u);
  EXPECT_EQ(config.layers[1].rope_base, 5000.0f);
  EXPECT_EQ(source->layers[1].down.cols, 48u);
  EXPECT_EQ(source->output.rows, 0u);
  EXPECT_FALSE(source->tokenizer.has_value());
  EXPECT_EQ(source->weights_type, "F32");
  EXPECT_FLOAT_EQ(source->output_norm[1], 0.5f + 0.4f * std::sin(1.0f));
}

struct WrongFile {
  const char* name;
  void (*edit)(TinyGguf&);
  const char* message;
};

const WrongFile kWrongFiles[] = {
    {"no architecture", [](TinyGguf& m) { m.metadata.erase("general.architecture"); },
     "general.architecture"},
    {"unknown architecture", [](TinyGguf& m) { m.metadata.set_string("general.architecture", "mamba"); },
     "general.architecture is 'mamba'; known are llama"},
    {"no layers", [](TinyGguf& m) { m.metadata.set_u32("llama.block_count", 0); },
     "llama.block_count is 0, expected a number from 1 to 1024"},
    {"too many layers", [](TinyGguf& m) { m.metadata.set_u32("llama.block_count", 1u << 31); },
     "llama.block_count is 2147483648, expected"},
    {"more layers than tensors", [](TinyGguf& m) { m.metadata.set_u32("llama.block_count", 3); },
     "tensor 'blk.2.attn_norm.weight' is missing"},
    {"fewer layers than tensors", [](TinyGguf& m) { m.metadata.set_u32("llama.block_count", 1); },
     "tensor 'blk.1.attn_norm.weight' is not one that architecture 'llama' has"},
    {"layers as text", [](TinyGguf& m) { m.metadata.set_string("llama.block_count", "two"); },
     "llama.block_count is 'two', expected a number"},
    {"layers missing", [](TinyGguf& m) { m.metadata.erase("llama.block_count"); },
     "llama.block_count is missing"},
    {"no heads", [](TinyGguf& m) { m.metadata.set_u32("llama.attention.head_count", 0); },
     "llama.attention.head_count is 0, expected"},
    {"heads do not divide", [](TinyGguf& m) { m.metadata.set_u32("llama.attention.head_count_kv", 3); },
     "llama.attention.head_count_kv is 3, which does not divide llama.attention.head_count = 4"},
    {"dimension does not divide", [](TinyGguf& m) { m.metadata.set_u32("llama.embedding_length", 30); },
     "llama.attention.head_count is 4, which does not divide llama.embedding_length = 30"},
    {"a head count a layer, but for one",
     [](TinyGguf& m) { m.metadata.set_u32s("llama.attention.head_count", std::vector<uint32_t>{4}); },
     "llama.attention.head_count has 1 items, expected one for each of the 2 layers"},
    {"odd rotation", [](TinyGguf& m) { m.metadata.set_u32("llama.rope.dimension_count", 7); },
     "llama.rope.dimension_count is 7, expected an even number"},
    {"rotation past the head", [](TinyGguf& m) { m.metadata.set_u32("llama.rope.dimension_count", 10); },
     "llama.rope.dimension_count is 10, expected a number from 0 to 8"},
    {"rotation base", [](TinyGguf& m) { m.metadata.set_f32("llama.rope.freq_base", -1.0f); },
     "llama.rope.freq_base is -1, expected a positive number"},
    {"not a number", [](TinyGguf& m) { m.metadata.set_f32("llama.attention.layer_norm_rms_epsilon", NAN); },
     "llama.attention.layer_norm_rms_epsilon is f32, expected a finite number"},
    {"scaling kind", [](TinyGguf& m) { m.metadata.set_string("llama.rope.scaling.type", "magic"); },
     "llama.rope.scaling.type is 'magic'"},
    {"context", [](TinyGguf& m) { m.metadata.set_u32("llama.context_length", 1u << 30); },
     "llama.context_length is 1073741824, expected"},
    {"no width", [](TinyGguf& m) { m.metadata.erase("llama.feed_forward_length"); },
     "feed_forward_length is missing"},
    {"more experts used than there are",
     [](TinyGguf& m) {
       m.metadata.set_u32("llama.expert_count", 4);
       m.metadata.set_u32("llama.expert_used_count", 5);
     },
     "llama.expert_used_count is 5, expected a number from 1 to 4"},
    {"missing tensor", [](TinyGguf& m) { m.remove("blk.1.ffn_gate.weight"); },
     "tensor 'blk.1.ffn_gate.weight' is missing"},
    {"wrong shape", [](TinyGguf& m) { m.tensor("blk.0.attn_k.weight").shape.dims[1] = 8; },
     "tensor 'blk.0.attn_k.weight' is 8 x 32, expected 16 x 32"},
    {"integers for weights", [](TinyGguf& m) { m.tensor("blk.0.attn_k.weight").type = DType::kI32; },
     "tensor 'blk.0.attn_k.weight' has type I32, which holds no weights"},
    {"unknown tensor", [](TinyGguf& m) { m.add("blk.0.ffn_extra.weight", {4}); },
     "tensor 'blk.0.ffn_extra.weight' is not one that"},
    {"more tokens than rows",
     [](TinyGguf& m) {
       m.metadata.set_string("tokenizer.ggml.model", "llama");
       m.metadata.set_strings("tokenizer.ggml.tokens", std::vector<std::string_view>(41, "a"));
     },
     "tokenizer.ggml.tokens has 41 items, but token_embd.weight 40 rows"},
    {"fewer scores than tokens",
     [](TinyGguf& m) {
       m.metadata.set_string("tokenizer.ggml.model", "llama");
       m.metadata.set_strings("tokenizer.ggml.tokens", std::vector<std::string_view>(4, "a"));
       m.metadata.set_f32s("tokenizer.ggml.scores", std::vector<float>(3));
     },
     "tokenizer.ggml.scores has 3 items, expected 4"},
    {"id past the vocabulary",
     [](TinyGguf& m) {
       m.metadata.set_string("tokenizer.ggml.model", "llama");
       m.metadata.set_strings("tokenizer.ggml.tokens", std::vector<std::string_view>(4, "a"));
       m.metadata.set_u32("tokenizer.ggml.eos_token_id", 4);
     },
     "tokenizer.ggml.eos_token_id is 4, expected an id from 0 to 3"},
};

TEST(Source, RefusesWrongFiles) {
  for (const WrongFile& row : kWrongFiles) {
    TinyGguf model = tiny_llama();
    row.edit(model);
    EXPECT_THAT(error_of(model), HasSubstr(row.message)) << row.name;
  }
}

TEST(Source, SplitsFusedQkv) {
  TinyGguf model = tiny_llama("phi3");
  for (const char* layer : {"blk.0.", "blk.1."}) {
    for (const char* role : {"attn_q.weight", "attn_k.weight", "attn_v.weight", "ffn_gate.weight"})
      model.remove(std::string(layer) + role);
    model.add(std::string(layer) + "attn_qkv.weight", {32, 64});
    model.tensor(std::string(layer) + "ffn_up.weight").shape.dims[1] = 96;
  }
  const auto source = open_model(model.write("phi3.gguf"));
  ASSERT_TRUE(source.ok()) << source.error().message;
  const LayerSource& layer = source->layers[1];
  EXPECT_EQ(layer.k.rows, 16u);
  EXPECT_FLOAT_EQ(element(layer.v, 1, 2), 0.5f + 0.4f * std::sin(static_cast<float>((32 + 16 + 1) * 32 + 2)));
  EXPECT_FLOAT_EQ(element(layer.up, 0, 5), 0.5f + 0.4f * std::sin(static_cast<float>(48 * 32 + 5)));
}

TEST(Source, WindowsOfGemma3) {
  TinyGguf model = tiny_llama("gemma3");
  for (const char* layer : {"blk.0.", "blk.1."}) {
    for (const char* role : {"post_attention_norm.weight", "post_ffw_norm.weight"})
      model.add(std::string(layer) + role, {32});
    for (const char* role : {"attn_q_norm.weight", "attn_k_norm.weight"})
      model.add(std::string(layer) + role, {8});
  }
  model.metadata.set_u32("gemma3.attention.sliding_window", 16);
  model.metadata.set_f32("gemma3.rope.freq_base", 1e6f);
  model.metadata.set_f32("gemma3.rope.scaling.factor", 8.0f);
  model.metadata.set_bools("gemma3.attention.sliding_window_pattern", std::array{false, true});
  const auto source = open_model(model.write("gemma3.gguf"));
  ASSERT_TRUE(source.ok()) << source.error().message;
  const auto& layers = source->config.layers;
  EXPECT_EQ(layers[0].window, 0u);
  EXPECT_EQ(layers[0].rope_base, 1e6f);
  EXPECT_EQ(layers[0].rope_scaling.kind, RopeScalingKind::kLinear);
  EXPECT_EQ(layers[1].window, 16u);
  EXPECT_EQ(layers[1].rope_base, 10000.0f);
  EXPECT_EQ(layers[1].rope_scaling.kind, RopeScalingKind::kNone);
}

TEST(Source, FindsWhereAnswersEnd) {
  TinyGguf model = tiny_llama();
  const std::vector<std::string_view> tokens = {"<unk>",      "<s>",     "</s>",    "a",
                                                "<|im_end|>", "<|end|>", "<|call|>"};
  model.metadata.set_string("tokenizer.ggml.model", "llama");
  model.metadata.set_strings("tokenizer.ggml.tokens", tokens);
  model.metadata.set_f32s("tokenizer.ggml.scores", std::vector<float>(tokens.size()));
  model.metadata.set_i32s("tokenizer.ggml.token_type", std::vector<int32_t>{2, 3, 3, 1, 3, 1, 3});
  model.metadata.set_string("tokenizer.chat_template", "{{ messages }}");
  const auto source = open_model(model.write("ends.gguf"));
  ASSERT_TRUE(source.ok()) << source.error().message;
  EXPECT_THAT(source->end_of_generation, ElementsAre(2, 4, 5, 6));
  EXPECT_EQ(source->bos_text, "<s>");
  EXPECT_EQ(source->eos_text, "</s>");
  EXPECT_EQ(source->chat_template, "{{ messages }}");
  ASSERT_TRUE(source->tokenizer.has_value());
  EXPECT_TRUE(source->tokenizer->is_control(5));  // spelled like one, whatever its type says
}

}  // namespace
}  // namespace rival::model
