#include "hub/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <set>

#include "base/file.h"
#include "base/limits.h"
#include "base/sha256.h"
#include "base/units.h"
#include "hub/manifest.h"
#include "hub/source.h"

namespace rival::hub {
namespace fs = std::filesystem;
namespace {

constexpr size_t kComponentBytesMax = 200;
constexpr uint64_t kSpareBytes = 50'000'000;  // a full disk breaks more than this download

Error store_error(std::string_view what, const fs::path& path, const std::error_code& code) {
  return make_error(ErrorCode::kIo, "cannot {} {}: {}; RIVAL_HOME names another place for the models", what,
                    path.string(), code.message());
}

Status make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  return code ? Status(store_error("create", folder, code)) : Status();
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

// The link appears or is replaced in one step.
Status place_link(const fs::path& target, const fs::path& link) {
  RIVAL_RETURN_IF_ERROR(make_folder(link.parent_path()));
  const fs::path temporary = link.string() + fmt::format(".tmp{}", ::getpid());
  std::error_code code;
  fs::remove(temporary, code);
  fs::create_symlink(target, temporary, code);
  if (!code) fs::rename(temporary, link, code);
  return code ? Status(store_error("place", link, code)) : Status();
}

uint64_t folder_bytes(const fs::path& folder) {
  uint64_t total = 0;
  std::error_code code;
  for (fs::recursive_directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) total += entry->file_size(ignored);
  }
  return total;
}

}  // namespace

std::string encode_component(std::string_view name) {
  std::string result;
  for (const unsigned char c : name) {
    const bool plain =
        std::isalnum(c) || std::string_view("._-:@+").find(static_cast<char>(c)) != std::string_view::npos;
    if (plain && !(c == '.' && result.empty()))
      result += static_cast<char>(c);
    else
      result += fmt::format("%{:02X}", c);
  }
  if (result.size() <= kComponentBytesMax && !result.empty()) return result;
  Digest digest;
  digest.update(name);
  return result.substr(0, kComponentBytesMax - 70) + "%" + digest.finish();
}

// ---- locks
// --------------------------------------------------------------------------------------------------------

Result<FileLock> FileLock::take(const fs::path& path, Mode mode, const std::function<void()>& on_wait) {
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.fd_ < 0) return store_error("open", path, std::error_code(errno, std::generic_category()));
  const int operation = mode == Mode::kShared ? LOCK_SH : LOCK_EX;
  if (::flock(lock.fd_, operation | LOCK_NB) == 0) return lock;
  if (on_wait) on_wait();
  while (::flock(lock.fd_, operation) != 0) {
    if (errno != EINTR) return store_error("lock", path, std::error_code(errno, std::generic_category()));
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

// ---- the store
// ----------------------------------------------------------------------------------------------------

uint64_t Manifest::total_bytes() const {
  uint64_t total = 0;
  for (const StoredFile& file : files) total += file.bytes;
  return total;
}

Result<Store> Store::open() {
  const auto variable = [](const char* name) {
    return std::string(std::getenv(name) ? std::getenv(name) : "");
  };
  if (!variable("RIVAL_HOME").empty()) return Store(fs::absolute(variable("RIVAL_HOME")));
  if (fs::path(variable("XDG_DATA_HOME")).is_absolute())
    return Store(fs::path(variable("XDG_DATA_HOME")) / "rival");
  if (!variable("HOME").empty()) return Store(fs::path(variable("HOME")) / ".local/share/rival");
  return make_error(ErrorCode::kInvalidArgument,
                    "neither RIVAL_HOME nor HOME is set; set RIVAL_HOME to a folder for the models");
}

fs::path Store::blob_path(std::string_view sha256) const {
  return home_ / "blobs" / ("sha256-" + std::string(sha256));
}
fs::path Store::partial_path(std::string_view key) const { return home_ / "partial" / encode_component(key); }
fs::path Store::model_folder(std::string_view name) const {
  return home_ / "models" / encode_component(name);
}

Status Store::prepare() const {
  for (const char* folder : {"blobs", "models", "partial", "locks"})
    RIVAL_RETURN_IF_ERROR(make_folder(home_ / folder));
  return {};
}

Result<Manifest> Store::manifest(std::string_view name) const {
  const fs::path folder = model_folder(name);
  RIVAL_ASSIGN_OR_RETURN(const std::string text,
                         read_file(folder / "manifest.json", limits::kManifestBytesMax));
  auto manifest = parse_manifest(text);
  if (!manifest.ok()) return with_context(manifest.error(), (folder / "manifest.json").string());
  for (const StoredFile& file : manifest->files) {
    std::error_code code;
    const uint64_t bytes = fs::file_size(folder / file.name, code);
    if (code || bytes != file.bytes)
      return make_error(ErrorCode::kNotFound, "file {} of {} is gone or changed", file.name, name);
  }
  return manifest;
}

std::vector<Manifest> Store::models() const {
  std::vector<Manifest> manifests;
  std::error_code code;
  for (fs::directory_iterator entry(home_ / "models", code), end; !code && entry != end;
       entry.increment(code)) {
    auto text = read_file(entry->path() / "manifest.json", limits::kManifestBytesMax);
    if (!text.ok()) continue;
    auto parsed = parse_manifest(*text);
    if (!parsed.ok()) continue;
    auto whole = manifest(parsed->name);
    if (whole.ok()) manifests.push_back(std::move(*whole));
  }
  std::sort(manifests.begin(), manifests.end(),
            [](const Manifest& a, const Manifest& b) { return a.name < b.name; });
  return manifests;
}

Status Store::adopt(const fs::path& partial, std::string_view sha256) const {
  const fs::path blob = blob_path(sha256);
  std::error_code code;
  fs::permissions(partial, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read, code);
  fs::rename(partial, blob, code);
  if (code) return store_error("keep", blob, code);
  sync_folder(blob.parent_path());
  return {};
}

Status Store::publish(const Manifest& manifest) const {
  const fs::path folder = model_folder(manifest.name);
  for (const StoredFile& file : manifest.files) {
    if (!is_safe_relative_path(file.name) || file.name == "manifest.json")
      return make_error(ErrorCode::kInvalidArgument, "'{}' cannot be the name of a model's file", file.name);
    const fs::path link = folder / file.name;
    const fs::path target = file.in_place.empty() ? fs::relative(blob_path(file.sha256), link.parent_path())
                                                  : fs::path(file.in_place);
    RIVAL_RETURN_IF_ERROR(place_link(target, link));
  }
  sync_folder(folder);
  return write_file_atomically(folder / "manifest.json", manifest_text(manifest));
}

Result<uint64_t> Store::remove(std::string_view name) const {
  std::error_code code;
  const fs::path folder = model_folder(name);
  if (!fs::exists(folder / "manifest.json", code))
    return make_error(ErrorCode::kNotFound, "model '{}' is not in the store; `rival ls` shows what is", name);
  fs::remove(folder / "manifest.json", code);  // from here on the model is gone, whatever happens next
  if (!code) fs::remove_all(folder, code);
  if (code) return store_error("remove", folder, code);
  std::set<std::string> needed;
  for (fs::directory_iterator entry(home_ / "models", code), end; !code && entry != end;
       entry.increment(code)) {
    auto text = read_file(entry->path() / "manifest.json", limits::kManifestBytesMax);
    if (!text.ok()) continue;
    auto other = parse_manifest(*text);
    if (!other.ok()) return uint64_t{0};  // what it needs is unknown: every blob stays
    for (const StoredFile& file : other->files) needed.insert(blob_path(file.sha256).filename());
  }
  uint64_t freed = 0;
  for (fs::directory_iterator entry(home_ / "blobs", code), end; !code && entry != end;
       entry.increment(code)) {
    if (needed.count(entry->path().filename())) continue;
    std::error_code ignored;
    const uint64_t bytes = entry->file_size(ignored);
    if (fs::remove(entry->path(), ignored)) freed += bytes;
  }
  return freed;
}

uint64_t Store::partial_bytes() const { return folder_bytes(home_ / "partial"); }

Result<uint64_t> Store::remove_partial() const {
  const uint64_t bytes = partial_bytes();
  std::error_code code;
  fs::remove_all(home_ / "partial", code);
  if (code) return store_error("remove", home_ / "partial", code);
  return bytes;
}

Result<FileLock> Store::lock_store(FileLock::Mode mode, const std::function<void()>& on_wait) const {
  RIVAL_RETURN_IF_ERROR(prepare());
  return FileLock::take(home_ / "locks/store", mode, on_wait);
}

Result<FileLock> Store::lock_model(std::string_view name, const std::function<void()>& on_wait) const {
  RIVAL_RETURN_IF_ERROR(prepare());
  return FileLock::take(home_ / "locks" / ("model-" + encode_component(name)), FileLock::Mode::kExclusive,
                        on_wait);
}

bool Store::licence_accepted(const std::string& licence) const {
  std::error_code code;
  return fs::exists(home_ / "licences" / encode_component(licence), code);
}

Status Store::accept_licence(const std::string& licence) const {
  RIVAL_RETURN_IF_ERROR(make_folder(home_ / "licences"));
  return write_file_atomically(home_ / "licences" / encode_component(licence),
                               fmt::format("{} accepted at {}\n", licence, std::time(nullptr)));
}

Status Store::check_space(uint64_t bytes) const {
  std::error_code code;
  const fs::space_info space = fs::space(home_, code);
  if (code || space.available >= bytes + kSpareBytes) return {};
  return make_error(ErrorCode::kIo,
                    "{} has {} free and {} are needed; free some, or set RIVAL_HOME to a roomier disk",
                    home_.string(), format_bytes(space.available), format_bytes(bytes + kSpareBytes));
}

}  // namespace rival::hub
