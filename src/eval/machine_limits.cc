#include "eval/machine_limits.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <vector>

namespace rival::eval {
namespace {

using Clock = std::chrono::steady_clock;
using Lanes = uint64_t __attribute__((vector_size(16)));

constexpr int kRounds = 5;
constexpr double kRoundSeconds = 0.04;

double seconds_of(const std::function<void()>& work) {
  const Clock::time_point begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Operations a second of all threads together in the best round.
double peak_of(ThreadTeam& team, double (*loop)(uint64_t)) {
  uint64_t iterations = 1000;
  while (seconds_of([&] { loop(iterations); }) < kRoundSeconds / 4) iterations *= 2;
  iterations *= 4;
  double best = 0.0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> operations(team.size());
    const double seconds =
        seconds_of([&] { team.run([&](uint32_t thread) { operations[thread] = loop(iterations); }); });
    double total = 0.0;
    for (const double n : operations) total += n;
    best = std::max(best, total / seconds);
  }
  return best;
}

// Reads every byte; the result keeps the compiler from leaving the loads out.
uint64_t read_all(const std::byte* data, size_t bytes) {
  Lanes sums[8] = {};
  for (size_t i = 0; i + sizeof sums <= bytes; i += sizeof sums) {
    for (size_t k = 0; k < 8; ++k) {
      Lanes lanes;
      std::memcpy(&lanes, data + i + k * sizeof lanes, sizeof lanes);
      sums[k] += lanes;
    }
  }
  Lanes total = {};
  for (const Lanes& sum : sums) total += sum;
  return total[0] + total[1];
}

double bandwidth(ThreadTeam& team, uint64_t bytes) {
  const size_t part = bytes / team.size() / 4096 * 4096;
  std::vector<std::vector<std::byte>> buffers(team.size());
  team.run([&](uint32_t thread) { buffers[thread].assign(part, std::byte{1}); });  // each thread's own memory
  const int passes = std::max(1, static_cast<int>(100'000'000 / (bytes + 1)));
  std::atomic<uint64_t> sink{0};
  double best = 0.0;
  for (int round = 0; round < 2 * kRounds; ++round) {
    const double seconds = seconds_of([&] {
      team.run([&](uint32_t thread) {
        for (int pass = 0; pass < passes; ++pass) sink += read_all(buffers[thread].data(), part);
      });
    });
    best = std::max(best, static_cast<double>(part) * team.size() * passes / seconds);
  }
  return best;
}

}  // namespace

MachineLimits measure_limits(ThreadTeam& team, const kernels::KernelTable& kernels, uint64_t memory_bytes) {
  MachineLimits limits;
  limits.memory_bytes = std::max<uint64_t>(memory_bytes, 1u << 20);
  limits.int8_ops_per_s = peak_of(team, kernels.peak_dot);
  limits.fma_flops_per_s = peak_of(team, kernels.peak_fma);
  limits.memory_bytes_per_s = bandwidth(team, limits.memory_bytes);
  return limits;
}

}  // namespace rival::eval
