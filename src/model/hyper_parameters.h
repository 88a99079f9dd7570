// A model's hyper-parameters by the names that GGUF gives them without the architecture in front
// ("attention.head_count"), whichever file they came from: GGUF metadata, or a config.json translated to them
// (hf_config.h). Getters check type and range; an error names the key as the file spells it, what was found
// and what was expected.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "format/metadata.h"

namespace rival::model {

class HyperParameters {
 public:
  // A value that has none of these types (an array of strings, say) is a Wrong with its type's name: an error
  // when it is asked for, and none when it is not.
  struct Wrong {
    std::string type_name;
  };
  using Value = std::variant<int64_t, double, bool, std::string, std::vector<int64_t>, Wrong>;

  struct Range {
    uint32_t min = 0;
    uint32_t max = UINT32_MAX;
  };

  // All keys that start with "ARCHITECTURE.".
  static HyperParameters from_gguf(const format::Metadata& metadata, std::string_view architecture);

  // `spelled`: the key as the file names it, for errors.
  void set(std::string key, Value value, std::string spelled);
  bool contains(std::string_view key) const { return values_.contains(key); }
  void erase(std::string_view key);
  std::vector<std::string> keys() const;
  // REQUIRES contains(key).
  const Value& value(std::string_view key) const;

  Result<uint32_t> u32(std::string_view key, Range range) const;
  Result<uint32_t> u32_or(std::string_view key, uint32_t fallback, Range range) const;
  Result<float> f32(std::string_view key) const;  // finite
  Result<float> f32_or(std::string_view key, float fallback) const;
  Result<bool> flag_or(std::string_view key, bool fallback) const;
  Result<std::string> text_or(std::string_view key, std::string_view fallback) const;

  // One value a layer: an array of exactly `layers` numbers (true counts as 1), or one number for all.
  Result<std::vector<uint32_t>> per_layer(std::string_view key, size_t layers, Range range) const;
  bool is_array(std::string_view key) const;

  // How errors name the key.
  std::string spelled(std::string_view key) const;

 private:
  struct Entry {
    Value value;
    std::string spelled;
  };
  const Entry* find(std::string_view key) const;
  Error missing(std::string_view key) const;

  std::string prefix_;  // of keys that are missing, in errors
  std::map<std::string, Entry, std::less<>> values_;
};

}  // namespace rival::model
