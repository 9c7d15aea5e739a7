// SPDX-License-Identifier: Apache-2.0
// A thread that replays a plan. It waits between two runs instead of ending, and so keeps its scratch memory:
// a plan that has run once allocates nothing more, however its steps are divided into runs. Where runs follow
// each other closely it looks out for the next one for some 40 µs before it sleeps.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace receptive::plan {

class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver() { end(); }

  // Runs `work` on the thread, which begins with the first. What was given before must be over. `alert`:
  // whether the thread may spin for a moment when the work is done, because more may come.
  void start(std::function<void()> work, bool alert);
  // Waits for the work under way and ends the thread; a later start begins another.
  void end();

 private:
  void loop();
  void look_out() const;

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::function<void()> work_;
  bool ending_ = false, alert_ = false, sleeps_ = false;
  std::atomic<bool> called_{false};  // there is work, or the end
};

}  // namespace receptive::plan
