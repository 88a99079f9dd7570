// Any bytes as a GGUF file: refused, or every value and tensor can be used.
#include <cstddef>
#include <cstdint>

#include "format/gguf.h"
#include "tensor/dequantize.h"

namespace rival::format {
namespace {

void use_metadata(const Metadata& metadata) {
  for (const MetadataEntry& entry : metadata.entries()) {
    (void)entry.to_json(8);
    (void)entry.type_name();
    (void)metadata.get_u32(entry.key);
    (void)metadata.get_i64(entry.key);
    (void)metadata.get_f32(entry.key);
    (void)metadata.get_bool(entry.key);
    (void)metadata.get_string(entry.key);
    (void)metadata.get_strings(entry.key);
    (void)metadata.get_i32s(entry.key);
    (void)metadata.get_f32s(entry.key);
    (void)metadata.get_u32_per_layer(entry.key, 3);
  }
}

}  // namespace
}  // namespace rival::format

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rival;
  const auto contents = format::parse_gguf(std::as_bytes(std::span(data, size)));
  if (!contents.ok()) {
    RIVAL_CHECK(!contents.error().message.empty());
    return 0;
  }
  format::use_metadata(contents->metadata);
  for (const TensorView& tensor : contents->tensors) {
    std::vector<float> row(tensor.shape.row());
    dequantize_row(tensor.type, tensor.bytes.data(), row.data(), row.size());
    RIVAL_CHECK(tensor.bytes.size() == format::tensor_bytes(tensor.type, tensor.shape));
  }
  return 0;
}
