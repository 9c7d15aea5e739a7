// SPDX-License-Identifier: Apache-2.0
// Runs a recorded step over and over: no JavaScript, and no allocation after the first step. A step that is
// refused in its middle (a loss that is not finite) leaves the tensors outside as they were before it.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "plan/arguments.h"
#include "plan/planner.h"
#include "runtime/aligned_buffer.h"
#include "runtime/thread_pool.h"
#include "runtime/turns.h"
#include "runtime/workspace.h"

namespace receptive::plan {

// What one call of run brings. All memory belongs to the caller and outlives the run.
struct Run {
  std::int64_t steps = 0;
  const double* variables = nullptr;  // [steps][variables of the program]
  std::vector<const char*> streams;   // by stream: steps slices, one after another
  double* numbers = nullptr;          // [outputs of one element][steps]
  std::vector<char*> arrays;          // by output of several elements: room for steps slices
  int threads = 0;                    // 0: as many as the process uses
  Manners manners;
  std::atomic<std::int64_t> done{0};  // steps whose outputs are written
  std::atomic<bool> stop{false};      // asks to end after the step under way
};

class Replay {
 public:
  explicit Replay(PlannedStep planned);

  // Finds the tensors that the program names, on the thread that owns them. They must live until the run is
  // over. What is computed of tensors once is computed again in this run if one of them has changed.
  Status bind(const TensorTable& tensors);

  // Whether to take the time of each instruction from now on.
  void set_timed(bool timed) { times_.assign(timed ? program_.instructions.size() : 0, 0.0); }
  // Of the step done last, by instruction, in ms; that of updates which run as one at the first of them.
  const std::vector<double>& times() const { return times_; }
  // The operands of an instruction, as the step done last saw them.
  const Arguments& arguments(std::size_t instruction) const { return arguments_[instruction]; }

  // Runs the steps on the calling thread. Calls `progress` after each step; it must not touch JavaScript.
  template <typename Progress>
  Status run(Run* run, const Progress& progress) {
    Status status = reserve();
    Turn turn(run->manners, &run->stop, &owed_);
    for (std::int64_t step = 0;
         status.ok() && step < run->steps && !run->stop.load(std::memory_order_relaxed); ++step) {
      status = one_step(*run, step, &turn);
      if (!status.ok()) break;
      run->done.store(step + 1, std::memory_order_release);
      if (!scratch_is_even_) even_out_scratch();
      scratch_is_even_ = true;
      progress();
      turn.between_steps();
    }
    // JavaScript is told now: on a machine of two cores it may want that of a worker that spins.
    if (run->manners.queues) rest_workers();
    return status;
  }

  const PlannedStep& planned() const { return planned_; }
  const Program& program() const { return program_; }
  // Buffers by what they are for, each in the order of the program.
  const std::vector<int>& streams() const { return streams_; }
  const std::vector<int>& number_outputs() const { return numbers_; }
  const std::vector<int>& array_outputs() const { return arrays_; }

 private:
  Status reserve();
  void look_for_changes(const TensorTable& tensors);
  Status one_step(const Run& run, std::int64_t step, Turn* turn);
  Status instructions(std::size_t begin, Turn* turn);
  void find_exposed();
  void save_exposed();
  void restore_exposed();
  void place(const Run& run, std::int64_t step);
  void hand_out(const Run& run, std::int64_t step) const;

  PlannedStep planned_;
  Program& program_ = planned_.program;
  const MemoryPlan& memory_ = planned_.memory;
  AlignedBuffer arena_;
  AlignedBuffer saved_;               // what the exposed tensors held before the step
  std::vector<std::size_t> exposed_;  // operands: tensors outside that are written before the last check
  // What the first instructions of the program, those that are not of every step, were computed from:
  // versions of the tensors they read, and the kernels whose layouts they wrote.
  std::vector<std::uint64_t> versions_;
  const void* kernels_ = nullptr;
  bool is_current_ = false;       // they need not be computed again
  bool scratch_is_even_ = false;  // whatever thread runs a task of this step has the scratch for it
  double owed_ = 0;               // ms of rest that earlier runs left over
  std::vector<int> streams_, numbers_, arrays_;
  std::vector<Buffer> operands_;      // of all instructions, one after another
  std::vector<std::size_t> first_;    // where an instruction's operands begin
  std::vector<double> times_;         // empty where nobody wants to know
  std::vector<Arguments> arguments_;  // by instruction
};

}  // namespace receptive::plan
