// Any bytes as a safetensors file: refused, or every tensor lies inside the file.
#include <cstddef>
#include <cstdint>

#include "format/safetensors.h"
#include "tensor/dequantize.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rival;
  const auto contents = format::parse_safetensors(std::as_bytes(std::span(data, size)));
  if (!contents.ok()) {
    RIVAL_CHECK(!contents.error().message.empty());
    return 0;
  }
  for (const TensorView& tensor : contents->tensors) {
    std::vector<float> row(tensor.shape.row());
    dequantize_row(tensor.type, tensor.bytes.data(), row.data(), row.size());
  }
  return 0;
}
