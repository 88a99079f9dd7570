#include "base/thread_team.h"

#include <pthread.h>
#include <sched.h>

#include "base/check.h"

namespace rival {
namespace {

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Spins for about 50 microseconds, then gives the CPU away between looks: a meeting inside a step is far shorter,
// and a team that shares its CPUs with others must not starve the thread it waits for.
template <typename Condition>
void spin_until(const Condition& done) {
  for (int i = 0; i < 2000; ++i) {
    if (done()) return;
    pause_cpu();
  }
  while (!done()) ::sched_yield();
}

}  // namespace

uint32_t available_cpus() {
  const size_t n = allowed_cpus().size();
  return n > 0 ? static_cast<uint32_t>(n) : 1;
}

ThreadTeam::ThreadTeam(uint32_t threads) : size_(threads > 0 ? threads : available_cpus()) {
  const std::vector<int> cpus = allowed_cpus();
  for (uint32_t thread = 1; thread < size_; ++thread) {
    threads_.emplace_back([this, thread] { worker(thread); });
    // Unbound threads sometimes share one CPU for a long time. Thread 0 is the caller's and stays free.
    if (size_ <= cpus.size()) {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(cpus[thread], &set);
      ::pthread_setaffinity_np(threads_.back().native_handle(), sizeof set, &set);
    }
  }
}

ThreadTeam::~ThreadTeam() {
  stop_.store(true);
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadTeam::run(const std::function<void(uint32_t)>& work) {
  work_ = &work;
  counter_.store(0, std::memory_order_relaxed);
  finished_.store(0, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  work(0);
  spin_until([&] { return finished_.load(std::memory_order_acquire) == size_ - 1; });
}

void ThreadTeam::worker(uint32_t thread) {
  uint64_t seen = 0;
  while (true) {
    // Steps follow each other closely while a model answers, so look for a while before sleeping.
    for (int i = 0; i < 20000 && generation_.load(std::memory_order_acquire) == seen; ++i) pause_cpu();
    generation_.wait(seen, std::memory_order_acquire);
    seen = generation_.load(std::memory_order_acquire);
    if (stop_.load()) return;
    (*work_)(thread);
    finished_.fetch_add(1, std::memory_order_release);
  }
}

void ThreadTeam::barrier() {
  if (size_ == 1) {
    counter_.store(0, std::memory_order_relaxed);
    return;
  }
  const uint32_t phase = phase_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) == size_ - 1) {
    arrived_.store(0, std::memory_order_relaxed);
    counter_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    return;
  }
  spin_until([&] { return phase_.load(std::memory_order_acquire) != phase; });
}

uint32_t ThreadTeam::next(uint32_t count) {
  const uint32_t index = counter_.fetch_add(1, std::memory_order_relaxed);
  return index < count ? index : count;
}

}  // namespace rival
