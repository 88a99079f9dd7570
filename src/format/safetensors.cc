#include "format/safetensors.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/json.h"
#include "base/limits.h"
#include "format/byte_reader.h"

namespace rival::format {
namespace {

struct TypeRow {
  std::string_view name;
  std::optional<DType> type;  // nullopt: known, but not read
};

constexpr TypeRow kTypes[] = {
    {"F32", DType::kF32}, {"F16", DType::kF16},      {"BF16", DType::kBF16},    {"F64", DType::kF64},
    {"I8", DType::kI8},   {"U8", DType::kI8},        {"BOOL", DType::kI8},      {"I16", DType::kI16},
    {"U16", DType::kI16}, {"I32", DType::kI32},      {"U32", DType::kI32},      {"I64", DType::kI64},
    {"U64", DType::kI64}, {"F8_E4M3", std::nullopt}, {"F8_E5M2", std::nullopt}, {"F8_E8M0", std::nullopt},
    {"F4", std::nullopt}, {"F6_E2M3", std::nullopt}, {"F6_E3M2", std::nullopt}, {"C64", std::nullopt},
};

// A tensor of the header; `dims` fastest first.
struct Entry {
  std::string_view name;
  DType type = DType::kF32;
  std::vector<uint64_t> dims;
  uint64_t begin = 0, end = 0;

  bool empty() const { return std::find(dims.begin(), dims.end(), 0u) != dims.end(); }
};

Error bad_field(std::string_view tensor, std::string_view field, std::string_view expected) {
  return make_error(ErrorCode::kCorrupt, "tensor {}: {} is missing or wrong; expected {}", quote_name(tensor),
                    field, expected);
}

Result<DType> read_dtype(std::string_view tensor, const json::object& fields) {
  const json::value* value = fields.if_contains("dtype");
  if (!value || !value->is_string()) return bad_field(tensor, "dtype", "a name such as 'BF16'");
  const std::string_view name = value->get_string();
  const auto* row =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeRow& t) { return t.name == name; });
  if (row == std::end(kTypes))
    return make_error(ErrorCode::kCorrupt, "tensor {}: dtype {} is not known", quote_name(tensor),
                      quote_name(name));
  if (!row->type)
    return make_error(ErrorCode::kUnsupported, "tensor {} has type {}, which Rival does not read",
                      quote_name(tensor), name);
  return *row->type;
}

// A list of whole numbers that are not negative, or nullopt.
std::optional<std::vector<uint64_t>> read_numbers(const json::value* value) {
  if (!value || !value->is_array()) return std::nullopt;
  std::vector<uint64_t> numbers;
  for (const json::value& item : value->get_array()) {
    if (item.is_int64() && item.get_int64() >= 0)
      numbers.push_back(static_cast<uint64_t>(item.get_int64()));
    else if (item.is_uint64())
      numbers.push_back(item.get_uint64());
    else
      return std::nullopt;
  }
  return numbers;
}

Result<Entry> read_entry(std::string_view name, const json::value& value, uint64_t data_bytes) {
  if (name.empty() || name.size() > limits::kTensorNameBytesMax)
    return make_error(ErrorCode::kLimit, "tensor {} has a name of {} bytes; expected 1 to {}",
                      quote_name(name), name.size(), limits::kTensorNameBytesMax);
  if (!value.is_object()) return bad_field(name, "the entry", "an object");
  const json::object& fields = value.get_object();
  Entry entry;
  entry.name = name;
  RIVAL_ASSIGN_OR_RETURN(entry.type, read_dtype(name, fields));
  const auto shape = read_numbers(fields.if_contains("shape"));
  if (!shape) return bad_field(name, "shape", "a list of whole numbers");
  entry.dims.assign(shape->rbegin(), shape->rend());
  const auto offsets = read_numbers(fields.if_contains("data_offsets"));
  if (!offsets || offsets->size() != 2) return bad_field(name, "data_offsets", "two whole numbers");
  entry.begin = (*offsets)[0];
  entry.end = (*offsets)[1];
  if (entry.begin > entry.end || entry.end > data_bytes)
    return make_error(ErrorCode::kCorrupt,
                      "tensor {}: data_offsets are {} to {}; the file has {} bytes of data", quote_name(name),
                      entry.begin, entry.end, data_bytes);
  return entry;
}

Result<TensorView> make_view(const Entry& entry, std::span<const std::byte> data) {
  RIVAL_ASSIGN_OR_RETURN(const Shape shape, make_shape(entry.name, entry.type, entry.dims));
  const uint64_t expected = tensor_bytes(entry.type, shape);
  if (entry.end - entry.begin != expected)
    return make_error(ErrorCode::kCorrupt,
                      "tensor {}: data_offsets span {} bytes; its shape and dtype need {}",
                      quote_name(entry.name), entry.end - entry.begin, expected);
  return TensorView{.name = std::string(entry.name),
                    .type = entry.type,
                    .shape = shape,
                    .bytes = data.subspan(entry.begin, expected)};
}

// Sorted by place, the tensors cover the data exactly.
Status check_coverage(std::vector<Entry>& entries, uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != covered)
      return make_error(
          ErrorCode::kCorrupt, "tensor {} begins at byte {} of the data; expected {}, without {}",
          quote_name(entry.name), entry.begin, covered, entry.begin < covered ? "an overlap" : "a gap");
    covered = entry.end;
  }
  if (covered == data_bytes) return {};
  return make_error(ErrorCode::kCorrupt, "the tensors cover {} bytes of data; the file has {}", covered,
                    data_bytes);
}

// Boost.JSON keeps the last of two equal keys, so equal tensor names show as fewer members than the text has.
// REQUIRES valid JSON: counts the keys of the outermost object.
size_t count_outer_keys(std::string_view text) {
  size_t keys = 0;
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    in_string = c == '"';
    depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    keys += c == ':' && depth == 1;
  }
  return keys;
}

Result<json::object> parse_header(std::string_view text) {
  auto value = parse_json(text);
  if (!value.ok()) return with_context(value.error(), "the header");
  if (!value->is_object()) return make_error(ErrorCode::kCorrupt, "the header is not a JSON object");
  json::object header = std::move(value->get_object());
  if (count_outer_keys(text) != header.size())
    return make_error(ErrorCode::kCorrupt, "a tensor name occurs twice in the header");
  if (header.size() > limits::kTensorCountMax)
    return make_error(ErrorCode::kLimit, "the header has {} tensors; at most {} are read", header.size(),
                      limits::kTensorCountMax);
  return header;
}

Result<SafetensorsMetadata> read_texts(const json::value& value) {
  const json::object* fields = value.if_object();
  if (!fields) return make_error(ErrorCode::kCorrupt, "'__metadata__' is not an object");
  SafetensorsMetadata metadata;
  for (const auto& [key, text] : *fields) {
    if (!text.is_string())
      return make_error(ErrorCode::kCorrupt, "'__metadata__': {} is not a string", quote_name(key));
    metadata.emplace_back(key, text.get_string());
  }
  return metadata;
}

}  // namespace

Result<SafetensorsContents> parse_safetensors(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  RIVAL_ASSIGN_OR_RETURN(const auto header_bytes, reader.read<uint64_t>("the header's length"));
  if (header_bytes > limits::kSafetensorsHeaderBytesMax)
    return make_error(ErrorCode::kLimit, "the header has a length of {} bytes; at most {} are read",
                      header_bytes, limits::kSafetensorsHeaderBytesMax);
  RIVAL_ASSIGN_OR_RETURN(const auto text, reader.take(header_bytes, "the header"));
  const auto data = bytes.subspan(reader.position());
  RIVAL_ASSIGN_OR_RETURN(const json::object header,
                         parse_header({reinterpret_cast<const char*>(text.data()), text.size()}));

  SafetensorsContents contents;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header) {
    if (name == "__metadata__") {
      RIVAL_ASSIGN_OR_RETURN(contents.metadata, read_texts(value));
      continue;
    }
    RIVAL_ASSIGN_OR_RETURN(entries.emplace_back(), read_entry(name, value, data.size()));
    if (entries.back().empty()) {
      if (entries.back().begin != entries.back().end)
        return bad_field(name, "data_offsets", "an empty range for an empty tensor");
      entries.pop_back();
    }
  }
  RIVAL_RETURN_IF_ERROR(check_coverage(entries, data.size()));
  for (const Entry& entry : entries) {
    RIVAL_ASSIGN_OR_RETURN(contents.tensors.emplace_back(), make_view(entry, data));
  }
  return contents;
}

}  // namespace rival::format
