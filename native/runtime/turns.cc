// SPDX-License-Identifier: Apache-2.0
#include "runtime/turns.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#include <time.h>

#include "runtime/thread_pool.h"

namespace receptive {
namespace {

using std::chrono::milliseconds;

// Plans that wait take over at this interval: long against what a change costs (about 20 µs), short for
// people.
constexpr milliseconds kSlice{5};
// Nobody tells a waiting plan that it was stopped, or that there are more threads now: it looks.
constexpr milliseconds kLook{10};
// A prediction is a row of short instructions with JavaScript between them: so long is it not over.
constexpr std::int64_t kPauseBetweenInstructions = 500;  // µs
constexpr std::chrono::microseconds kPoll{300};
// The background's own time, where the foreground never ends: of each period, so much.
constexpr std::int64_t kPeriod = 100'000, kBackgroundTime = 5'000;  // µs
// A plan rests when it owes so many ms, and cannot save up more than so many.
constexpr double kOwedAtMost = 5, kSavedAtMost = 20;
constexpr int kBackgroundNice = 10;

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double thread_cpu_ms() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

std::atomic<int> background_plans{0}, foreground_work{0}, hurries{0};
std::atomic<std::int64_t> foreground_ended{0};  // µs

void begin_foreground() { foreground_work.fetch_add(1); }
void end_foreground() {
  foreground_ended.store(now_us(), std::memory_order_relaxed);
  foreground_work.fetch_sub(1);
}

// Seats for as many plans as there are threads, and a line of those that wait: first come, first served.
class Lane {
 public:
  // False where `stop` was set before there was a seat.
  bool sit(const std::atomic<bool>& stop) {
    Waiter self;
    std::unique_lock<std::mutex> lock(mutex_);
    *(first_ == nullptr ? &first_ : &last_->next) = &self;
    last_ = &self;
    waiting_ += 1;
    while (!(first_ == &self && taken_ < num_threads())) {
      if (stop.load(std::memory_order_relaxed)) {
        leave(&self);
        return false;
      }
      self.wake.wait_for(lock, kLook);
    }
    taken_ += 1;
    leave(&self);
    return true;
  }

  void stand() {
    std::lock_guard<std::mutex> lock(mutex_);
    taken_ -= 1;
    if (first_ != nullptr) first_->wake.notify_one();
  }

  int taken() const { return taken_.load(std::memory_order_relaxed); }
  bool is_awaited() const { return waiting_.load(std::memory_order_relaxed) > 0; }

 private:
  struct Waiter {
    std::condition_variable wake;
    Waiter* next = nullptr;
  };

  // Takes a waiter out of the line; whoever is first now may find a seat, too.
  void leave(Waiter* waiter) {
    Waiter* before = nullptr;
    for (Waiter* other = first_; other != waiter; other = other->next) before = other;
    (before == nullptr ? first_ : before->next) = waiter->next;
    if (last_ == waiter) last_ = before;
    waiting_ -= 1;
    if (first_ != nullptr) first_->wake.notify_one();
  }

  std::mutex mutex_;
  Waiter *first_ = nullptr, *last_ = nullptr;
  std::atomic<int> taken_{0}, waiting_{0};
};

// Never destroyed, as the pool: threads may still use it when the process ends.
Lane& lane(bool background) {
  static Lane* const lanes = new Lane[2];
  return lanes[background ? 1 : 0];
}

thread_local bool background_thread = false, seated_thread = false;

bool foreground_goes_first() {
  if (hurries.load(std::memory_order_relaxed) > 0) return false;
  const std::int64_t now = now_us();
  const bool computes = foreground_work.load(std::memory_order_relaxed) > 0 ||
                        now - foreground_ended.load(std::memory_order_relaxed) < kPauseBetweenInstructions;
  return computes && now % kPeriod >= kBackgroundTime;
}

}  // namespace

Turn::Turn(const Manners& manners, const std::atomic<bool>* stop, double* owed)
    : manners_(manners), stop_(stop), owed_(owed), noted_(Clock::now()), cpu_noted_(thread_cpu_ms()) {
  background_thread = manners_.background;
  if (manners_.background) {
    background_plans.fetch_add(1);
    if (manners_.queues) lower_thread_priority();
  }
  begin();
}

Turn::~Turn() {
  end();
  if (manners_.background) background_plans.fetch_sub(1);
  background_thread = false;
}

void Turn::begin() {
  if (manners_.queues) seated_ = lane(manners_.background).sit(*stop_);
  seated_thread = seated_;
  if (!manners_.background) begin_foreground();
  since_ = Clock::now();
}

void Turn::end() {
  if (!manners_.background) end_foreground();
  if (seated_) lane(manners_.background).stand();
  seated_ = seated_thread = false;
}

void Turn::between_steps() {
  if (!seated_ || !lane(manners_.background).is_awaited() || Clock::now() - since_ < kSlice) return;
  end();
  begin();
}

void Turn::keep_to_share() {
  const auto keep_account = [this] {
    const Clock::time_point now = Clock::now();
    const double cpu = thread_cpu_ms();
    const double passed = std::chrono::duration<double, std::milli>(now - noted_).count();
    *owed_ = std::max(*owed_ + (cpu - cpu_noted_) / manners_.cpu_share - passed, -kSavedAtMost);
    noted_ = now;
    cpu_noted_ = cpu;
  };
  keep_account();
  if (*owed_ < kOwedAtMost) return;
  end();
  while (*owed_ > 0 && !stop_->load(std::memory_order_relaxed)) {
    std::this_thread::sleep_for(std::min(std::chrono::duration<double, std::milli>(*owed_),
                                         std::chrono::duration<double, std::milli>(kLook)));
    keep_account();
  }
  begin();
}

ForegroundWork::ForegroundWork() : counted_(background_plans.load(std::memory_order_relaxed) > 0) {
  if (counted_) begin_foreground();
}

ForegroundWork::~ForegroundWork() {
  if (counted_) end_foreground();
}

Hurry::Hurry() { hurries.fetch_add(1); }
Hurry::~Hurry() { hurries.fetch_sub(1); }

bool in_background() { return background_thread; }

int turns_of_others() { return lane(background_thread).taken() - (seated_thread ? 1 : 0); }

void give_way() {
  while (foreground_goes_first()) std::this_thread::sleep_for(kPoll);
}

void lower_thread_priority() {
#if defined(__linux__)
  // May be refused, and then it is as before.
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kBackgroundNice);
#endif
}

}  // namespace receptive
