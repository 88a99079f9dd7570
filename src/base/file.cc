#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace rival {
namespace {

Error os_error(const char* what, const std::filesystem::path& path) {
  const int code = errno;
  return make_error(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "cannot {} {}: {}", what, path.string(),
                    std::strerror(code));
}

struct FileDescriptor {
  int fd = -1;
  ~FileDescriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Result<uint64_t> regular_file_size(int fd, const std::filesystem::path& path) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return os_error("read", path);
  if (!S_ISREG(info.st_mode))
    return make_error(ErrorCode::kInvalidArgument, "{} is not a regular file", path.string());
  return static_cast<uint64_t>(info.st_size);
}

Status write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error("write", path);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

}  // namespace

bool file_exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Result<std::string> read_file(const std::filesystem::path& path, uint64_t bytes_max) {
  FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return os_error("open", path);
  RIVAL_ASSIGN_OR_RETURN(const uint64_t size, regular_file_size(file.fd, path));
  if (size > bytes_max)
    return make_error(ErrorCode::kLimit, "{} has {} bytes; at most {} are read", path.string(), size, bytes_max);
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(file.fd, bytes.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error("read", path);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

Status write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  RIVAL_ASSIGN_OR_RETURN(AtomicFileWriter file, AtomicFileWriter::create(path));
  RIVAL_RETURN_IF_ERROR(file.write(bytes));
  return file.commit();
}

Result<AtomicFileWriter> AtomicFileWriter::create(const std::filesystem::path& path) {
  const std::filesystem::path temporary = path.string() + fmt::format(".tmp{}", ::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return os_error("create", temporary);
  return AtomicFileWriter(fd, path, temporary);
}

AtomicFileWriter::AtomicFileWriter(int fd, std::filesystem::path path, std::filesystem::path temporary)
    : fd_(fd), path_(std::move(path)), temporary_(std::move(temporary)) {}

AtomicFileWriter::AtomicFileWriter(AtomicFileWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      written_(other.written_),
      path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)) {}

AtomicFileWriter::~AtomicFileWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

Status AtomicFileWriter::write(std::span<const std::byte> bytes) {
  written_ += bytes.size();
  return write_all(fd_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, temporary_);
}

Status AtomicFileWriter::commit() {
  if (::fsync(fd_) != 0) return os_error("sync", temporary_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return os_error("rename", path_);
  ::close(std::exchange(fd_, -1));
  const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  FileDescriptor directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.fd >= 0) ::fsync(directory.fd);
  return {};
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return os_error("open", path);
  RIVAL_ASSIGN_OR_RETURN(const uint64_t size, regular_file_size(file.fd, path));
  MappedFile map;
  map.path_ = path;
  map.size_ = size;
  if (size > 0) {
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (data == MAP_FAILED) return os_error("map", path);
    map.data_ = static_cast<const std::byte*>(data);
  }
  return map;
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> range) const {
  if (range.empty()) return;
  RIVAL_CHECK(range.data() >= data_ && range.data() + range.size() <= data_ + size_);
  const uintptr_t page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(range.data()) + page - 1) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(range.data() + range.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace rival
