// A fixed team of threads, each bound to its own CPU, that runs one function together and meets at barriers.
// Made for steps of a few milliseconds with hundreds of meetings: waiting spins, and yields when it lasts.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace rival {

class ThreadTeam {
 public:
  // `threads` >= 1; the caller of run() is thread 0. 0 = one a CPU that this process may use.
  explicit ThreadTeam(uint32_t threads = 0);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  uint32_t size() const { return size_; }

  // Runs work(thread) on every thread of the team and returns when all are done. Not reentrant; one caller at a time.
  void run(const std::function<void(uint32_t thread)>& work);

  // Inside run(): returns when every thread of the team has arrived. Writes before it are visible after it.
  void barrier();

  // Inside run(): the next index of a shared counter in [0, count), or count when none is left. All threads call
  // it with the same count; the counter starts over after a barrier(), which must follow its last use.
  uint32_t next(uint32_t count);

 private:
  void worker(uint32_t thread);

  uint32_t size_;
  const std::function<void(uint32_t)>* work_ = nullptr;
  alignas(64) std::atomic<uint64_t> generation_{0};
  alignas(64) std::atomic<uint32_t> arrived_{0};
  alignas(64) std::atomic<uint32_t> phase_{0};
  alignas(64) std::atomic<uint32_t> counter_{0};
  alignas(64) std::atomic<uint32_t> finished_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

// The number of CPUs that this process may run on.
uint32_t available_cpus();

}  // namespace rival
