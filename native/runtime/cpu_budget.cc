// SPDX-License-Identifier: Apache-2.0
#include "runtime/cpu_budget.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

#include "runtime/thread_pool.h"

namespace receptive {
namespace {

int affinity_count() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

// Quota divided by period of the cgroup this process sees as its own, 0 where there is none.
double cgroup_quota() {
  double quota = 0, period = 0;
  if (FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {  // version 2: "max 100000" or "150000 100000"
    if (std::fscanf(file, "%lf %lf", &quota, &period) != 2) quota = 0;
    std::fclose(file);
  } else {  // version 1: -1 where there is no limit
    if (FILE* v1 = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r")) {
      if (std::fscanf(v1, "%lf", &quota) != 1) quota = 0;
      std::fclose(v1);
    }
    if (FILE* v1 = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r")) {
      if (std::fscanf(v1, "%lf", &period) != 1) period = 0;
      std::fclose(v1);
    }
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

}  // namespace

int cpu_budget() {
  if (const char* wish = std::getenv("RECEPTIVE_THREADS")) {
    const long count = std::strtol(wish, nullptr, 10);  // out of range is the nearest long
    if (count >= 1) return static_cast<int>(std::min<long>(count, kMaxThreads));
  }
  int count = std::max(1, affinity_count());
  const double quota = cgroup_quota();
  if (quota > 0) count = std::min(count, std::max(1, static_cast<int>(std::ceil(quota))));
  return std::min(count, kMaxThreads);
}

}  // namespace receptive
