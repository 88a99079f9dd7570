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

// False for what cannot be looked at, too.
bool file_exists(const std::filesystem::path& path);

// Writes beside `path`, fsyncs, renames: after a crash the old or the new content is there, never a mixture.
Status write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// A file that grows piece by piece beside its final name and takes that name only when all is written. Ended
// without commit() it leaves nothing. Errors: kIo, with the system's reason (no space, no permission).
class AtomicFileWriter {
 public:
  static Result<AtomicFileWriter> create(const std::filesystem::path& path);
  AtomicFileWriter(AtomicFileWriter&& other) noexcept;
  AtomicFileWriter& operator=(AtomicFileWriter&&) = delete;
  ~AtomicFileWriter();

  Status write(std::span<const std::byte> bytes);
  Status write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  uint64_t written() const { return written_; }
  Status commit();  // fsync and rename

 private:
  AtomicFileWriter(int fd, std::filesystem::path path, std::filesystem::path temporary);

  int fd_ = -1;
  uint64_t written_ = 0;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
};

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
