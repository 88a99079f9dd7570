#include "format/byte_reader.h"

namespace rival::format {

std::string quote_name(std::string_view name) {
  constexpr size_t kBytesMax = 80;
  std::string text = "'";
  for (const char c : name.substr(0, kBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f)
      text += c;
    else
      text += fmt::format("\\x{:02x}", byte);
  }
  return text + (name.size() > kBytesMax ? "...'" : "'");
}

Result<std::string_view> ByteReader::read_string(uint64_t bytes_max, std::string_view what) {
  RIVAL_ASSIGN_OR_RETURN(const uint64_t length, read<uint64_t>(what));
  if (length > bytes_max)
    return make_error(ErrorCode::kLimit, "{} has a length of {} bytes; at most {} are read", what, length,
                      bytes_max);
  RIVAL_ASSIGN_OR_RETURN(const auto bytes, take(length, what));
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Error ByteReader::truncated(std::string_view what, uint64_t needed) const {
  return make_error(ErrorCode::kCorrupt, "the file ends inside {}: {} bytes needed at byte {}, {} left", what,
                    needed, position_, remaining());
}

}  // namespace rival::format
