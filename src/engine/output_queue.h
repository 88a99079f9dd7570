// Outputs of requests for a thread that wants to wait for them, such as the terminal.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>

#include "engine/request.h"

namespace rival::engine {

// Thread-safe. Holds no more than the answers of its requests.
class OutputQueue {
 public:
  // A callback for Request::on_output; the queue lives as long as the callback does.
  static std::function<void(Output)> sink(const std::shared_ptr<OutputQueue>& queue) {
    return [queue](Output output) { queue->push(std::move(output)); };
  }

  void push(Output output) {
    {
      std::lock_guard lock(mutex_);
      outputs_.push(std::move(output));
    }
    arrived_.notify_one();
  }

  // Waits for the next output.
  Output pop() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return !outputs_.empty(); });
    return take();
  }

  // The same for at most this long, for a thread that has something else to look at.
  std::optional<Output> pop_for(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, time, [&] { return !outputs_.empty(); })) return std::nullopt;
    return take();
  }

 private:
  Output take() {
    Output output = std::move(outputs_.front());
    outputs_.pop();
    return output;
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::queue<Output> outputs_;  // guarded by mutex_
};

}  // namespace rival::engine
