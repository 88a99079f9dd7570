#include "hub/partial_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace rival::hub {
namespace {

Error file_error(const char* what, const std::filesystem::path& path) {
  if (errno == ENOSPC || errno == EDQUOT)
    return make_error(
        ErrorCode::kIo,
        "no space left for {}; free some, or set RIVAL_HOME to a roomier disk. What has arrived is kept and "
        "the next try goes on from there",
        path.string());
  return make_error(ErrorCode::kIo, "cannot {} {}: {}", what, path.string(), std::strerror(errno));
}

// The path still names the open file (its last holder may have moved it among the blobs while we waited).
bool still_there(int fd, const std::filesystem::path& path) {
  struct stat ours, theirs;
  return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &theirs) == 0 && ours.st_ino == theirs.st_ino &&
         ours.st_dev == theirs.st_dev;
}

}  // namespace

Result<PartialFile> PartialFile::open(const std::filesystem::path& path) {
  while (true) {
    PartialFile file(path);
    file.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file.fd_ < 0) return file_error("open", path);
    while (::flock(file.fd_, LOCK_EX) != 0) {
      if (errno != EINTR) return file_error("lock", path);
    }
    if (!still_there(file.fd_, path)) continue;
    RIVAL_RETURN_IF_ERROR(file.hash_existing());
    return file;
  }
}

PartialFile::PartialFile(PartialFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      bytes_(other.bytes_),
      digest_(std::move(other.digest_)) {}

PartialFile::~PartialFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status PartialFile::hash_existing() {
  std::string buffer(1 << 20, '\0');
  while (true) {
    const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("read", path_);
    if (n == 0) return {};
    digest_.update({buffer.data(), static_cast<size_t>(n)});
    bytes_ += static_cast<uint64_t>(n);
  }
}

Status PartialFile::append(std::string_view piece) {
  digest_.update(piece);
  while (!piece.empty()) {
    const ssize_t n = ::write(fd_, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("write", path_);
    piece.remove_prefix(static_cast<size_t>(n));
    bytes_ += static_cast<uint64_t>(n);
  }
  return {};
}

Status PartialFile::start_over() {
  if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) return file_error("empty", path_);
  bytes_ = 0;
  digest_ = Digest();
  return {};
}

Result<std::string> PartialFile::finish() {
  if (::fsync(fd_) != 0) return file_error("write", path_);
  return digest_.finish();
}

void PartialFile::remove() { ::unlink(path_.c_str()); }

}  // namespace rival::hub
