// SPDX-License-Identifier: Apache-2.0
// Fork-join over a generation counter: the caller publishes a job, workers that see the new generation take
// tasks from an atomic counter, the caller works too and waits until the last worker has left. Workers spin
// for a while before they sleep, because the next job of a training step comes within microseconds.
#include "runtime/thread_pool.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "runtime/cpu_budget.h"
#include "runtime/denormals.h"
#include "runtime/parallel_for.h"
#include "runtime/thread_limit.h"

namespace receptive {
namespace {

// About 40 µs at 2.6 GHz: longer than the JavaScript between two eager ops (5 to 20 µs), shorter than
// anything a neighbour on the machine would notice.
constexpr int kSpins = 1000;

inline void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr std::uint64_t kTeamSize = 1024;
static_assert(kMaxThreads < kTeamSize, "a team must fit beside the generation");

struct Job {
  TaskFunction function = nullptr;
  const void* context = nullptr;
  std::int64_t count = 0;
};

class ThreadPool {
 public:
  void run(const Job& job) {
    const int limit = thread_limit();
    const int threads = limit > 0 && limit < num_threads() ? limit : num_threads();
    // One job at a time. A second environment does not wait for the first: it does its own work itself. The
    // bits are the same either way, since the split into tasks does not depend on who runs them.
    if (threads == 1 || job.count <= 1 || !busy_.try_lock()) return run_here(job);
    start_workers(threads - 1);
    job_ = job;
    next_task_.store(0, std::memory_order_relaxed);
    const int helpers = threads - 1;
    active_.store(helpers, std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(sleep_mutex_);
      generation_ += 1;
      call_.store(generation_ * kTeamSize + static_cast<std::uint64_t>(helpers), std::memory_order_release);
    }
    if (sleepers_.load(std::memory_order_acquire) > 0) wake_.notify_all();
    take_tasks();
    for (int spins = 0; active_.load(std::memory_order_acquire) != 0; ++spins) {
      if (spins < kSpins) {
        pause_cpu();
      } else {
        std::this_thread::yield();  // more threads than cores: let the worker that is behind run
      }
    }
    const bool failed = out_of_memory_.exchange(false, std::memory_order_relaxed);
    busy_.unlock();
    if (failed) throw std::bad_alloc();
  }

  std::atomic<int> threads{0};

 private:
  static void run_here(const Job& job) {
    for (std::int64_t task = 0; task < job.count; ++task) job.function(job.context, task);
  }

  void take_tasks() {
    for (;;) {
      const std::int64_t task = next_task_.fetch_add(1, std::memory_order_relaxed);
      if (task >= job_.count) return;
      // A task can only fail for want of memory; the exception must not leave the thread, so the caller
      // throws it.
      try {
        job_.function(job_.context, task);
      } catch (const std::bad_alloc&) {
        out_of_memory_.store(true, std::memory_order_relaxed);
      }
    }
  }

  void start_workers(int count) {  // only with busy_ held
    while (static_cast<int>(workers_.size()) < count) {
      const int index = static_cast<int>(workers_.size());
      workers_.emplace_back([this, index, seen = call_.load()] { work(index, seen); });
      workers_.back().detach();
    }
  }

  void work(int index, std::uint64_t seen) {
    FlushDenormals flush;
    for (;;) {
      for (int spins = 0; call_.load(std::memory_order_acquire) == seen && spins < kSpins; ++spins)
        pause_cpu();
      if (call_.load(std::memory_order_acquire) == seen) {
        std::unique_lock<std::mutex> lock(sleep_mutex_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return call_.load(std::memory_order_acquire) != seen; });
        sleepers_.fetch_sub(1);
      }
      // A worker beyond the job's team only notes the call; it may lag by several, the team never does, since
      // the next job starts when the whole team has left this one. Generation and team size travel in one
      // word for that reason: a laggard must not pair an old generation with a new team.
      seen = call_.load(std::memory_order_acquire);
      if (static_cast<std::uint64_t>(index) >= seen % kTeamSize) continue;
      take_tasks();
      active_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex busy_;
  std::vector<std::thread> workers_;
  Job job_;
  alignas(128) std::atomic<std::int64_t> next_task_{0};
  alignas(128) std::atomic<int> active_{0};
  alignas(128) std::atomic<std::uint64_t> call_{0};  // generation * kTeamSize + workers called
  std::uint64_t generation_ = 0;
  std::atomic<int> sleepers_{0};
  std::atomic<bool> out_of_memory_{false};
  std::mutex sleep_mutex_;
  std::condition_variable wake_;
};

thread_local int limit_of_thread = 0;

ThreadPool& pool() {
  static ThreadPool* const resident = new ThreadPool;
  return *resident;
}

}  // namespace

int thread_limit() { return limit_of_thread; }
void set_thread_limit(int threads) { limit_of_thread = threads; }

int default_num_threads() { return cpu_budget(); }

int num_threads() {
  int count = pool().threads.load(std::memory_order_relaxed);
  if (count == 0) {
    count = default_num_threads();
    pool().threads.store(count, std::memory_order_relaxed);
  }
  return count;
}

void set_num_threads(int count) { pool().threads.store(count, std::memory_order_relaxed); }

void parallel_for_raw(std::int64_t count, TaskFunction function, const void* context) {
  pool().run({function, context, count});
}

}  // namespace receptive
