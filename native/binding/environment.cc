// SPDX-License-Identifier: Apache-2.0
#include "binding/environment.h"

#include <cmath>
#include <cstdlib>
#include <limits>

namespace receptive::binding {

void Environment::report_memory(Napi::Env env) {
  constexpr std::int64_t kStep = 1 << 20;
  const std::int64_t change = tensors.live_bytes() - reported_bytes;
  if (std::llabs(change) < kStep) return;
  Napi::MemoryManagement::AdjustExternalMemory(env, change);
  reported_bytes += change;
}

void throw_refusal(Napi::Env env, const char* code, const std::string& expected,
                   const std::string& received) {
  Napi::Error error = Napi::Error::New(env, "expected " + expected + ", received " + received);
  error.Set("code", Napi::String::New(env, code));
  error.Set("expected", Napi::String::New(env, expected));
  error.Set("received", Napi::String::New(env, received));
  throw error;
}

double number_argument(const Napi::CallbackInfo& info, std::size_t index) {
  if (info[index].IsNumber()) return info[index].As<Napi::Number>().DoubleValue();
  throw_refusal(info.Env(), "ERR_ARGUMENT", "a number for argument " + std::to_string(index),
                "another kind of value");
}

int handle_argument(const Napi::CallbackInfo& info, std::size_t index) {
  const double value = number_argument(info, index);
  const bool fits = value >= 0 && value <= std::numeric_limits<int>::max() && value == std::floor(value);
  return fits ? static_cast<int>(value) : -1;
}

Napi::TypedArray array_argument(const Napi::CallbackInfo& info, std::size_t index) {
  if (info[index].IsTypedArray()) return info[index].As<Napi::TypedArray>();
  throw_refusal(info.Env(), "ERR_DTYPE", "a typed array", "another kind of value");
}

}  // namespace receptive::binding
