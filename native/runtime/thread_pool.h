// SPDX-License-Identifier: Apache-2.0
// One resident pool per process, shared by every environment (main thread and worker_threads) that loads the
// addon; plans in the background have a second one, whose workers give way (turns.h). Neither is ever
// destroyed: a destructor at exit would race with environments that are still being torn down.
#pragma once

namespace receptive {

// Threads that take part in a parallel_for, the caller included.
int num_threads();

// 1 to kMaxThreads; workers are started when first needed and sleep when there are too many.
void set_num_threads(int count);

// What the process may use: RECEPTIVE_THREADS, else the smaller of the affinity mask and the cgroup's CPU
// quota.
int default_num_threads();

constexpr int kMaxThreads = 256;

// No job will come soon: workers that spin for one go to sleep. Those of the calling thread's pool.
void rest_workers();

}  // namespace receptive
