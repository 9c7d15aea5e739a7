// SPDX-License-Identifier: Apache-2.0
#include "binding/environment.h"

#include <cstdlib>

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

}  // namespace receptive::binding
