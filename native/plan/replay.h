// SPDX-License-Identifier: Apache-2.0
// Runs a recorded step over and over: no JavaScript, and no allocation after the first step.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "plan/fuse.h"
#include "plan/memory_plan.h"
#include "plan/program.h"
#include "runtime/aligned_buffer.h"

namespace receptive::plan {

// What one call of run brings. All memory belongs to the caller and outlives the run.
struct Run {
  std::int64_t steps = 0;
  const double* variables = nullptr;  // [steps][variables of the program]
  std::vector<const char*> streams;   // by stream: steps slices, one after another
  double* outputs = nullptr;          // [outputs of the program][steps]
  int threads = 0;                    // 0: as many as the process uses
  std::atomic<std::int64_t> done{0};  // steps whose outputs are written
  std::atomic<bool> stop{false};      // asks to end after the step under way
};

class Replay {
 public:
  // Takes a program that has passed its check.
  explicit Replay(Program program);

  // Finds the tensors that the program names, on the thread that owns them. They must live until the run is
  // over.
  Status bind(const TensorTable& tensors);

  // Runs the steps on the calling thread. Calls `progress` after each step; it must not touch JavaScript.
  template <typename Progress>
  Status run(Run* run, const Progress& progress) {
    Status status = reserve();
    for (std::int64_t step = 0;
         status.ok() && step < run->steps && !run->stop.load(std::memory_order_relaxed); ++step) {
      status = one_step(*run, step);
      if (!status.ok()) break;
      run->done.store(step + 1, std::memory_order_release);
      progress();
    }
    return status;
  }

  const Program& program() const { return program_; }
  const MemoryPlan& memory() const { return memory_; }
  const Fusions& fusions() const { return fusions_; }

 private:
  Status reserve();
  Status one_step(const Run& run, std::int64_t step);
  void place(const Run& run, std::int64_t step);

  Program program_;
  Fusions fusions_;
  MemoryPlan memory_;
  AlignedBuffer arena_;
  std::vector<int> streams_, outputs_;
  std::vector<Buffer> operands_;    // of all instructions, one after another
  std::vector<std::size_t> first_;  // where an instruction's operands begin
};

}  // namespace receptive::plan
