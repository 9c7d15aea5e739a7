// SPDX-License-Identifier: Apache-2.0
// Manners of what computes at once in one process. Plans take turns, so that no more of them compute than
// there are threads; the background gives way to the foreground between two tasks; a plan may be held to a
// share of the processor's time. None of it changes a result: the split into tasks does not depend on it.
#pragma once

#include <atomic>
#include <chrono>

namespace receptive {

struct Manners {
  bool queues = false;      // on a thread of its own, which may wait; JavaScript's thread never does
  bool background = false;  // gives way to everything else in the process
  double cpu_share = 1;     // of the time of the thread that drives the plan, above 0 and up to 1

  // Whether it leaves the machine to others where it can.
  bool is_modest() const { return background || cpu_share < 1; }
};

// A plan's right to compute, held by the thread that drives it. Waits end as soon as `stop` is set; a step
// that is under way then goes on at once.
class Turn {
 public:
  // `owed` keeps, from one turn to the next, how many ms the plan has to rest.
  Turn(const Manners& manners, const std::atomic<bool>* stop, double* owed);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // Lets a plan that waits go first, if this one had its slice of time.
  void between_steps();
  // Rests where the plan has had more than its share.
  void between_instructions() {
    if (manners_.cpu_share < 1) keep_to_share();
  }

 private:
  using Clock = std::chrono::steady_clock;
  void begin();
  void end();
  void keep_to_share();

  const Manners manners_;
  const std::atomic<bool>* const stop_;
  double* const owed_;  // below 0 where less than the share was used
  bool seated_ = false;
  Clock::time_point since_;  // the beginning of this slice
  Clock::time_point noted_;  // up to here the account below is kept
  double cpu_noted_ = 0;     // ms of processor time of this thread, then
};

// Work that JavaScript's thread does itself: the background waits for it.
class ForegroundWork {
 public:
  ForegroundWork();
  ~ForegroundWork();
  ForegroundWork(const ForegroundWork&) = delete;
  ForegroundWork& operator=(const ForegroundWork&) = delete;

 private:
  const bool counted_;  // nothing is counted while there is no background
};

// While one exists the background does not give way: somebody waits for its step to end.
class Hurry {
 public:
  Hurry();
  ~Hurry();
  Hurry(const Hurry&) = delete;
  Hurry& operator=(const Hurry&) = delete;
};

// Whether the calling thread drives a background plan.
bool in_background();

// How many other plans of the calling thread's priority have their turn now.
int turns_of_others();

// Between two tasks of the background: waits while the foreground computes. A background that is never let
// through still gets a twentieth of the time.
void give_way();

// Asks the system to run the calling thread after others, for good.
void lower_thread_priority();

}  // namespace receptive
