#include "format/gguf_writer.h"

#include <algorithm>

namespace rival::format {
namespace {

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_string(std::string& out, std::string_view text) {
  put<uint64_t>(out, text.size());
  out += text;
}

template <typename T>
std::string scalar(MetadataType type, T value) {
  std::string out;
  put(out, type);
  put(out, value);
  return out;
}

std::string array_head(MetadataType item_type, uint64_t count) {
  std::string out;
  put(out, MetadataType::kArray);
  put(out, item_type);
  put(out, count);
  return out;
}

template <typename T>
std::string array(MetadataType item_type, std::span<const T> values) {
  std::string out = array_head(item_type, values.size());
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return out;
}

uint64_t padding(uint64_t bytes) { return (kGgufAlignment - bytes % kGgufAlignment) % kGgufAlignment; }

// Dimensions that a reader needs: without trailing ones, but at least one.
uint32_t dims_count(const Shape& shape) {
  uint32_t count = 4;
  while (count > 1 && shape.dims[count - 1] == 1) --count;
  return count;
}

}  // namespace

// ---- metadata -------------------------------------------------------------------------------------------

void MetadataBuilder::set(std::string_view key, std::string value) {
  const auto place =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
  if (place != entries_.end())
    place->value = std::move(value);
  else
    entries_.push_back({std::string(key), std::move(value)});
}

void MetadataBuilder::set_u32(std::string_view key, uint32_t value) {
  set(key, scalar(MetadataType::kU32, value));
}
void MetadataBuilder::set_u64(std::string_view key, uint64_t value) {
  set(key, scalar(MetadataType::kU64, value));
}
void MetadataBuilder::set_i32(std::string_view key, int32_t value) {
  set(key, scalar(MetadataType::kI32, value));
}
void MetadataBuilder::set_f32(std::string_view key, float value) {
  set(key, scalar(MetadataType::kF32, value));
}
void MetadataBuilder::set_bool(std::string_view key, bool value) {
  set(key, scalar(MetadataType::kBool, static_cast<uint8_t>(value)));
}

void MetadataBuilder::set_string(std::string_view key, std::string_view value) {
  std::string out;
  put(out, MetadataType::kString);
  put_string(out, value);
  set(key, std::move(out));
}

void MetadataBuilder::set_strings(std::string_view key, std::span<const std::string_view> values) {
  std::string out = array_head(MetadataType::kString, values.size());
  for (const std::string_view value : values) put_string(out, value);
  set(key, std::move(out));
}

void MetadataBuilder::set_u32s(std::string_view key, std::span<const uint32_t> values) {
  set(key, array(MetadataType::kU32, values));
}
void MetadataBuilder::set_i32s(std::string_view key, std::span<const int32_t> values) {
  set(key, array(MetadataType::kI32, values));
}
void MetadataBuilder::set_f32s(std::string_view key, std::span<const float> values) {
  set(key, array(MetadataType::kF32, values));
}
void MetadataBuilder::set_bools(std::string_view key, std::span<const bool> values) {
  set(key, array(MetadataType::kBool, values));
}

void MetadataBuilder::copy(const MetadataEntry& entry) {
  std::string out;
  put(out, entry.type);
  if (entry.type == MetadataType::kArray) {
    put(out, entry.item_type);
    put(out, entry.count);
  } else if (entry.type == MetadataType::kString) {
    put<uint64_t>(out, entry.bytes.size());
  }
  out.append(reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size());
  set(entry.key, std::move(out));
}

void MetadataBuilder::copy_all(const Metadata& metadata) {
  for (const MetadataEntry& entry : metadata.entries()) copy(entry);
}

void MetadataBuilder::erase(std::string_view key) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.key == key; });
}

std::string MetadataBuilder::encode() const {
  std::string out;
  for (const Entry& entry : entries_) {
    put_string(out, entry.key);
    out += entry.value;
  }
  return out;
}

// ---- file -----------------------------------------------------------------------------------------------

std::string encode_gguf_header(const MetadataBuilder& metadata, std::span<const TensorPlan> tensors) {
  std::string out = "GGUF";
  put(out, kGgufVersion);
  put<uint64_t>(out, tensors.size());
  put<uint64_t>(out, metadata.size());
  out += metadata.encode();
  uint64_t offset = 0;
  for (const TensorPlan& tensor : tensors) {
    put_string(out, tensor.name);
    const uint32_t dims = dims_count(tensor.shape);
    put(out, dims);
    for (uint32_t i = 0; i < dims; ++i) put(out, tensor.shape.dims[i]);
    put<uint32_t>(out, static_cast<uint32_t>(tensor.type));
    put(out, offset);
    const uint64_t bytes = tensor_bytes(tensor.type, tensor.shape);
    offset += bytes + padding(bytes);
  }
  out.append(padding(out.size()), '\0');
  return out;
}

Result<GgufWriter> GgufWriter::create(const std::filesystem::path& path, const MetadataBuilder& metadata,
                                      std::vector<TensorPlan> tensors) {
  MetadataBuilder written = metadata;
  written.erase("general.alignment");  // a copied one would not be true of this file
  RIVAL_ASSIGN_OR_RETURN(AtomicFileWriter file, AtomicFileWriter::create(path));
  RIVAL_RETURN_IF_ERROR(file.write(encode_gguf_header(written, tensors)));
  return GgufWriter(std::move(file), std::move(tensors));
}

GgufWriter::GgufWriter(AtomicFileWriter file, std::vector<TensorPlan> tensors)
    : file_(std::move(file)), tensors_(std::move(tensors)) {
  if (!tensors_.empty()) missing_ = tensor_bytes(tensors_[0].type, tensors_[0].shape);
}

Status GgufWriter::append(std::span<const std::byte> bytes) {
  RIVAL_CHECK(bytes.size() <= missing_, "{} bytes for tensor {}, {} missing", bytes.size(), current_,
              missing_);
  RIVAL_RETURN_IF_ERROR(file_.write(bytes));
  missing_ -= bytes.size();
  if (missing_ > 0) return {};
  RIVAL_RETURN_IF_ERROR(file_.write(std::string(padding(file_.written()), '\0')));
  ++current_;
  if (current_ < tensors_.size()) missing_ = tensor_bytes(tensors_[current_].type, tensors_[current_].shape);
  return {};
}

Status GgufWriter::finish() {
  RIVAL_CHECK(current_ == tensors_.size(), "tensor {} of {} is not complete", current_, tensors_.size());
  return file_.commit();
}

}  // namespace rival::format
