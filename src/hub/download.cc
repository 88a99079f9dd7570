#include "hub/download.h"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "base/units.h"
#include "http/client.h"
#include "hub/partial_file.h"

namespace rival::hub {
namespace {

constexpr int kIdleTriesMax = 5;  // tries in a row that bring not one byte
constexpr int kRetryMs = 500;     // before the first of them, doubled for each next

// RIVAL_RETRY_MS: tests do not wait.
std::chrono::milliseconds retry_delay(int idle_tries) {
  const char* given = std::getenv("RIVAL_RETRY_MS");
  return std::chrono::milliseconds((given ? std::atoi(given) : kRetryMs) << idle_tries);
}

// "bytes 100-199/200": begin and total. An unknown total ("*") is 0.
struct ContentRange {
  uint64_t begin = 0;
  uint64_t total = 0;
};

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  const size_t dash = text.find('-'), slash = text.find('/');
  if (!text.starts_with("bytes ") || dash == std::string_view::npos || slash == std::string_view::npos ||
      dash > slash)
    return std::nullopt;
  const auto begin = number(text.substr(6, dash - 6));
  const auto total =
      text.substr(slash + 1) == "*" ? std::optional<uint64_t>(0) : number(text.substr(slash + 1));
  if (!begin || !total) return std::nullopt;
  return ContentRange{*begin, *total};
}

// One file's way through one or more transfers.
class Transfer {
 public:
  Transfer(const Store& store, const Download& request, PartialFile file)
      : store_(store),
        request_(request),
        file_(std::move(file)),
        validator_file_(file_.path().string() + ".etag"),
        bytes_(request.bytes) {}

  Status run() {
    RIVAL_RETURN_IF_ERROR(discard_unusable());
    int idle_tries = 0;
    while (true) {
      const uint64_t before = file_.bytes();
      const Status status = attempt();
      if (status.ok()) return {};
      idle_tries = file_.bytes() > before ? 0 : idle_tries + 1;
      const bool lasting = status.error().code != ErrorCode::kNetwork || !reached_;
      if (lasting || idle_tries >= kIdleTriesMax) return status;
      log(LogLevel::kInfo, "{}; going on from {}", status.error().message, format_bytes(file_.bytes()));
      std::this_thread::sleep_for(retry_delay(idle_tries));
    }
  }

  PartialFile& file() { return file_; }
  void forget() {
    file_.remove();
    std::error_code ignored;
    std::filesystem::remove(validator_file_, ignored);
  }
  bool resumed() const { return resumed_; }

 private:
  // A part whose rest cannot be asked for safely, or that is too long, is worth nothing.
  Status discard_unusable() {
    auto validator = read_file(validator_file_, limits::kHttpHeaderBytesMax);
    if (validator.ok()) validator_ = *validator;
    const bool named_by_content = !request_.sha256.empty() || !request_.git_sha1.empty();
    const bool usable = named_by_content || !validator_.empty();
    if (file_.bytes() > 0 && (!usable || (bytes_ && file_.bytes() > bytes_))) return file_.start_over();
    resumed_ = file_.bytes() > 0;
    return {};
  }

  Status attempt() {
    if (bytes_ && file_.bytes() == bytes_) return {};
    http::ClientRequest request{.url = request_.url, .bearer_token = request_.bearer_token};
    request.cancel = request_.cancel;
    request.body_bytes_max = bytes_ ? bytes_ : limits::kModelFileBytesMax;
    if (file_.bytes() > 0) {
      request.headers["Range"] = fmt::format("bytes={}-", file_.bytes());
      if (!validator_.empty()) request.headers["If-Range"] = validator_;
    }
    std::optional<Progress> progress;
    http::BodySink sink;
    sink.on_head = [&](const http::ResponseHead& head) {
      const Status status = take_head(head);
      if (status.ok()) progress.emplace(request_.label, bytes_, file_.bytes());
      return status;
    };
    sink.on_piece = [&](std::string_view piece) {
      if (bytes_ && file_.bytes() + piece.size() > bytes_)
        return Status(make_error(ErrorCode::kCorrupt, "{} sends more than the {} bytes that were announced",
                                 request_.url, bytes_));
      const Status status = file_.append(piece);
      progress->update(file_.bytes());
      return status.ok() && request_.on_progress ? request_.on_progress(request_.label, file_.bytes(), bytes_) : status;
    };
    RIVAL_ASSIGN_OR_RETURN(const http::ResponseHead head, http::fetch(request, sink));
    reached_ = true;
    if (head.status == 416) {  // the part is not a beginning of what the server has now
      RIVAL_RETURN_IF_ERROR(file_.start_over());
      return make_error(ErrorCode::kNetwork, "{} cannot go on where the last try ended", request_.url);
    }
    if (head.status < 200 || head.status >= 300) return http::status_error(head);
    if (bytes_ && file_.bytes() < bytes_)
      return make_error(ErrorCode::kNetwork, "{} ended after {} of {} bytes", request_.url, file_.bytes(),
                        bytes_);
    return {};
  }

  Status take_head(const http::ResponseHead& head) {
    reached_ = true;
    uint64_t total = 0;
    if (head.status == 206) {
      const auto range = parse_content_range(head.header("content-range"));
      if (!range || range->begin != file_.bytes())
        return make_error(ErrorCode::kNetwork, "{} answers with another part than was asked for",
                          request_.url);
      total = range->total;
    } else {
      if (file_.bytes() > 0) RIVAL_RETURN_IF_ERROR(file_.start_over());
      if (head.header("content-encoding").empty()) total = number(head.header("content-length")).value_or(0);
    }
    if (request_.bytes && total && total != request_.bytes)
      return make_error(ErrorCode::kCorrupt, "{} has {} bytes and {} were announced", request_.url, total,
                        request_.bytes);
    if (total) bytes_ = total;
    if (bytes_ > limits::kModelFileBytesMax)
      return make_error(ErrorCode::kLimit, "{} has {} bytes; at most {} are taken", request_.url, bytes_,
                        limits::kModelFileBytesMax);
    RIVAL_RETURN_IF_ERROR(store_.check_space(bytes_ - std::min(bytes_, file_.bytes())));
    const std::string etag = head.header("etag");
    if (!etag.empty() && !etag.starts_with("W/") && etag != validator_) {
      validator_ = etag;
      return write_file_atomically(validator_file_, etag);
    }
    return {};
  }

  const Store& store_;
  const Download& request_;
  PartialFile file_;
  std::filesystem::path validator_file_;
  std::string validator_;  // a strong ETag
  uint64_t bytes_ = 0;
  bool resumed_ = false;
  bool reached_ = false;  // the server has answered at least once
};

Result<std::string> git_sha1_of(const std::filesystem::path& path, uint64_t bytes) {
  RIVAL_ASSIGN_OR_RETURN(const MappedFile map, MappedFile::open(path));
  Digest digest(Digest::Kind::kSha1);
  digest.update(fmt::format("blob {}", bytes));
  digest.update(std::string_view("\0", 1));
  digest.update({reinterpret_cast<const char*>(map.bytes().data()), map.bytes().size()});
  return digest.finish();
}

Status check_hash(const Download& request, const PartialFile& file, const std::string& sha256) {
  if (!request.sha256.empty() && sha256 != request.sha256)
    return make_error(
        ErrorCode::kCorrupt,
        "{} has SHA-256 {} and {} was announced; it was thrown away. Try again, or fetch it by hand and "
        "give its path",
        request.url, sha256, request.sha256);
  if (request.git_sha1.empty()) return {};
  RIVAL_ASSIGN_OR_RETURN(const std::string sha1, git_sha1_of(file.path(), file.bytes()));
  if (sha1 != request.git_sha1)
    return make_error(ErrorCode::kCorrupt, "{} has git hash {} and {} was announced; it was thrown away",
                      request.url, sha1, request.git_sha1);
  return {};
}

}  // namespace

Result<StoredFile> download(const Store& store, const Download& request) {
  const std::string key = !request.sha256.empty() ? request.sha256 : request.url;
  for (bool again = false;; again = true) {
    RIVAL_ASSIGN_OR_RETURN(PartialFile partial, PartialFile::open(store.partial_path(key)));
    std::error_code absent;
    const uint64_t present = std::filesystem::file_size(store.blob_path(request.sha256), absent);
    if (!absent && present == request.bytes) {  // somebody else finished it while this one waited
      partial.remove();
      return StoredFile{.bytes = present, .sha256 = request.sha256};
    }
    Transfer transfer(store, request, std::move(partial));
    RIVAL_RETURN_IF_ERROR(transfer.run());
    RIVAL_ASSIGN_OR_RETURN(const std::string sha256, transfer.file().finish());
    const Status checked = check_hash(request, transfer.file(), sha256);
    if (checked.ok()) {
      RIVAL_RETURN_IF_ERROR(store.adopt(transfer.file().path(), sha256));
      transfer.forget();
      return StoredFile{.bytes = transfer.file().bytes(), .sha256 = sha256};
    }
    transfer.forget();
    if (!transfer.resumed() || again) return checked.error();
    log(LogLevel::kWarning, "what an earlier try left does not fit; fetching {} from the start",
        request.label);
  }
}

}  // namespace rival::hub
