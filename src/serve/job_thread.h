// A thread that does one job after the other, in the order in which they came.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace rival::serve {

class JobThread {
 public:
  // `tick`, where given, is called about once a `period` while no job runs.
  explicit JobThread(std::function<void()> tick = {}, std::chrono::milliseconds period = std::chrono::seconds(1));
  ~JobThread();  // stop()
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  // Any thread. After stop() a job is dropped.
  void post(std::function<void()> job);
  // Waits for the job under way; those that wait are dropped. Idempotent. Not from a job.
  void stop();
  // Waits for all jobs, those too that they post; then as after stop().
  void finish();

 private:
  void run();

  const std::function<void()> tick_;
  const std::chrono::milliseconds period_;
  std::mutex mutex_;
  std::condition_variable news_;
  // guarded by mutex_
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  bool finishing_ = false;  // stop when there are no more jobs

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace rival::serve
