// SPDX-License-Identifier: Apache-2.0
// Fork-join over a generation counter: the caller publishes a job, workers that see the new generation take
// tasks, the caller works too and waits until the last worker has left. Workers spin for a while before they
// sleep, because the next job of a training step comes within microseconds.
//
// The caller takes tasks from the front, every other worker from the back, until they meet. Whoever is slowed
// down takes fewer; and from one job to the next, and from step to step, a part of a tensor tends to be
// touched by one core, in whose near cache it then is (LeNet-5, 64 images, two threads: 0.87 of the time that
// one end for all takes).
#include "runtime/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <thread>

#include "runtime/cpu_budget.h"
#include "runtime/denormals.h"
#include "runtime/parallel_for.h"
#include "runtime/pause_cpu.h"
#include "runtime/thread_limit.h"
#include "runtime/turns.h"
#include "runtime/workspace.h"

namespace receptive {
namespace {

// About 40 µs at 2.6 GHz: longer than the JavaScript between two eager ops (5 to 20 µs), shorter than
// anything a neighbour on the machine would notice.
constexpr int kSpins = 1000;

// The gate of a job, in one word, so that a worker that lags cannot pair an old job with a new team: which
// job it is, whether it is closed, how many workers may enter, how many have.
constexpr int kJobShift = 32, kTeamShift = 16;
constexpr std::uint64_t kClosed = std::uint64_t{1} << 31, kCountMask = (std::uint64_t{1} << 15) - 1;
static_assert(static_cast<std::uint64_t>(kMaxThreads) <= kCountMask, "a team must fit into the gate");

// How many tasks were taken from either end, in one word.
constexpr std::uint64_t kFront = 1, kBack = std::uint64_t{1} << 32;
// More tasks than this would not fit; each thread may count one too many.
constexpr std::int64_t kMaxTasks = (std::int64_t{1} << 32) - 1 - kMaxThreads;

struct Job {
  TaskFunction function = nullptr;
  const void* context = nullptr;
  std::int64_t count = 0;
};

// How many threads the caller's job may have: those that no other plan computes with.
int threads_of_caller() {
  const int limit = thread_limit(), left = std::max(1, num_threads() - turns_of_others());
  return limit > 0 && limit < left ? limit : left;
}

class ThreadPool {
 public:
  explicit ThreadPool(bool background) : background_(background) {}

  void run(const Job& job) {
    const int threads = threads_of_caller();
    // One job at a time. A second caller does not wait for the first: it does its own work itself. The bits
    // are the same either way, since the split into tasks does not depend on who runs them.
    if (threads == 1 || job.count <= 1 || job.count > kMaxTasks || !busy_.try_lock()) return run_here(job);
    const int helpers = start_workers(threads - 1);
    job_ = job;
    taken_.store(0, std::memory_order_relaxed);
    left_.store(0, std::memory_order_relaxed);
    resting_.store(false, std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(sleep_mutex_);
      generation_ += 1;
      gate_.store(generation_ << kJobShift | static_cast<std::uint64_t>(helpers) << kTeamShift,
                  std::memory_order_release);
    }
    if (sleepers_.load(std::memory_order_acquire) > 0) wake_.notify_all();
    take_tasks(kFront);
    // Whoever has not entered by now is not waited for: waking a worker takes longer than a small job.
    const int entered = static_cast<int>(gate_.fetch_or(kClosed, std::memory_order_acq_rel) & kCountMask);
    for (int spins = 0; left_.load(std::memory_order_acquire) != entered; ++spins) {
      if (spins < kSpins) {
        pause_cpu();
      } else if (background_) {
        std::this_thread::sleep_for(std::chrono::microseconds(30));  // the worker may be giving way
      } else {
        std::this_thread::yield();  // more threads than cores: let the worker that is behind run
      }
    }
    const bool failed = out_of_memory_.exchange(false, std::memory_order_relaxed);
    busy_.unlock();
    if (failed) throw std::bad_alloc();
  }

  void rest() { resting_.store(true, std::memory_order_relaxed); }

 private:
  void run_here(const Job& job) const {
    for (std::int64_t task = 0; task < job.count; ++task) {
      if (background_) give_way();
      job.function(job.context, task);
    }
  }

  // Tasks from one end, kFront or kBack, as long as there are any.
  void take_tasks(std::uint64_t end) {
    for (;;) {
      const std::uint64_t taken = taken_.fetch_add(end, std::memory_order_relaxed);
      const auto front = static_cast<std::int64_t>(taken % kBack);
      const auto back = static_cast<std::int64_t>(taken / kBack);
      if (front + back >= job_.count) return;
      const std::int64_t task = end == kFront ? front : job_.count - 1 - back;
      if (background_) give_way();
      // A task can only fail for want of memory; the exception must not leave the thread, so the caller
      // throws it.
      try {
        job_.function(job_.context, task);
      } catch (const std::bad_alloc&) {
        out_of_memory_.store(true, std::memory_order_relaxed);
      }
    }
  }

  // How many of `count` workers there are: fewer where the system refuses more threads. Only with busy_ held.
  int start_workers(int count) {
    try {
      for (; workers_ < count; ++workers_) {
        Scratch* const scratch = spare_scratch_ == nullptr ? scratch_for_worker() : spare_scratch_;
        spare_scratch_ = scratch;
        std::thread([this, scratch, number = workers_, seen = gate_.load() >> kJobShift] {
          use_scratch(scratch);
          work(number, seen);
        }).detach();
        spare_scratch_ = nullptr;
      }
    } catch (const std::exception&) {  // also a want of memory: busy_ is held, nothing may be thrown
    }
    return std::min(workers_, count);
  }

  // Enters the job behind the gate; false if it is closed or its team complete. `seen` becomes that job
  // either way.
  bool enter(std::uint64_t* seen) {
    std::uint64_t gate = gate_.load(std::memory_order_acquire);
    *seen = gate >> kJobShift;
    while ((gate & kClosed) == 0 && (gate & kCountMask) < (gate >> kTeamShift & kCountMask)) {
      if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel)) return true;
      if (gate >> kJobShift != *seen) return false;  // the next job: come back for it
    }
    return false;
  }

  bool is_news(std::uint64_t seen) const {
    return gate_.load(std::memory_order_acquire) >> kJobShift != seen;
  }

  void work(int number, std::uint64_t seen) {
    FlushDenormals flush;
    if (background_) lower_thread_priority();
    for (;;) {
      for (int spins = 0; !is_news(seen) && spins < kSpins && !resting_.load(std::memory_order_relaxed);
           ++spins)
        pause_cpu();
      if (!is_news(seen)) {
        std::unique_lock<std::mutex> lock(sleep_mutex_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return is_news(seen); });
        sleepers_.fetch_sub(1);
      }
      if (!enter(&seen)) continue;
      take_tasks(number % 2 == 0 ? kBack : kFront);
      left_.fetch_add(1, std::memory_order_release);
    }
  }

  const bool background_;
  std::mutex busy_;
  int workers_ = 0;
  Scratch* spare_scratch_ = nullptr;  // of a worker that the system refused
  Job job_;
  alignas(128) std::atomic<std::uint64_t> taken_{0};  // kFront and kBack for each task
  alignas(128) std::atomic<int> left_{0};             // workers that entered this job and are through
  alignas(128) std::atomic<std::uint64_t> gate_{kClosed};
  std::uint64_t generation_ = 0;
  std::atomic<int> sleepers_{0};
  std::atomic<bool> out_of_memory_{false};
  std::atomic<bool> resting_{false};
  std::mutex sleep_mutex_;
  std::condition_variable wake_;
};

thread_local int limit_of_thread = 0;

std::atomic<int> threads_in_use{0};  // 0 before the first question

// The background has workers of its own, which run at a lower priority and give way between two tasks: a
// prediction never finds the workers held by a training.
ThreadPool& pool(bool background) {
  static ThreadPool* const pools[] = {new ThreadPool(false), new ThreadPool(true)};
  return *pools[background ? 1 : 0];
}

}  // namespace

int thread_limit() { return limit_of_thread; }
void set_thread_limit(int threads) { limit_of_thread = threads; }

int default_num_threads() { return cpu_budget(); }

int num_threads() {
  int count = threads_in_use.load(std::memory_order_relaxed);
  if (count == 0) {
    count = default_num_threads();
    threads_in_use.store(count, std::memory_order_relaxed);
  }
  return count;
}

void set_num_threads(int count) { threads_in_use.store(count, std::memory_order_relaxed); }

void rest_workers() { pool(in_background()).rest(); }

void parallel_for_raw(std::int64_t count, TaskFunction function, const void* context) {
  pool(in_background()).run({function, context, count});
}

}  // namespace receptive
