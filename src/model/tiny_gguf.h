// For tests: small GGUF files with every tensor filled by a pattern, to be changed and written.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "format/gguf_writer.h"

namespace rival::model {

struct TinyGguf {
  format::MetadataBuilder metadata;
  std::vector<format::TensorPlan> tensors;

  // dims fastest first
  void add(std::string name, std::vector<uint64_t> dims, DType type = DType::kF32) {
    Shape shape;
    std::ranges::copy(dims, shape.dims.begin());
    tensors.push_back({std::move(name), type, shape});
  }
  void remove(std::string_view name) {
    std::erase_if(tensors, [&](const auto& tensor) { return tensor.name == name; });
  }
  format::TensorPlan& tensor(std::string_view name) {
    return *std::ranges::find_if(tensors, [&](const auto& tensor) { return tensor.name == name; });
  }

  // Writes to a file in the tests' temporary folder and returns its path.
  std::filesystem::path write(const std::string& name) const {
    const auto path = std::filesystem::path(testing::TempDir()) / name;
    auto writer = format::GgufWriter::create(path, metadata, tensors);
    EXPECT_TRUE(writer.ok());
    for (const format::TensorPlan& tensor : tensors) {
      std::vector<std::byte> bytes(tensor.shape.rows() * row_bytes(tensor.type, tensor.shape.row()));
      if (tensor.type == DType::kF32) fill(bytes);
      EXPECT_TRUE(writer->append(bytes).ok());
    }
    EXPECT_TRUE(writer->finish().ok());
    return path;
  }

 private:
  static void fill(std::span<std::byte> bytes) {
    for (size_t i = 0; i < bytes.size() / sizeof(float); ++i) {
      const float value = 0.5f + 0.4f * std::sin(static_cast<float>(i));
      std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof value);
    }
  }
};

// Two layers of Llama: D 32, heads 4 over 2, F 48, V 40.
inline TinyGguf tiny_llama(std::string_view architecture = "llama") {
  TinyGguf model;
  const auto key = [&](const char* name) { return std::string(architecture) + "." + name; };
  model.metadata.set_string("general.architecture", architecture);
  model.metadata.set_u32(key("block_count"), 2);
  model.metadata.set_u32(key("context_length"), 64);
  model.metadata.set_u32(key("embedding_length"), 32);
  model.metadata.set_u32(key("feed_forward_length"), 48);
  model.metadata.set_u32(key("attention.head_count"), 4);
  model.metadata.set_u32(key("attention.head_count_kv"), 2);
  model.metadata.set_f32(key("attention.layer_norm_rms_epsilon"), 1e-5f);
  model.add("token_embd.weight", {32, 40});
  model.add("output_norm.weight", {32});
  for (const char* layer : {"blk.0.", "blk.1."}) {
    const auto name = [&](const char* role) { return std::string(layer) + role; };
    model.add(name("attn_norm.weight"), {32});
    model.add(name("attn_q.weight"), {32, 32});
    model.add(name("attn_k.weight"), {32, 16});
    model.add(name("attn_v.weight"), {32, 16});
    model.add(name("attn_output.weight"), {32, 32});
    model.add(name("ffn_norm.weight"), {32});
    model.add(name("ffn_gate.weight"), {32, 48});
    model.add(name("ffn_up.weight"), {32, 48});
    model.add(name("ffn_down.weight"), {48, 32});
  }
  return model;
}

}  // namespace rival::model
