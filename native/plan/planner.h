// SPDX-License-Identifier: Apache-2.0
// From a recorded step to one that can be replayed: the passes over it, in their order.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "plan/fuse.h"
#include "plan/memory_plan.h"
#include "plan/program.h"
#include "runtime/status.h"

namespace receptive::plan {

struct PlanOptions {
  // The most that the step's buffers may take together. Results are computed twice to keep it.
  std::int64_t max_bytes = std::numeric_limits<std::int64_t>::max();
  // For inference: batch normalisations become part of the convolutions before them, which changes rounding.
  bool fold = false;
  // Measures which algorithm each convolution takes, instead of going by the cost model.
  bool tune = false;
};

struct PlannedStep {
  Program program;
  Fusions fusions;
  MemoryPlan memory;
  int recomputed = 0;           // instructions that run a second time to save memory
  std::vector<int> run_length;  // by instruction: how many from here on run as one; 0 inside of such a run
};

// Refuses with ERR_OUT_OF_MEMORY, naming the smallest budget found, where the step does not fit.
Status plan_step(Program program, const PlanOptions& options, PlannedStep* planned);

}  // namespace receptive::plan
