// SPDX-License-Identifier: Apache-2.0
// Less memory for more arithmetic (Chen, Xu, Zhang and Guestrin 2016): a result that is needed early and
// late, as an activation is in the forward and the backward pass, is dropped in between and computed again,
// from the same inputs to the same bits.
#pragma once

#include <cstdint>

#include "plan/memory_plan.h"
#include "plan/program.h"

namespace receptive::plan {

struct Recomputation {
  bool fits = false;
  int instructions = 0;             // computed a second time
  std::int64_t smallest_bytes = 0;  // of all arenas that were found
};

// Changes the program until its arena has at most `budget` bytes; leaves program and memory as they are if
// that cannot be.
Recomputation recompute_to_fit(Program* program, MemoryPlan* memory, std::int64_t budget);

}  // namespace receptive::plan
