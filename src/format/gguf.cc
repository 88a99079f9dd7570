#include "format/gguf.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/limits.h"

namespace rival::format {
namespace {

// Names of tensor types that exist in GGUF but that Rival does not read, for a better message than a number.
std::string_view foreign_type_name(uint32_t id) {
  static constexpr std::pair<uint32_t, std::string_view> kNames[] = {
      {4, "Q4_2"},      {5, "Q4_3"},      {9, "Q8_1"},   {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"},
      {18, "IQ3_XXS"},  {19, "IQ1_S"},    {21, "IQ3_S"}, {22, "IQ2_S"}, {29, "IQ1_M"},   {31, "Q4_0_4_4"},
      {32, "Q4_0_4_8"}, {33, "Q4_0_8_8"}, {34, "TQ1_0"}, {35, "TQ2_0"}, {40, "NVFP4"},
  };
  for (const auto& [type, name] : kNames)
    if (type == id) return name;
  return "unknown";
}

struct TensorInfo {
  std::string_view name;
  DType type = DType::kF32;
  Shape shape;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

struct Header {
  uint32_t version = 0;
  uint64_t tensors = 0;
  uint64_t keys = 0;
};

Status check_count(uint64_t count, uint64_t max, std::string_view what) {
  if (count <= max) return {};
  return make_error(ErrorCode::kLimit, "the header announces {} {}; at most {} are read", count, what, max);
}

Result<Header> read_header(ByteReader& reader) {
  RIVAL_ASSIGN_OR_RETURN(const auto magic, (reader.read<std::array<char, 4>>("the header")));
  if (std::string_view(magic.data(), 4) != "GGUF")
    return make_error(ErrorCode::kCorrupt, "not a GGUF file: it begins with {}, expected 'GGUF'",
                      quote_name({magic.data(), magic.size()}));
  Header header;
  RIVAL_ASSIGN_OR_RETURN(header.version, reader.read<uint32_t>("the header"));
  if (header.version == 0x02000000u || header.version == 0x03000000u)
    return make_error(ErrorCode::kUnsupported, "a big-endian GGUF file; little-endian files are read");
  if (header.version != 2 && header.version != 3)
    return make_error(ErrorCode::kUnsupported, "GGUF version {}; versions 2 and 3 are read", header.version);
  RIVAL_ASSIGN_OR_RETURN(header.tensors, reader.read<uint64_t>("the header"));
  RIVAL_ASSIGN_OR_RETURN(header.keys, reader.read<uint64_t>("the header"));
  RIVAL_RETURN_IF_ERROR(check_count(header.tensors, limits::kTensorCountMax, "tensors"));
  RIVAL_RETURN_IF_ERROR(check_count(header.keys, limits::kMetadataCountMax, "metadata keys"));
  return header;
}

Result<uint64_t> read_alignment(const Metadata& metadata) {
  const MetadataEntry* entry = metadata.find("general.alignment");
  if (!entry) return kGgufAlignment;
  RIVAL_ASSIGN_OR_RETURN(const uint64_t alignment, metadata.get_u64("general.alignment"));
  if (!std::has_single_bit(alignment) || alignment < kGgufAlignmentMin || alignment > limits::kAlignmentMax)
    return make_error(ErrorCode::kCorrupt,
                      "metadata 'general.alignment' is {}; expected a power of two from {} to {}", alignment,
                      kGgufAlignmentMin, limits::kAlignmentMax);
  return alignment;
}

Result<DType> read_tensor_type(ByteReader& reader, std::string_view what) {
  RIVAL_ASSIGN_OR_RETURN(const auto id, reader.read<uint32_t>(what));
  if (const auto type = find_dtype(id)) return *type;
  return make_error(ErrorCode::kUnsupported, "{} has type {} ({}), which Rival does not read", what, id,
                    foreign_type_name(id));
}

Result<TensorInfo> read_tensor_info(ByteReader& reader, uint64_t number, uint64_t alignment) {
  TensorInfo info;
  RIVAL_ASSIGN_OR_RETURN(info.name, reader.read_string(limits::kTensorNameBytesMax,
                                                       fmt::format("the name of tensor {}", number)));
  if (info.name.empty()) return make_error(ErrorCode::kCorrupt, "tensor {} has an empty name", number);
  const std::string what = fmt::format("tensor {}", quote_name(info.name));
  RIVAL_ASSIGN_OR_RETURN(const auto dims_count, reader.read<uint32_t>(what));
  if (dims_count > limits::kTensorDimsMax)
    return make_error(ErrorCode::kLimit, "{} has {} dimensions; at most {} are read", what, dims_count,
                      limits::kTensorDimsMax);
  std::array<uint64_t, limits::kTensorDimsMax> dims{};
  for (uint32_t i = 0; i < dims_count; ++i) {
    RIVAL_ASSIGN_OR_RETURN(dims[i], reader.read<uint64_t>(what));
  }
  RIVAL_ASSIGN_OR_RETURN(info.type, read_tensor_type(reader, what));
  RIVAL_ASSIGN_OR_RETURN(info.shape, make_shape(info.name, info.type, std::span(dims).first(dims_count)));
  info.bytes = tensor_bytes(info.type, info.shape);
  RIVAL_ASSIGN_OR_RETURN(info.offset, reader.read<uint64_t>(what));
  if (info.offset % alignment != 0)
    return make_error(ErrorCode::kCorrupt, "{} begins at offset {}; expected a multiple of {}", what,
                      info.offset, alignment);
  return info;
}

// The data of every tensor is inside the file and belongs to it alone.
Status check_places(std::span<const TensorInfo> infos, uint64_t data_bytes) {
  std::vector<const TensorInfo*> by_offset;
  by_offset.reserve(infos.size());
  for (const TensorInfo& info : infos) {
    if (info.bytes > data_bytes || info.offset > data_bytes - info.bytes)
      return make_error(ErrorCode::kCorrupt,
                        "tensor {} takes {} bytes at offset {} of the data, but the file has only {} there",
                        quote_name(info.name), info.bytes, info.offset, data_bytes);
    by_offset.push_back(&info);
  }
  std::sort(by_offset.begin(), by_offset.end(), [](auto* a, auto* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < by_offset.size(); ++i) {
    const TensorInfo& before = *by_offset[i - 1];
    if (before.offset + before.bytes > by_offset[i]->offset)
      return make_error(ErrorCode::kCorrupt, "tensors {} and {} overlap at offset {} of the data",
                        quote_name(before.name), quote_name(by_offset[i]->name), by_offset[i]->offset);
  }
  return {};
}

Status check_names(std::span<const TensorInfo> infos) {
  std::vector<std::string_view> names;
  names.reserve(infos.size());
  for (const TensorInfo& info : infos) names.push_back(info.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return {};
  return make_error(ErrorCode::kCorrupt, "tensor {} occurs twice", quote_name(*twice));
}

}  // namespace

Result<GgufContents> parse_gguf(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  GgufContents contents;
  RIVAL_ASSIGN_OR_RETURN(const Header header, read_header(reader));
  contents.version = header.version;
  RIVAL_ASSIGN_OR_RETURN(contents.metadata, read_metadata(reader, header.keys));
  RIVAL_ASSIGN_OR_RETURN(contents.alignment, read_alignment(contents.metadata));

  std::vector<TensorInfo> infos;
  for (uint64_t i = 0; i < header.tensors; ++i) {
    RIVAL_ASSIGN_OR_RETURN(infos.emplace_back(), read_tensor_info(reader, i, contents.alignment));
  }
  RIVAL_RETURN_IF_ERROR(check_names(infos));
  const uint64_t data_begin =
      (reader.position() + contents.alignment - 1) / contents.alignment * contents.alignment;
  const uint64_t data_bytes = data_begin < bytes.size() ? bytes.size() - data_begin : 0;
  RIVAL_RETURN_IF_ERROR(check_places(infos, data_bytes));

  contents.tensors.reserve(infos.size());
  for (const TensorInfo& info : infos)
    contents.tensors.push_back({.name = std::string(info.name),
                                .type = info.type,
                                .shape = info.shape,
                                .bytes = bytes.subspan(data_begin + info.offset, info.bytes)});
  return contents;
}

}  // namespace rival::format
