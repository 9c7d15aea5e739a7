// SPDX-License-Identifier: Apache-2.0
// For the length of a scope, how many threads a parallel_for of the calling thread may use: a training that
// leaves a core to the event loop. Results do not depend on it.
#pragma once

namespace receptive {

// The limit of the calling thread; 0 where there is none.
int thread_limit();
void set_thread_limit(int threads);

class ThreadLimit {
 public:
  explicit ThreadLimit(int threads) : before_(thread_limit()) { set_thread_limit(threads); }
  ~ThreadLimit() { set_thread_limit(before_); }
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int before_;
};

}  // namespace receptive
