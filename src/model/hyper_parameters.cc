#include "model/hyper_parameters.h"

#include <cmath>

#include "base/limits.h"

namespace rival::model {
namespace {

using Value = HyperParameters::Value;

bool is_integer(format::MetadataType type) {
  using enum format::MetadataType;
  return type != kF32 && type != kF64 && type != kBool && type != kString && type != kArray;
}

Value read_array(const format::Metadata& metadata, const format::MetadataEntry& entry) {
  const bool numbers = is_integer(entry.item_type) || entry.item_type == format::MetadataType::kBool;
  if (!numbers || entry.count > limits::kLayersMax) return HyperParameters::Wrong{entry.type_name()};
  auto items = metadata.get_u32_per_layer(entry.key, entry.count);
  if (!items.ok()) return HyperParameters::Wrong{entry.type_name()};
  return std::vector<int64_t>(items->begin(), items->end());
}

Value read_value(const format::Metadata& metadata, const format::MetadataEntry& entry) {
  const auto keep = [&](auto result, auto convert) -> Value {
    if (!result.ok()) return HyperParameters::Wrong{entry.type_name()};
    return convert(*result);
  };
  switch (entry.type) {
    case format::MetadataType::kF32:
    case format::MetadataType::kF64:
      return keep(metadata.get_f32(entry.key), [](float value) { return static_cast<double>(value); });
    case format::MetadataType::kBool:
      return keep(metadata.get_bool(entry.key), [](bool value) { return value; });
    case format::MetadataType::kString:
      return keep(metadata.get_string(entry.key), [](std::string_view value) { return std::string(value); });
    case format::MetadataType::kArray:
      return read_array(metadata, entry);
    default:
      return keep(metadata.get_i64(entry.key), [](int64_t value) { return value; });
  }
}

std::string found(const Value& value) {
  struct Visitor {
    std::string operator()(int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return fmt::format("{}", v); }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(const std::string& v) const { return format::quote_name(v); }
    std::string operator()(const std::vector<int64_t>& v) const {
      return fmt::format("an array of {}", v.size());
    }
    std::string operator()(const HyperParameters::Wrong& v) const { return v.type_name; }
  };
  return std::visit(Visitor{}, value);
}

}  // namespace

HyperParameters HyperParameters::from_gguf(const format::Metadata& metadata, std::string_view architecture) {
  HyperParameters result;
  result.prefix_ = std::string(architecture) + ".";
  for (const format::MetadataEntry& entry : metadata.entries()) {
    if (!entry.key.starts_with(result.prefix_)) continue;
    result.set(std::string(entry.key.substr(result.prefix_.size())), read_value(metadata, entry),
               std::string(entry.key));
  }
  return result;
}

void HyperParameters::set(std::string key, Value value, std::string spelled) {
  values_[std::move(key)] = {std::move(value), std::move(spelled)};
}

void HyperParameters::erase(std::string_view key) {
  const auto it = values_.find(key);
  if (it != values_.end()) values_.erase(it);
}

std::vector<std::string> HyperParameters::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, entry] : values_) keys.push_back(key);
  return keys;
}

const HyperParameters::Value& HyperParameters::value(std::string_view key) const { return find(key)->value; }

const HyperParameters::Entry* HyperParameters::find(std::string_view key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

std::string HyperParameters::spelled(std::string_view key) const {
  const Entry* entry = find(key);
  return entry != nullptr ? entry->spelled : prefix_ + std::string(key);
}

Error HyperParameters::missing(std::string_view key) const {
  return make_error(ErrorCode::kCorrupt, "{} is missing", spelled(key));
}

Result<uint32_t> HyperParameters::u32(std::string_view key, Range range) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return missing(key);
  const int64_t* value = std::get_if<int64_t>(&entry->value);
  if (value == nullptr || *value < range.min || *value > range.max)
    return make_error(ErrorCode::kCorrupt, "{} is {}, expected a number from {} to {}", entry->spelled,
                      found(entry->value), range.min, range.max);
  return static_cast<uint32_t>(*value);
}

Result<uint32_t> HyperParameters::u32_or(std::string_view key, uint32_t fallback, Range range) const {
  if (!contains(key)) return fallback;
  return u32(key, range);
}

Result<float> HyperParameters::f32(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return missing(key);
  double value = NAN;
  if (const auto* real = std::get_if<double>(&entry->value)) value = *real;
  if (const auto* whole = std::get_if<int64_t>(&entry->value)) value = static_cast<double>(*whole);
  if (!std::isfinite(static_cast<float>(value)))
    return make_error(ErrorCode::kCorrupt, "{} is {}, expected a finite number", entry->spelled,
                      found(entry->value));
  return static_cast<float>(value);
}

Result<float> HyperParameters::f32_or(std::string_view key, float fallback) const {
  if (!contains(key)) return fallback;
  return f32(key);
}

Result<bool> HyperParameters::flag_or(std::string_view key, bool fallback) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return fallback;
  if (const bool* value = std::get_if<bool>(&entry->value)) return *value;
  return make_error(ErrorCode::kCorrupt, "{} is {}, expected true or false", entry->spelled,
                    found(entry->value));
}

Result<std::string> HyperParameters::text_or(std::string_view key, std::string_view fallback) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return std::string(fallback);
  if (const auto* value = std::get_if<std::string>(&entry->value)) return *value;
  return make_error(ErrorCode::kCorrupt, "{} is {}, expected a text", entry->spelled, found(entry->value));
}

bool HyperParameters::is_array(std::string_view key) const {
  const Entry* entry = find(key);
  return entry != nullptr && std::holds_alternative<std::vector<int64_t>>(entry->value);
}

Result<std::vector<uint32_t>> HyperParameters::per_layer(std::string_view key, size_t layers,
                                                         Range range) const {
  if (!is_array(key)) {
    RIVAL_ASSIGN_OR_RETURN(const uint32_t value, u32(key, range));
    return std::vector<uint32_t>(layers, value);
  }
  const Entry& entry = *find(key);
  const auto& items = std::get<std::vector<int64_t>>(entry.value);
  if (items.size() != layers)
    return make_error(ErrorCode::kCorrupt, "{} has {} items, expected one for each of the {} layers",
                      entry.spelled, items.size(), layers);
  std::vector<uint32_t> result;
  for (size_t layer = 0; layer < layers; ++layer) {
    if (items[layer] < range.min || items[layer] > range.max)
      return make_error(ErrorCode::kCorrupt, "{} is {} in layer {}, expected a number from {} to {}",
                        entry.spelled, items[layer], layer, range.min, range.max);
    result.push_back(static_cast<uint32_t>(items[layer]));
  }
  return result;
}

}  // namespace rival::model
