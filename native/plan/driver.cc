// SPDX-License-Identifier: Apache-2.0
#include "plan/driver.h"

#include <utility>

#include "runtime/pause_cpu.h"
#include "runtime/thread_pool.h"

namespace receptive::plan {
namespace {

// About 40 µs at 2.6 GHz: the JavaScript between the end of a step that was awaited and the next run takes 5
// to 20. Waking a thread that sleeps costs 8 µs of JavaScript's time and takes another 3 to 35.
constexpr int kSpins = 1000;

// Not on the one core that JavaScript runs on, too.
bool has_core_to_spin() {
  static const bool several = default_num_threads() > 1;
  return several;
}

}  // namespace

void Driver::start(std::function<void()> work, bool alert) {
  bool sleeps = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    work_ = std::move(work);
    alert_ = alert;
    called_.store(true, std::memory_order_release);
    sleeps = sleeps_;
  }
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { loop(); });
  } else if (sleeps) {
    wake_.notify_one();
  }
}

void Driver::end() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
    called_.store(true, std::memory_order_release);
  }
  wake_.notify_one();
  thread_.join();
  ending_ = false;
}

void Driver::look_out() const {
  for (int spins = 0; spins < kSpins && !called_.load(std::memory_order_acquire); ++spins) pause_cpu();
}

void Driver::loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    sleeps_ = true;
    wake_.wait(lock, [this] { return work_ != nullptr || ending_; });
    sleeps_ = false;
    if (work_ == nullptr) return;
    const std::function<void()> work = std::exchange(work_, nullptr);
    const bool alert = alert_;
    called_.store(false, std::memory_order_relaxed);
    lock.unlock();
    work();
    if (alert && has_core_to_spin()) look_out();
    lock.lock();
  }
}

}  // namespace receptive::plan
