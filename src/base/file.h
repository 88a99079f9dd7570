// Files: whole reads, atomic writes, and read-only memory maps.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rival {

// The whole file. Errors: kNotFound, kIo, kLimit when it is larger than bytes_max.
Result<std::string> read_file(const std::filesystem::path& path, uint64_t bytes_max);

// Writes beside `path`, fsyncs, renames: after a crash the old or the new content is there, never a mixture.
Status write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// A read-only map of a whole file. Movable; the map ends with the object. Thread-safe to read.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

  // Tells the kernel that this process is done with the whole pages inside `range` (a part of bytes()): they
  // leave resident memory and are read again from the file if touched.
  void release(std::span<const std::byte> range) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  std::filesystem::path path_;
};

}  // namespace rival
