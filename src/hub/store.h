// The local store of models, under RIVAL_HOME (default: XDG_DATA_HOME/rival, ~/.local/share/rival):
//
//   blobs/sha256-HEX        whole, verified files; read-only
//   models/NAME/            links to the blobs (or to files in place elsewhere) under their own names, and
//   models/NAME/manifest.json, written last: a model without it is not there
//   partial/                what is being fetched; resumed later, never taken for whole
//   locks/                  one file a lock (flock, which the kernel releases whatever ends a process)
//
// Whatever moment a process is killed at, a blob is whole or absent and a manifest names whole files only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rival::hub {

struct StoredFile {
  std::string name;  // relative path inside the model's folder
  uint64_t bytes = 0;
  std::string sha256;
  std::string
      in_place;  // absolute path of a file that belongs to another program's store; empty: a blob here
};

struct Manifest {
  std::string name;
  std::string source;
  std::string licence;
  int64_t pulled_at_s = 0;  // Unix time
  std::vector<StoredFile> files;

  uint64_t total_bytes() const;
};

// Held until destroyed.
class FileLock {
 public:
  enum class Mode { kShared, kExclusive };
  // Waits for the lock; `on_wait` is called once when somebody else holds it.
  static Result<FileLock> take(const std::filesystem::path& path, Mode mode,
                               const std::function<void()>& on_wait);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

class Store {
 public:
  // Names the folder; nothing is created before the first write. Error: kInvalidArgument when no home is
  // known.
  static Result<Store> open();
  explicit Store(std::filesystem::path home) : home_(std::move(home)) {}

  const std::filesystem::path& home() const { return home_; }
  std::filesystem::path catalogue_file() const { return home_ / "catalogue.json"; }
  std::filesystem::path blob_path(std::string_view sha256) const;
  std::filesystem::path partial_path(std::string_view key) const;  // key: any text
  std::filesystem::path model_folder(std::string_view name) const;

  // Creates the folders. Error: kIo says what to do about it.
  Status prepare() const;

  // Errors: kNotFound, also when a file that the manifest names is gone or has another size; kCorrupt.
  Result<Manifest> manifest(std::string_view name) const;
  std::vector<Manifest> models() const;  // the whole ones, by name

  // Moves a finished file among the blobs. The caller has verified the hash.
  Status adopt(const std::filesystem::path& partial, std::string_view sha256) const;
  // Lays the model's folder and writes its manifest.
  Status publish(const Manifest& manifest) const;

  // Removes a model and the blobs that no other model needs; returns the bytes that this freed. kNotFound.
  Result<uint64_t> remove(std::string_view name) const;
  // Removes unfinished downloads; returns the bytes freed.
  Result<uint64_t> remove_partial() const;
  uint64_t partial_bytes() const;

  // A pull holds the store shared and its model exclusively; a removal holds the store exclusively.
  Result<FileLock> lock_store(FileLock::Mode mode, const std::function<void()>& on_wait) const;
  Result<FileLock> lock_model(std::string_view name, const std::function<void()>& on_wait) const;

  // Has the user accepted this licence before? Acceptances are kept by the licence's name.
  bool licence_accepted(const std::string& licence) const;
  Status accept_licence(const std::string& licence) const;

  // Error: kIo when fewer than `bytes` are free where the store lies.
  Status check_space(uint64_t bytes) const;

 private:
  std::filesystem::path home_;
};

// A name as one path component: what is not a letter, a digit or one of "._-:@+" as %XX, long ones shortened
// with their hash.
std::string encode_component(std::string_view name);

}  // namespace rival::hub
