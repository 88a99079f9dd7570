#include "base/thread_team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace rival {
namespace {

TEST(ThreadTeam, EveryThreadRunsOnceAndWritesAreSeenAfterABarrier) {
  for (uint32_t size : {1u, 2u, 5u}) {
    ThreadTeam team(size);
    for (int round = 0; round < 50; ++round) {
      std::vector<int> own(size), sum(size);
      team.run([&](uint32_t thread) {
        own[thread] = round + 1;
        team.barrier();
        for (int v : own) sum[thread] += v;
      });
      for (int s : sum) EXPECT_EQ(s, (round + 1) * static_cast<int>(size));
    }
  }
}

TEST(ThreadTeam, TheCounterGivesEachIndexOnceAndStartsOverAfterABarrier) {
  ThreadTeam team(3);
  std::vector<std::atomic<int>> taken(100);
  team.run([&](uint32_t) {
    for (int pass = 0; pass < 4; ++pass) {
      for (uint32_t i = team.next(100); i < 100; i = team.next(100)) taken[i].fetch_add(1);
      team.barrier();
    }
  });
  for (auto& count : taken) EXPECT_EQ(count.load(), 4);
}

TEST(ThreadTeam, MoreThreadsThanCpusStillMeet) {
  ThreadTeam team(4 * available_cpus());
  std::atomic<int> arrived{0};
  team.run([&](uint32_t) {
    for (int i = 0; i < 20; ++i) {
      arrived.fetch_add(1);
      team.barrier();
    }
  });
  EXPECT_EQ(arrived.load(), static_cast<int>(20 * team.size()));
}

}  // namespace
}  // namespace rival
