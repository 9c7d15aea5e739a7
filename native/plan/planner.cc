// SPDX-License-Identifier: Apache-2.0
#include "plan/planner.h"

#include <algorithm>
#include <string>
#include <utility>

#include "plan/fold.h"
#include "plan/recompute.h"
#include "plan/rewrite.h"
#include "plan/tune.h"
#include "plan/updates.h"

namespace receptive::plan {
namespace {

// Whether an update reads or writes what another one writes: a parameter that is updated twice.
bool depends(const Recorded& a, const Recorded& b) {
  for (const Operand& operand : b.operands) {
    if (writes(a, operand) || (writes(b, operand) && touches(a, operand))) return true;
  }
  return false;
}

// Neighbouring updates of one kind run in one pass.
std::vector<int> group_updates(const Program& program, Fusions* fusions) {
  const std::vector<Recorded>& instructions = program.instructions;
  std::vector<int> run_length(instructions.size(), 1);
  int& grouped = (*fusions)["updates in one pass"];
  for (std::size_t first = 0, end = 0; first < instructions.size(); first = end) {
    const auto joins = [&](const Recorded& next) {
      return next.opcode == instructions[first].opcode &&
             std::none_of(&instructions[first], &instructions[end],
                          [&](const Recorded& earlier) { return depends(earlier, next); });
    };
    end = first + 1;
    while (is_update(instructions[first].opcode) && end < instructions.size() && joins(instructions[end]))
      run_length[end++] = 0;
    run_length[first] = static_cast<int>(end - first);
    if (end - first > 1) grouped += run_length[first];
  }
  return run_length;
}

}  // namespace

Status plan_step(Program program, const PlanOptions& options, PlannedStep* planned) {
  Fusions fusions;
  if (options.fold) fusions["batchNorm2d into conv2d"] = fold_batch_norm_into_conv(&program);
  if (options.tune) fusions["algorithms measured"] = measure_algorithms(&program);
  fusions.merge(fuse(&program));
  // Not where memory is short: the weights are there twice then
  if (options.max_bytes == PlanOptions().max_bytes) fusions["weights prepared"] = prepare_weights(&program);
  MemoryPlan memory = plan_memory(program);
  if (memory.arena_bytes > options.max_bytes) {
    const Recomputation found = recompute_to_fit(&program, &memory, options.max_bytes);
    if (!found.fits) {
      return Status::refuse("ERR_OUT_OF_MEMORY",
                            "a maxMemory of at least " + std::to_string(found.smallest_bytes) +
                                " bytes for the buffers of this step",
                            std::to_string(options.max_bytes));
    }
    planned->recomputed = found.instructions;
  }
  planned->run_length = group_updates(program, &fusions);
  planned->program = std::move(program);
  planned->fusions = std::move(fusions);
  planned->memory = std::move(memory);
  return Status::success();
}

}  // namespace receptive::plan
