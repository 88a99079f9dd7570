#include "serve/page_events.h"

#include <algorithm>
#include <chrono>

#include "base/limits.h"

namespace rival::serve {
namespace {

std::string event_text(uint64_t sequence, const json::object& event) { return fmt::format("id: {}\ndata: {}\n\n", sequence, to_json_text(event)); }

}  // namespace

PageEvents::PageEvents()
    : sequence_(static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count())),
      forgotten_(sequence_) {}

uint64_t PageEvents::sequence() const {
  const std::lock_guard guard(mutex_);
  return sequence_;
}

void PageEvents::publish(const std::string& owner, const json::object& event) {
  const std::lock_guard guard(mutex_);
  ++sequence_;
  kept_.push_back({sequence_, owner, event_text(sequence_, event)});
  kept_bytes_ += kept_.back().text.size();
  for (const Stream& stream : streams_)
    if (stream.owner == owner) stream.exchange->write(kept_.back().text);
  forget_old();
}

void PageEvents::forget_old() {
  while (kept_.size() > limits::kPageEventsKept || kept_bytes_ > limits::kPageEventBytesKept) {
    forgotten_ = kept_.front().sequence;
    kept_bytes_ -= kept_.front().text.size();
    kept_.pop_front();
  }
}

bool PageEvents::subscribe(const std::shared_ptr<http::Exchange>& exchange, const std::string& owner, std::optional<uint64_t> after) {
  const std::lock_guard guard(mutex_);
  std::erase_if(streams_, [](const Stream& stream) { return stream.exchange->gone(); });
  const auto own = std::count_if(streams_.begin(), streams_.end(), [&](const Stream& stream) { return stream.owner == owner; });
  if (static_cast<size_t>(own) >= limits::kPageStreamsMax) return false;
  exchange->begin_stream(200, "text/event-stream", {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}});
  std::string text = ": open\n\n";
  if (after && (*after < forgotten_ || *after > sequence_)) {
    text += event_text(sequence_, {{"type", "sync"}});
  } else if (after) {
    for (const Event& event : kept_)
      if (event.sequence > *after && event.owner == owner) text += event.text;
  }
  exchange->write(std::move(text));
  if (ended_) exchange->end();
  else streams_.push_back({exchange, owner});
  return true;
}

void PageEvents::beat() {
  const std::lock_guard guard(mutex_);
  std::erase_if(streams_, [](const Stream& stream) { return stream.exchange->gone(); });
  for (const Stream& stream : streams_) stream.exchange->write(": \n\n");
}

void PageEvents::end_streams() {
  const std::lock_guard guard(mutex_);
  ended_ = true;
  for (const Stream& stream : streams_) stream.exchange->end();
  streams_.clear();
}

}  // namespace rival::serve
