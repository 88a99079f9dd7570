#include "serve/job_thread.h"

namespace rival::serve {

JobThread::JobThread(std::function<void()> tick, std::chrono::milliseconds period)
    : tick_(std::move(tick)), period_(period), thread_([this] { run(); }) {}

JobThread::~JobThread() { stop(); }

void JobThread::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    jobs_.push_back(std::move(job));
  }
  news_.notify_one();
}

void JobThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  news_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void JobThread::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  news_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void JobThread::run() {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return stopping_ || finishing_ || !jobs_.empty(); };
  for (;;) {
    if (tick_) {
      news_.wait_for(lock, period_, ready);
    } else {
      news_.wait(lock, ready);
    }
    if (finishing_ && jobs_.empty()) stopping_ = true;
    if (stopping_) return;
    std::function<void()> job;
    if (!jobs_.empty()) {
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    lock.unlock();
    if (job) {
      job();
    } else if (tick_) {
      tick_();
    }
    job = nullptr;
    lock.lock();
  }
}

}  // namespace rival::serve
