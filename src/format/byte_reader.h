// A cursor over foreign bytes: every read is checked against the end, and an error names what was being read.
#pragma once

#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.h"

namespace rival::format {

static_assert(std::endian::native == std::endian::little,
              "GGUF and safetensors are little-endian, read in place");

// A foreign name as it may stand in a message: in quotes, control and non-ASCII bytes escaped, cut at 80
// bytes.
std::string quote_name(std::string_view name);

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  template <typename T>
  Result<T> read(std::string_view what) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (remaining() < sizeof(T)) return truncated(what, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  // The next `count` bytes.
  Result<std::span<const std::byte>> take(uint64_t count, std::string_view what) {
    if (remaining() < count) return truncated(what, count);
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }

  // A GGUF string: u64 length, then the bytes. Errors: kLimit above bytes_max, kCorrupt past the end.
  Result<std::string_view> read_string(uint64_t bytes_max, std::string_view what);

 private:
  Error truncated(std::string_view what, uint64_t needed) const;

  std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

}  // namespace rival::format
