// GGUF metadata: an ordered list of keys with typed values, kept as views of the encoded bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "format/byte_reader.h"

namespace rival::format {

// Ids as in the file.
enum class MetadataType : uint32_t {
  kU8 = 0, kI8 = 1, kU16 = 2, kI16 = 3, kU32 = 4, kI32 = 5, kF32 = 6, kBool = 7, kString = 8, kArray = 9,
  kU64 = 10, kI64 = 11, kF64 = 12,
};
std::string_view to_string(MetadataType type);  // "u32", "string", "array", ...

// One key with its value still encoded. Arrays hold no arrays.
struct MetadataEntry {
  std::string_view key;
  MetadataType type = MetadataType::kU8;
  MetadataType item_type = MetadataType::kU8;  // of an array's items; else the same as `type`
  uint64_t count = 1;                          // items of an array
  // A number's bytes; a string's text; an array's items one after the other.
  std::span<const std::byte> bytes;

  std::string type_name() const;  // "u32", "array of string"
  // For people and tools: arrays longer than items_max are cut. Not-finite numbers become strings.
  json::value to_json(size_t items_max) const;
};

// Views into the file or buffer it was read from, which must outlive it. Thread-safe to read.
//
// Getters look a key up and convert. Errors: kNotFound when the key is missing, kCorrupt when its type or
// value does not fit; both name the key, the type found and the type expected. Integers of any width and sign
// are accepted where the value fits, floats of both widths where an f32 is asked for; a scalar float must be
// finite. The *_or forms give `fallback` for a missing key, and still an error for a wrong one.
class Metadata {
 public:
  // Errors: kCorrupt on a key that is already there.
  Status add(MetadataEntry entry);

  std::span<const MetadataEntry> entries() const { return entries_; }
  const MetadataEntry* find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }

  Result<uint32_t> get_u32(std::string_view key) const;
  Result<uint64_t> get_u64(std::string_view key) const;
  Result<int64_t> get_i64(std::string_view key) const;
  Result<float> get_f32(std::string_view key) const;
  Result<bool> get_bool(std::string_view key) const;
  Result<std::string_view> get_string(std::string_view key) const;

  Result<uint32_t> get_u32_or(std::string_view key, uint32_t fallback) const;
  Result<float> get_f32_or(std::string_view key, float fallback) const;
  Result<bool> get_bool_or(std::string_view key, bool fallback) const;
  Result<std::string_view> get_string_or(std::string_view key, std::string_view fallback) const;

  // Arrays. `get_strings` walks 260,000 tokens in a few milliseconds and copies none of their text.
  Result<std::vector<std::string_view>> get_strings(std::string_view key) const;
  Result<std::vector<int32_t>> get_i32s(std::string_view key) const;
  Result<std::vector<float>> get_f32s(std::string_view key) const;

  // One value a layer: an array of exactly `layers` integers (or bools as 0/1), or a scalar that holds for
  // all.
  Result<std::vector<uint32_t>> get_u32_per_layer(std::string_view key, size_t layers) const;

 private:
  std::vector<MetadataEntry> entries_;
  std::unordered_map<std::string_view, size_t> index_;  // key -> place in entries_
};

// Reads `count` keys of a GGUF header. Errors: kCorrupt, kLimit, kUnsupported, each naming key and field.
Result<Metadata> read_metadata(ByteReader& reader, uint64_t count);

}  // namespace rival::format
