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

  // On JavaScript's thread; the handles have been checked. The tensors stay until `take_made`.
  void add(TensorTable* tensors, const Pairs& pairs, Napi::Function done);

  // On the driver's thread, between two steps.
  bool due() const { return due_.load(std::memory_order_acquire); }
  void make();

  struct Request {
    std::vector<std::pair<Buffer, Buffer>> buffers;
    Pairs pairs;
    Napi::FunctionReference done;
    bool made = false;
  };
  using Requests = std::vector<std::unique_ptr<Request>>;

  // On JavaScript's thread: lets go of the tensors of the copies that were made, and says which those are.
  Requests take_made(TensorTable* tensors);
  // Calls their `done`, which must not throw.
  static void tell(const Requests& made);

 private:
  std::mutex mutex_;
  Requests requests_;
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
