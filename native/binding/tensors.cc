// SPDX-License-Identifier: Apache-2.0
// Tensor storage: allocate, free, copy in and out, and what it all takes.
#include <cstring>
#include <string>

#include "binding/environment.h"
#include "plan/execute.h"
#include "runtime/aligned_buffer.h"
#include "runtime/block_cache.h"
#include "runtime/workspace.h"

namespace receptive::binding {
namespace {

// allocate(elements, dtype): a handle, or -1 when there is no memory
Napi::Value allocate(const Napi::CallbackInfo& info) {
  Environment& environment = binding::environment(info.Env());
  const double size = number_argument(info, 0);
  const int dtype = handle_argument(info, 1);
  const bool valid = size >= 0 && size <= 0x1p53 && dtype >= 0 && dtype <= 3;
  const int handle =
      valid ? environment.tensors.allocate(static_cast<std::int64_t>(size), static_cast<Dtype>(dtype)) : -1;
  environment.report_memory(info.Env());
  return Napi::Number::New(info.Env(), handle);
}

// free(handle): true if it was alive
Napi::Value free_tensor(const Napi::CallbackInfo& info) {
  Environment& environment = binding::environment(info.Env());
  const bool was_alive = environment.tensors.free(handle_argument(info, 0));
  environment.report_memory(info.Env());
  return Napi::Boolean::New(info.Env(), was_alive);
}

struct Transfer {
  void* tensor;
  void* array;
  std::size_t bytes;
};

// Arguments (handle, typed array, first element of the tensor): checks that the array's elements fit there.
Transfer check_transfer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Buffer* buffer = environment(env).tensors.find(handle_argument(info, 0));
  if (buffer == nullptr) throw_refusal(env, "ERR_DISPOSED", "a live tensor", "one that was disposed");
  const Napi::TypedArray array = array_argument(info, 1);
  if (!is_array_of(array.TypedArrayType(), buffer->dtype)) {
    throw_refusal(env, "ERR_DTYPE", "a typed array of the tensor's dtype", "another kind of array");
  }
  // A detached array tells length 0 and data nullptr.
  const std::int64_t count = static_cast<std::int64_t>(array.ElementLength());
  const std::int64_t first = handle_argument(info, 2);
  if (first < 0 || first > buffer->size || count > buffer->size - first) {
    throw_refusal(env, "ERR_SHAPE", "elements within a tensor of " + std::to_string(buffer->size),
                  std::to_string(count) + " from element " + std::to_string(first));
  }
  void* data = nullptr;
  napi_get_typedarray_info(env, array, nullptr, nullptr, &data, nullptr, nullptr);
  if (data == nullptr && count > 0)
    throw_refusal(env, "ERR_ARGUMENT", "an attached typed array", "a detached one");
  const std::size_t element = dtype_bytes(buffer->dtype);
  return {static_cast<char*>(buffer->data) + static_cast<std::size_t>(first) * element, data,
          static_cast<std::size_t>(count) * element};
}

void write(const Napi::CallbackInfo& info) {
  const Transfer transfer = check_transfer(info);
  if (!environment(info.Env()).tensors.may_write(handle_argument(info, 0)))
    throw_refusal(info.Env(), "ERR_BUSY", plan::kAtRest, plan::kInUse);
  environment(info.Env()).tensors.touch(handle_argument(info, 0));
  if (transfer.bytes > 0) std::memcpy(transfer.tensor, transfer.array, transfer.bytes);
}

// isAtRest(handle): whether it may be written, as far as running plans are concerned
Napi::Value is_at_rest(const Napi::CallbackInfo& info) {
  const TensorTable& tensors = environment(info.Env()).tensors;
  const int handle = handle_argument(info, 0);
  return Napi::Boolean::New(info.Env(), tensors.find(handle) == nullptr || tensors.may_write(handle));
}

void read(const Napi::CallbackInfo& info) {
  const Transfer transfer = check_transfer(info);
  if (transfer.bytes > 0) std::memcpy(transfer.array, transfer.tensor, transfer.bytes);
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const TensorTable& tensors = environment(env).tensors;
  Napi::Object result = Napi::Object::New(env);
  const auto set = [&](const char* name, double value) { result.Set(name, Napi::Number::New(env, value)); };
  set("tensors", static_cast<double>(tensors.live_handles()));
  set("bytes", static_cast<double>(tensors.live_bytes()));
  set("peakBytes", static_cast<double>(tensors.peak_bytes()));
  set("cachedBytes", static_cast<double>(block_cached_bytes()));
  set("workspaceBytes", static_cast<double>(workspace_total_bytes()));
  set("heldBytes", static_cast<double>(held_bytes.load(std::memory_order_relaxed)));
  set("allocations", static_cast<double>(allocation_count.load(std::memory_order_relaxed)));
  return result;
}

void reset_peak(const Napi::CallbackInfo& info) { environment(info.Env()).tensors.reset_peak(); }

void trim(const Napi::CallbackInfo&) { block_trim(); }

}  // namespace

void export_tensors(Napi::Env env, Napi::Object exports) {
  exports.Set("allocate", Napi::Function::New(env, allocate, "allocate"));
  exports.Set("free", Napi::Function::New(env, free_tensor, "free"));
  exports.Set("write", Napi::Function::New(env, write, "write"));
  exports.Set("isAtRest", Napi::Function::New(env, is_at_rest, "isAtRest"));
  exports.Set("read", Napi::Function::New(env, read, "read"));
  exports.Set("memory", Napi::Function::New(env, memory, "memory"));
  exports.Set("resetPeak", Napi::Function::New(env, reset_peak, "resetPeak"));
  exports.Set("trim", Napi::Function::New(env, trim, "trim"));
}

}  // namespace receptive::binding
