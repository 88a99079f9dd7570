// Writing GGUF version 3: metadata first, then tensors one after the other, without holding them in memory.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "format/gguf.h"

namespace rival::format {

// Metadata to be written, in the order in which keys are first set. Setting a key again replaces its value.
class MetadataBuilder {
 public:
  void set_u32(std::string_view key, uint32_t value);
  void set_u64(std::string_view key, uint64_t value);
  void set_i32(std::string_view key, int32_t value);
  void set_f32(std::string_view key, float value);
  void set_bool(std::string_view key, bool value);
  void set_string(std::string_view key, std::string_view value);
  void set_strings(std::string_view key, std::span<const std::string_view> values);
  void set_u32s(std::string_view key, std::span<const uint32_t> values);
  void set_i32s(std::string_view key, std::span<const int32_t> values);
  void set_f32s(std::string_view key, std::span<const float> values);
  void set_bools(std::string_view key, std::span<const bool> values);

  void copy(const MetadataEntry& entry);  // as it is
  void copy_all(const Metadata& metadata);
  void erase(std::string_view key);

  size_t size() const { return entries_.size(); }
  std::string encode() const;  // keys, types and values as in the file

 private:
  struct Entry {
    std::string key;
    std::string value;  // type and value, encoded
  };
  void set(std::string_view key, std::string value);

  std::vector<Entry> entries_;
};

// A tensor to be written. `shape` is fastest first.
struct TensorPlan {
  std::string name;
  DType type = DType::kF32;
  Shape shape;
};

// The header of a file with these tensors, up to and including the padding before the data.
std::string encode_gguf_header(const MetadataBuilder& metadata, std::span<const TensorPlan> tensors);

// Writes beside `path` and renames at finish(); without it nothing is left. Errors: kIo.
class GgufWriter {
 public:
  static Result<GgufWriter> create(const std::filesystem::path& path, const MetadataBuilder& metadata,
                                   std::vector<TensorPlan> tensors);

  // The next bytes of the data: tensors in the order of the plan, in pieces of any length within one tensor.
  // Padding is added where a tensor ends.
  Status append(std::span<const std::byte> bytes);

  // REQUIRES that every tensor is complete.
  Status finish();

 private:
  GgufWriter(AtomicFileWriter file, std::vector<TensorPlan> tensors);

  AtomicFileWriter file_;
  std::vector<TensorPlan> tensors_;
  size_t current_ = 0;    // tensor being written
  uint64_t missing_ = 0;  // bytes of it still to come
};

}  // namespace rival::format
