// A GGUF file taken apart into parts that a test may set to anything, wrong things included. It shares no
// code with the reader and writer that it tries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rival::tests {

template <typename T>
std::string raw(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}
inline std::string raw_text(std::string_view text) { return raw<uint64_t>(text.size()) + std::string(text); }

// Metadata values: type id, then the value.
inline std::string u32_value(uint32_t value) { return raw(4u) + raw(value); }
inline std::string i32_value(int32_t value) { return raw(5u) + raw(value); }
inline std::string f32_value(float value) { return raw(6u) + raw(value); }
inline std::string bool_value(uint8_t value) { return raw(7u) + raw(value); }
inline std::string text_value(std::string_view text) { return raw(8u) + raw_text(text); }
inline std::string array_value(uint32_t item_type, uint64_t count, std::string_view items) {
  return raw(9u) + raw(item_type) + raw(count) + std::string(items);
}

struct RawGguf {
  struct Key {
    std::string name;
    std::string value;
    std::optional<uint64_t> name_length = {};  // where the file shall lie about it
  };
  struct Tensor {
    std::string name;
    std::vector<uint64_t> dims;  // fastest first
    uint32_t type = 0;
    uint64_t offset = 0;
    std::optional<uint32_t> dims_count = {};
  };

  uint32_t version = 3;
  std::optional<uint64_t> tensor_count = {}, key_count = {};
  std::vector<Key> keys;
  std::vector<Tensor> tensors;
  std::string data;

  void set(std::string_view key, std::string value);  // replaces or adds
  void erase(std::string_view key);
  Tensor& tensor(std::string_view name);
  // Adds an F32 tensor of small numbers after those that are there.
  void add_tensor(std::string_view name, std::vector<uint64_t> dims);
  // The vocabulary, with scores and types of the same length: `tokens`, of type `type`, after <unk>, <s>, </s>
  // and 256 byte tokens.
  void set_vocabulary(const std::vector<std::string>& tokens, int type = 1);

  std::string encode() const;
};

// A whole small model that runs: llama, one layer of 32 dimensions, a SentencePiece vocabulary of bytes.
RawGguf tiny_model();

// The config.json of a model of the same shape.
std::string tiny_hf_config();

}  // namespace rival::tests
