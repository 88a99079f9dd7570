#include "format/metadata.h"

#include <cmath>
#include <limits>
#include <optional>

#include "base/limits.h"

namespace rival::format {
namespace {

struct TypeRow {
  MetadataType type;
  std::string_view name;
  uint32_t bytes;  // of one value; 0 where it varies
};

constexpr TypeRow kTypes[] = {
    {MetadataType::kU8, "u8", 1},         {MetadataType::kI8, "i8", 1},
    {MetadataType::kU16, "u16", 2},       {MetadataType::kI16, "i16", 2},
    {MetadataType::kU32, "u32", 4},       {MetadataType::kI32, "i32", 4},
    {MetadataType::kF32, "f32", 4},       {MetadataType::kBool, "bool", 1},
    {MetadataType::kString, "string", 0}, {MetadataType::kArray, "array", 0},
    {MetadataType::kU64, "u64", 8},       {MetadataType::kI64, "i64", 8},
    {MetadataType::kF64, "f64", 8},
};

const TypeRow* find_type(uint32_t id) {
  for (const TypeRow& row : kTypes)
    if (static_cast<uint32_t>(row.type) == id) return &row;
  return nullptr;
}

const TypeRow& type_row(MetadataType type) { return kTypes[static_cast<size_t>(type)]; }

template <typename T>
T load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

std::string_view text_at(const std::byte* bytes, uint64_t length) {
  return {reinterpret_cast<const char*>(bytes), length};
}

// Sign and magnitude of an integer of any width, so that u64 and i64 compare without wrapping.
struct Integer {
  bool negative = false;
  uint64_t magnitude = 0;

  static Integer from(int64_t value) {
    return {value < 0, value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value)};
  }
  std::string text() const { return fmt::format("{}{}", negative ? "-" : "", magnitude); }
};

std::optional<Integer> load_integer(MetadataType type, const std::byte* bytes) {
  switch (type) {
    case MetadataType::kU8: return Integer{false, load<uint8_t>(bytes)};
    case MetadataType::kU16: return Integer{false, load<uint16_t>(bytes)};
    case MetadataType::kU32: return Integer{false, load<uint32_t>(bytes)};
    case MetadataType::kU64: return Integer{false, load<uint64_t>(bytes)};
    case MetadataType::kI8: return Integer::from(load<int8_t>(bytes));
    case MetadataType::kI16: return Integer::from(load<int16_t>(bytes));
    case MetadataType::kI32: return Integer::from(load<int32_t>(bytes));
    case MetadataType::kI64: return Integer::from(load<int64_t>(bytes));
    default: return std::nullopt;
  }
}

template <typename T>
std::optional<T> fit_integer(Integer value) {
  const auto max = static_cast<uint64_t>(std::numeric_limits<T>::max());
  if (!value.negative)
    return value.magnitude <= max ? std::optional<T>(static_cast<T>(value.magnitude)) : std::nullopt;
  if (std::is_unsigned_v<T> || value.magnitude > max + 1) return std::nullopt;
  return static_cast<T>(~value.magnitude + 1);
}

std::optional<double> load_float(MetadataType type, const std::byte* bytes) {
  if (type == MetadataType::kF32) return load<float>(bytes);
  if (type == MetadataType::kF64) return load<double>(bytes);
  return std::nullopt;
}

Error wrong_type(const MetadataEntry& entry, std::string_view expected) {
  return make_error(ErrorCode::kCorrupt, "metadata {} is of type {}; expected {}", quote_name(entry.key),
                    entry.type_name(), expected);
}

Error missing(std::string_view key) {
  return make_error(ErrorCode::kNotFound, "metadata {} is missing", quote_name(key));
}

// The value of one integer item, fitted to T.
template <typename T>
Result<T> convert_integer(const MetadataEntry& entry, const std::byte* bytes, std::string_view expected) {
  const auto integer = load_integer(entry.item_type, bytes);
  if (!integer) return wrong_type(entry, expected);
  if (const auto value = fit_integer<T>(*integer)) return *value;
  return make_error(ErrorCode::kCorrupt, "metadata {} is {}; expected {} to {}", quote_name(entry.key),
                    integer->text(), std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
}

template <typename T>
Result<T> get_integer(const Metadata& metadata, std::string_view key) {
  const MetadataEntry* entry = metadata.find(key);
  if (!entry) return missing(key);
  if (entry->type == MetadataType::kArray) return wrong_type(*entry, "an integer");
  return convert_integer<T>(*entry, entry->bytes.data(), "an integer");
}

// The entry, when it is an array of numbers.
Result<const MetadataEntry*> find_array(const Metadata& metadata, std::string_view key,
                                        std::string_view expected) {
  const MetadataEntry* entry = metadata.find(key);
  if (!entry) return missing(key);
  if (entry->type != MetadataType::kArray || type_row(entry->item_type).bytes == 0)
    return wrong_type(*entry, expected);
  return entry;
}

template <typename T>
Result<T> value_or(Result<T> result, const MetadataEntry* entry, T fallback) {
  return entry ? std::move(result) : Result<T>(fallback);
}

}  // namespace

std::string_view to_string(MetadataType type) { return type_row(type).name; }

std::string MetadataEntry::type_name() const {
  if (type != MetadataType::kArray) return std::string(to_string(type));
  return fmt::format("array of {}", to_string(item_type));
}

// ---- lookup ---------------------------------------------------------------------------------------------

Status Metadata::add(MetadataEntry entry) {
  if (!index_.emplace(entry.key, entries_.size()).second)
    return make_error(ErrorCode::kCorrupt, "metadata key {} occurs twice", quote_name(entry.key));
  entries_.push_back(entry);
  return {};
}

const MetadataEntry* Metadata::find(std::string_view key) const {
  const auto place = index_.find(key);
  return place == index_.end() ? nullptr : &entries_[place->second];
}

Result<uint32_t> Metadata::get_u32(std::string_view key) const { return get_integer<uint32_t>(*this, key); }
Result<uint64_t> Metadata::get_u64(std::string_view key) const { return get_integer<uint64_t>(*this, key); }
Result<int64_t> Metadata::get_i64(std::string_view key) const { return get_integer<int64_t>(*this, key); }

Result<float> Metadata::get_f32(std::string_view key) const {
  const MetadataEntry* entry = find(key);
  if (!entry) return missing(key);
  const auto value = load_float(entry->type, entry->bytes.data());
  if (!value) return wrong_type(*entry, "f32");
  if (!std::isfinite(*value) || !std::isfinite(static_cast<float>(*value)))
    return make_error(ErrorCode::kCorrupt, "metadata {} is {}; expected a finite number", quote_name(key),
                      *value);
  return static_cast<float>(*value);
}

Result<bool> Metadata::get_bool(std::string_view key) const {
  const MetadataEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != MetadataType::kBool) return wrong_type(*entry, "bool");
  return entry->bytes[0] != std::byte{0};
}

Result<std::string_view> Metadata::get_string(std::string_view key) const {
  const MetadataEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != MetadataType::kString) return wrong_type(*entry, "string");
  return text_at(entry->bytes.data(), entry->bytes.size());
}

Result<uint32_t> Metadata::get_u32_or(std::string_view key, uint32_t fallback) const {
  return value_or(get_u32(key), find(key), fallback);
}
Result<float> Metadata::get_f32_or(std::string_view key, float fallback) const {
  return value_or(get_f32(key), find(key), fallback);
}
Result<bool> Metadata::get_bool_or(std::string_view key, bool fallback) const {
  return value_or(get_bool(key), find(key), fallback);
}
Result<std::string_view> Metadata::get_string_or(std::string_view key, std::string_view fallback) const {
  return value_or(get_string(key), find(key), fallback);
}

// ---- arrays ---------------------------------------------------------------------------------------------

Result<std::vector<std::string_view>> Metadata::get_strings(std::string_view key) const {
  const MetadataEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != MetadataType::kArray || entry->item_type != MetadataType::kString)
    return wrong_type(*entry, "array of string");
  std::vector<std::string_view> strings(entry->count);
  const std::byte* at = entry->bytes.data();  // read_metadata has checked every length
  for (std::string_view& string : strings) {
    const auto length = load<uint64_t>(at);
    string = text_at(at + sizeof(length), length);
    at += sizeof(length) + length;
  }
  return strings;
}

Result<std::vector<int32_t>> Metadata::get_i32s(std::string_view key) const {
  RIVAL_ASSIGN_OR_RETURN(const MetadataEntry* entry, find_array(*this, key, "array of i32"));
  const size_t item_bytes = type_row(entry->item_type).bytes;
  std::vector<int32_t> values(entry->count);
  for (size_t i = 0; i < values.size(); ++i) {
    RIVAL_ASSIGN_OR_RETURN(
        values[i], convert_integer<int32_t>(*entry, entry->bytes.data() + i * item_bytes, "array of i32"));
  }
  return values;
}

Result<std::vector<float>> Metadata::get_f32s(std::string_view key) const {
  RIVAL_ASSIGN_OR_RETURN(const MetadataEntry* entry, find_array(*this, key, "array of f32"));
  if (entry->item_type != MetadataType::kF32 && entry->item_type != MetadataType::kF64)
    return wrong_type(*entry, "array of f32");
  const size_t item_bytes = type_row(entry->item_type).bytes;
  std::vector<float> values(entry->count);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(*load_float(entry->item_type, entry->bytes.data() + i * item_bytes));
  return values;
}

Result<std::vector<uint32_t>> Metadata::get_u32_per_layer(std::string_view key, size_t layers) const {
  constexpr std::string_view kExpected = "an integer or an array of one integer a layer";
  const MetadataEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != MetadataType::kArray) {
    RIVAL_ASSIGN_OR_RETURN(const uint32_t value,
                           convert_integer<uint32_t>(*entry, entry->bytes.data(), kExpected));
    return std::vector<uint32_t>(layers, value);
  }
  if (entry->count != layers)
    return make_error(ErrorCode::kCorrupt, "metadata {} has {} values; expected one for each of {} layers",
                      quote_name(key), entry->count, layers);
  const size_t item_bytes = type_row(entry->item_type).bytes;
  std::vector<uint32_t> values(layers);
  for (size_t i = 0; i < layers; ++i) {
    const std::byte* item = entry->bytes.data() + i * item_bytes;
    if (entry->item_type == MetadataType::kBool) {
      values[i] = load<uint8_t>(item);
      continue;
    }
    RIVAL_ASSIGN_OR_RETURN(values[i], convert_integer<uint32_t>(*entry, item, kExpected));
  }
  return values;
}

// ---- JSON -----------------------------------------------------------------------------------------------

namespace {

json::value number_to_json(MetadataType type, const std::byte* bytes) {
  if (type == MetadataType::kBool) return load<uint8_t>(bytes) != 0;
  if (type == MetadataType::kF32 || type == MetadataType::kF64) {
    const double value = *load_float(type, bytes);
    if (std::isfinite(value)) return value;
    return json::string(fmt::format("{}", value));
  }
  const Integer integer = *load_integer(type, bytes);
  if (integer.negative) return static_cast<int64_t>(~integer.magnitude + 1);
  return integer.magnitude;
}

}  // namespace

json::value MetadataEntry::to_json(size_t items_max) const {
  if (type == MetadataType::kString) return json::string(text_at(bytes.data(), bytes.size()));
  if (type != MetadataType::kArray) return number_to_json(type, bytes.data());
  json::array items;
  const std::byte* at = bytes.data();
  for (size_t i = 0; i < std::min<uint64_t>(items_max, count); ++i) {
    if (item_type == MetadataType::kString) {
      const auto length = load<uint64_t>(at);
      items.emplace_back(json::string(text_at(at + sizeof(length), length)));
      at += sizeof(length) + length;
    } else {
      items.push_back(number_to_json(item_type, at));
      at += type_row(item_type).bytes;
    }
  }
  return items;
}

// ---- reading --------------------------------------------------------------------------------------------

namespace {

Result<MetadataType> read_type(ByteReader& reader, std::string_view key, std::string_view field) {
  RIVAL_ASSIGN_OR_RETURN(const auto id,
                         reader.read<uint32_t>(fmt::format("the {} of metadata {}", field, quote_name(key))));
  const TypeRow* row = find_type(id);
  if (!row)
    return make_error(ErrorCode::kCorrupt, "metadata {}: {} {} is not known; expected 0 to 12",
                      quote_name(key), field, id);
  return row->type;
}

Status check_bools(std::span<const std::byte> bytes, std::string_view key) {
  for (const std::byte byte : bytes)
    if (std::to_integer<int>(byte) > 1)
      return make_error(ErrorCode::kCorrupt, "metadata {}: a bool is {}; expected 0 or 1", quote_name(key),
                        std::to_integer<int>(byte));
  return {};
}

// Walks an array's strings. A vocabulary has hundreds of thousands, so the loop itself makes no Results.
Result<std::span<const std::byte>> take_strings(ByteReader& reader, uint64_t count, std::string_view what) {
  ByteReader ahead = reader;
  uint64_t left = ahead.remaining();
  RIVAL_ASSIGN_OR_RETURN(const auto rest, ahead.take(left, what));
  const std::byte* at = rest.data();
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t length = left < sizeof(uint64_t) ? 0 : load<uint64_t>(at);
    if (length > limits::kMetadataStringBytesMax)
      return make_error(ErrorCode::kLimit, "{}: item {} has a length of {} bytes; at most {} are read", what,
                        i, length, limits::kMetadataStringBytesMax);
    if (left < sizeof(uint64_t) + length)
      return make_error(ErrorCode::kCorrupt, "the file ends inside {}, item {} of {}", what, i, count);
    at += sizeof(uint64_t) + length;
    left -= sizeof(uint64_t) + length;
  }
  return reader.take(static_cast<uint64_t>(at - rest.data()), what);
}

Status read_array(ByteReader& reader, MetadataEntry& entry) {
  const std::string what = fmt::format("metadata {}", quote_name(entry.key));
  RIVAL_ASSIGN_OR_RETURN(entry.item_type, read_type(reader, entry.key, "item type"));
  if (entry.item_type == MetadataType::kArray)
    return make_error(ErrorCode::kUnsupported, "{} is an array of arrays; arrays of plain values are read",
                      what);
  RIVAL_ASSIGN_OR_RETURN(entry.count, reader.read<uint64_t>(what));
  if (entry.count > limits::kMetadataArrayItemsMax)
    return make_error(ErrorCode::kLimit, "{} has {} items; at most {} are read", what, entry.count,
                      limits::kMetadataArrayItemsMax);
  if (entry.item_type == MetadataType::kString) {
    RIVAL_ASSIGN_OR_RETURN(entry.bytes, take_strings(reader, entry.count, what));
    return {};
  }
  RIVAL_ASSIGN_OR_RETURN(entry.bytes, reader.take(entry.count * type_row(entry.item_type).bytes, what));
  return entry.item_type == MetadataType::kBool ? check_bools(entry.bytes, entry.key) : Status{};
}

Status read_scalar(ByteReader& reader, MetadataEntry& entry) {
  const std::string what = fmt::format("metadata {}", quote_name(entry.key));
  entry.item_type = entry.type;
  if (entry.type == MetadataType::kString) {
    RIVAL_ASSIGN_OR_RETURN(const auto text, reader.read_string(limits::kMetadataStringBytesMax, what));
    entry.bytes = std::as_bytes(std::span(text));
    return {};
  }
  RIVAL_ASSIGN_OR_RETURN(entry.bytes, reader.take(type_row(entry.type).bytes, what));
  return entry.type == MetadataType::kBool ? check_bools(entry.bytes, entry.key) : Status{};
}

Result<MetadataEntry> read_entry(ByteReader& reader, uint64_t number) {
  MetadataEntry entry;
  RIVAL_ASSIGN_OR_RETURN(entry.key, reader.read_string(limits::kMetadataKeyBytesMax,
                                                       fmt::format("the name of metadata key {}", number)));
  if (entry.key.empty()) return make_error(ErrorCode::kCorrupt, "metadata key {} has an empty name", number);
  RIVAL_ASSIGN_OR_RETURN(entry.type, read_type(reader, entry.key, "type"));
  RIVAL_RETURN_IF_ERROR(entry.type == MetadataType::kArray ? read_array(reader, entry)
                                                           : read_scalar(reader, entry));
  return entry;
}

}  // namespace

Result<Metadata> read_metadata(ByteReader& reader, uint64_t count) {
  Metadata metadata;
  for (uint64_t i = 0; i < count; ++i) {
    RIVAL_ASSIGN_OR_RETURN(const MetadataEntry entry, read_entry(reader, i));
    RIVAL_RETURN_IF_ERROR(metadata.add(entry));
  }
  return metadata;
}

}  // namespace rival::format
