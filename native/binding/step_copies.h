// SPDX-License-Identifier: Apache-2.0
// Copies of tensors that a replay writes, made between two of its steps, so that they hold the values of one
// moment. JavaScript's thread asks, the driver's thread copies, JavaScript's thread tells that it was done.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/tensor_table.h"

namespace receptive::binding {

class StepCopies {
 public:
  using Pairs = std::vector<std::pair<int, int>>;  // handles: from, to

  // On JavaScript's thread; the handles have been checked. The tensors stay until `settle`.
  void add(TensorTable* tensors, const Pairs& pairs, Napi::Function done);

  // On the driver's thread, between two steps.
  bool due() const { return due_.load(std::memory_order_acquire); }
  void make();

  // On JavaScript's thread: calls `done` for the copies that were made.
  void settle(Napi::Env env);

 private:
  struct Request {
    std::vector<std::pair<Buffer, Buffer>> buffers;
    Pairs pairs;
    Napi::FunctionReference done;
    bool made = false;
  };

  std::mutex mutex_;
  std::vector<std::unique_ptr<Request>> requests_;
  std::atomic<bool> due_{false};
};

// A plan whose steps are under way, as its environment sees it.
class RunningPlan {
 public:
  virtual bool writes(int handle) const = 0;
  virtual StepCopies& copies() = 0;

 protected:
  ~RunningPlan() = default;
};

}  // namespace receptive::binding
