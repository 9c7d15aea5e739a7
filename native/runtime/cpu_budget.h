// SPDX-License-Identifier: Apache-2.0
// How many cores this process may use.
#pragma once

namespace receptive {

// RECEPTIVE_THREADS if it is a number from 1 up, else the smaller of the affinity mask and the cgroup's CPU
// quota, rounded up. At least 1. Read on every call: it is asked once per process.
int cpu_budget();

}  // namespace receptive
