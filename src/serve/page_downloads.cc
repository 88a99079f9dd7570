#include "serve/page_downloads.h"

#include <algorithm>
#include <chrono>

namespace rival::serve {
namespace {

constexpr auto kTellEvery = std::chrono::milliseconds(250);

std::string_view failure_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCancelled: return "stopped";
    case ErrorCode::kNetwork: return "network";
    case ErrorCode::kCorrupt: return "damaged";
    case ErrorCode::kIo: return "disk";
    case ErrorCode::kDenied: return "denied";
    default: return "failed";
  }
}

}  // namespace

json::object to_json(const PageDownload& download) {
  json::object out = {{"state", download.state}, {"done", download.done}, {"total", download.total}};
  if (!download.message.empty()) out["message"] = download.message, out["code"] = download.code;
  return out;
}

PageDownloads::PageDownloads(const hub::Hub& hub, PageEvents& events) : hub_(hub), events_(events), worker_([this] { work(); }) {}

PageDownloads::~PageDownloads() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
    break_off_ = true;
  }
  news_.notify_all();
  worker_.join();
}

bool PageDownloads::start(const std::string& owner, const std::string& name, bool accept_licence) {
  const hub::Row* row = hub_.catalogue().find(name);
  {
    const std::lock_guard guard(mutex_);
    PageDownload& download = downloads_[name];
    if (download.state == "waiting" || download.state == "running") return false;
    download = {.state = "waiting", .total = row ? std::max<uint64_t>(row->download_bytes(), 1) : 1};
    waiting_.push_back({owner, name, accept_licence});
  }
  news_.notify_all();
  return true;
}

void PageDownloads::cancel(const std::string& name) {
  const std::lock_guard guard(mutex_);
  if (running_ == name) break_off_ = true;
  if (std::erase_if(waiting_, [&](const Job& job) { return job.name == name; }) > 0) downloads_.erase(name);
}

std::optional<PageDownload> PageDownloads::find(const std::string& name) const {
  const std::lock_guard guard(mutex_);
  const auto place = downloads_.find(name);
  return place == downloads_.end() ? std::nullopt : std::optional(place->second);
}

void PageDownloads::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    news_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    const Job job = waiting_.front();
    waiting_.pop_front();
    running_ = job.name;
    break_off_ = false;
    lock.unlock();
    fetch(job);
    lock.lock();
    running_.clear();
  }
}

void PageDownloads::fetch(const Job& job) {
  using Clock = std::chrono::steady_clock;
  PageDownload download = find(job.name).value_or(PageDownload());
  download.state = "running";
  std::map<std::string, std::pair<uint64_t, uint64_t>> files;  // done and total of each file, by its label
  Clock::time_point told;
  hub::ResolveOptions options;
  options.accept_licence = job.accept_licence;
  options.on_progress = [&](const std::string& label, uint64_t done, uint64_t total) -> Status {
    files[label] = {done, total};
    uint64_t sum = 0, known = 0;
    for (const auto& [name, file] : files) sum += file.first, known += file.second;
    download.done = sum;
    download.total = std::max({download.total, known, sum});
    if (break_off_) return make_error(ErrorCode::kCancelled, "the download was stopped");
    if (Clock::now() >= told + kTellEvery) tell(job, download), told = Clock::now();
    return {};
  };
  options.cancel = &break_off_;
  tell(job, download);
  const auto resolved = hub_.resolve(job.name, options);
  download.state = resolved.ok() ? "done" : "error";
  if (resolved.ok()) download.done = download.total;
  else download.message = resolved.error().message, download.code = failure_code(resolved.error().code);
  tell(job, download);
}

void PageDownloads::tell(const Job& job, const PageDownload& download) {
  {
    const std::lock_guard guard(mutex_);
    downloads_[job.name] = download;
  }
  json::object event = to_json(download);
  event["type"] = "download", event["name"] = job.name;
  events_.publish(job.owner, event);
}

}  // namespace rival::serve
