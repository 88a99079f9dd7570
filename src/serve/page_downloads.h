// Models that the page has asked for, fetched one after the other on a thread of their own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "hub/hub.h"
#include "serve/page_events.h"

namespace rival::serve {

struct PageDownload {
  std::string state;             // "waiting", "running", "done", "error"
  uint64_t done = 0, total = 0;   // bytes
  std::string message = {};       // of an error
  std::string code = {};          // of an error: "stopped", "network", "damaged", "disk", "denied" or "failed"
};

json::object to_json(const PageDownload& download);

// All members may be called from any thread.
class PageDownloads {
 public:
  PageDownloads(const hub::Hub& hub, PageEvents& events);
  ~PageDownloads();  // what is being fetched breaks off; what has arrived is kept

  // False if it is under way already.
  bool start(const std::string& owner, const std::string& name, bool accept_licence);
  void cancel(const std::string& name);
  std::optional<PageDownload> find(const std::string& name) const;

 private:
  struct Job {
    std::string owner, name;
    bool accept_licence;
  };
  void work();
  void fetch(const Job& job);
  void tell(const Job& job, const PageDownload& download);

  const hub::Hub& hub_;
  PageEvents& events_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable news_;
  std::deque<Job> waiting_;
  std::map<std::string, PageDownload> downloads_;
  std::string running_;  // the name of the one under way
  bool ending_ = false;
  std::atomic<bool> break_off_ = false;  // the one under way
  std::thread worker_;
};

}  // namespace rival::serve
