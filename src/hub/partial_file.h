// A file that is being fetched: appended to, hashed as it grows, kept when the transfer breaks so that the
// next one goes on from there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/sha256.h"

namespace rival::hub {

class PartialFile {
 public:
  // Opens or creates it, alone (a second process waits), and hashes what is there already.
  static Result<PartialFile> open(const std::filesystem::path& path);
  PartialFile(PartialFile&& other) noexcept;
  PartialFile& operator=(PartialFile&&) = delete;
  ~PartialFile();

  uint64_t bytes() const { return bytes_; }
  const std::filesystem::path& path() const { return path_; }

  Status append(std::string_view piece);
  Status start_over();           // empties it
  Result<std::string> finish();  // on the disk for good; its SHA-256. Nothing is appended after that.
  void remove();

 private:
  explicit PartialFile(std::filesystem::path path) : path_(std::move(path)) {}
  Status hash_existing();

  std::filesystem::path path_;
  int fd_ = -1;
  uint64_t bytes_ = 0;
  Digest digest_;
};

}  // namespace rival::hub
