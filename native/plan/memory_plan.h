// SPDX-License-Identifier: Apache-2.0
// Where the buffers of a recorded step lie: one arena, in which buffers that are never alive together share
// memory.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/program.h"

namespace receptive::plan {

struct MemoryPlan {
  static constexpr std::int64_t kUnplaced = -1;  // streams, and buffers that no instruction touches
  std::vector<std::int64_t> offsets;             // bytes from the arena's start, by buffer
  std::int64_t arena_bytes = 0;                  // the exact peak
  std::int64_t unshared_bytes = 0;               // what the buffers would take without sharing
  int in_place = 0;                              // results written over an input that nobody needs any more
};

MemoryPlan plan_memory(const Program& program);

}  // namespace receptive::plan
