// SPDX-License-Identifier: Apache-2.0
#include "binding/step_copies.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "binding/environment.h"
#include "plan/execute.h"

namespace receptive::binding {
namespace {

void copy(const Buffer& from, const Buffer& to) {
  std::memmove(to.data, from.data, static_cast<std::size_t>(from.size) * dtype_bytes(from.dtype));
}

StepCopies::Pairs checked_pairs(const Napi::CallbackInfo& info, const TensorTable& tensors) {
  const Napi::TypedArray given = array_argument(info, 0);
  if (given.TypedArrayType() != napi_int32_array || given.ElementLength() % 2 != 0)
    throw_refusal(info.Env(), "ERR_DTYPE", "an Int32Array of pairs of handles", "another array");
  const std::int32_t* handles = given.As<Napi::Int32Array>().Data();
  StepCopies::Pairs pairs;
  for (std::size_t i = 0; i < given.ElementLength(); i += 2) {
    const Buffer *from = tensors.find(handles[i]), *to = tensors.find(handles[i + 1]);
    if (from == nullptr || to == nullptr)
      throw_refusal(info.Env(), "ERR_DISPOSED", "live tensors", "one that was disposed");
    if (from->size != to->size || from->dtype != to->dtype)
      throw_refusal(info.Env(), "ERR_SHAPE", "copies of the size and dtype of the tensors", "others");
    if (!tensors.may_write(handles[i + 1]))
      throw_refusal(info.Env(), "ERR_BUSY", plan::kAtRest, plan::kInUse);
    pairs.emplace_back(handles[i], handles[i + 1]);
  }
  return pairs;
}

// copyBetweenSteps(pairs, done): copies each first tensor of the pairs into the second. False if that is
// done; true where a running plan writes one of them: it copies between two steps, and `done` is called then.
Napi::Value copy_between_steps(const Napi::CallbackInfo& info) {
  Environment& environment = binding::environment(info.Env());
  const StepCopies::Pairs pairs = checked_pairs(info, environment.tensors);
  if (!info[1].IsFunction())
    throw_refusal(info.Env(), "ERR_ARGUMENT", "a function for argument 1", "another kind of value");
  for (RunningPlan* plan : environment.running_plans) {
    const bool is_writer =
        std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) { return plan->writes(pair.first); });
    if (!is_writer) continue;
    plan->copies().add(&environment.tensors, pairs, info[1].As<Napi::Function>());
    return Napi::Boolean::New(info.Env(), true);
  }
  for (const auto& pair : pairs) {
    copy(*environment.tensors.find(pair.first), *environment.tensors.find(pair.second));
    environment.tensors.touch(pair.second);
  }
  return Napi::Boolean::New(info.Env(), false);
}

}  // namespace

void StepCopies::add(TensorTable* tensors, const Pairs& pairs, Napi::Function done) {
  auto request = std::make_unique<Request>();
  for (const auto& pair : pairs)
    request->buffers.emplace_back(*tensors->find(pair.first), *tensors->find(pair.second));
  request->pairs = pairs;
  request->done = Napi::Persistent(done);
  std::lock_guard<std::mutex> lock(mutex_);
  requests_.push_back(std::move(request));
  for (const auto& pair : pairs) {
    tensors->pin(pair.first, TensorTable::Use::kRead);
    tensors->pin(pair.second, TensorTable::Use::kWrite);
  }
  due_.store(true, std::memory_order_release);
}

void StepCopies::make() {
  std::lock_guard<std::mutex> lock(mutex_);
  due_.store(false, std::memory_order_relaxed);
  for (const auto& request : requests_) {
    if (request->made) continue;
    for (const auto& buffers : request->buffers) copy(buffers.first, buffers.second);
    request->made = true;
  }
}

StepCopies::Requests StepCopies::take_made(TensorTable* tensors) {
  Requests made;
  std::lock_guard<std::mutex> lock(mutex_);
  made.reserve(requests_.size());
  for (auto& request : requests_) {
    if (request->made) made.push_back(std::move(request));
  }
  requests_.erase(std::remove(requests_.begin(), requests_.end(), nullptr), requests_.end());
  for (const auto& request : made) {
    for (const auto& pair : request->pairs) {
      tensors->unpin(pair.first, TensorTable::Use::kRead);
      tensors->unpin(pair.second, TensorTable::Use::kWrite);
    }
  }
  return made;
}

void StepCopies::tell(const Requests& made) {
  for (const auto& request : made) request->done.Call({});
}

void export_step_copies(Napi::Env env, Napi::Object exports) {
  exports.Set("copyBetweenSteps", Napi::Function::New(env, copy_between_steps, "copyBetweenSteps"));
}

}  // namespace receptive::binding
