// What the page is told while it is open: a numbered stream of events for each owner's tabs, which can be picked up
// again where it broke off.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "http/server.h"

namespace rival::serve {

// All members may be called from any thread.
class PageEvents {
 public:
  // Numbers begin with the time of the start in microseconds, so that those of an earlier process are known to be old.
  PageEvents();

  uint64_t sequence() const;  // of the last event
  void publish(const std::string& owner, const json::object& event);

  // Begins the stream. What came after `after` is told first; where that is not known any more, the event `sync`. False:
  // the owner has too many streams open, and nothing was begun.
  bool subscribe(const std::shared_ptr<http::Exchange>& exchange, const std::string& owner, std::optional<uint64_t> after);

  // A comment line in every stream, so that both sides notice when the other is gone.
  void beat();
  void end_streams();  // and none is begun any more

 private:
  struct Event {
    uint64_t sequence;
    std::string owner, text;
  };
  struct Stream {
    std::shared_ptr<http::Exchange> exchange;
    std::string owner;
  };
  void forget_old();

  mutable std::mutex mutex_;
  uint64_t sequence_;
  uint64_t forgotten_;  // events up to this number are not kept
  std::deque<Event> kept_;
  size_t kept_bytes_ = 0;
  std::vector<Stream> streams_;
  bool ended_ = false;
};

}  // namespace rival::serve
