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

std::vector<Napi::TypedArray> arrays_argument(const Napi::CallbackInfo& info, std::size_t index) {
  std::vector<Napi::TypedArray> arrays;
  const std::uint32_t length = info[index].IsArray() ? info[index].As<Napi::Array>().Length() : 0;
  for (std::uint32_t i = 0; i < length; ++i) {
    const Napi::Value value = info[index].As<Napi::Array>()[i];
    if (!value.IsTypedArray()) break;
    arrays.push_back(value.As<Napi::TypedArray>());
  }
  return arrays;
}

bool is_array_of(napi_typedarray_type type, Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return type == napi_float32_array;
    case Dtype::kFloat64:
      return type == napi_float64_array;
    case Dtype::kInt32:
      return type == napi_int32_array;
    case Dtype::kUint8:
      return type == napi_uint8_array || type == napi_uint8_clamped_array;
  }
  return false;
}

}  // namespace receptive::binding
