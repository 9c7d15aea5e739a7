// SPDX-License-Identifier: Apache-2.0
// The instruction set and threads in use, and the probe that says what the machine could do at best.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>

#include "binding/environment.h"
#include "kernels/select.h"
#include "runtime/aligned_buffer.h"
#include "runtime/parallel_for.h"
#include "runtime/thread_limit.h"
#include "runtime/thread_pool.h"

namespace receptive::binding {
namespace {

Napi::Value info_object(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object result = Napi::Object::New(env);
  result.Set("isa", Napi::String::New(env, kernels().isa));
  result.Set("refusedIsa", Napi::String::New(env, refused_isa()));
  Napi::Array supported = Napi::Array::New(env);
  std::uint32_t index = 0;
  for (const std::string& name : supported_isas()) supported.Set(index++, Napi::String::New(env, name));
  result.Set("supportedIsas", supported);
  result.Set("threads", Napi::Number::New(env, num_threads()));
  result.Set("defaultThreads", Napi::Number::New(env, default_num_threads()));
  result.Set("maxThreads", Napi::Number::New(env, kMaxThreads));
  return result;
}

// setThreads(count): false if it is not from 1 to maxThreads
Napi::Value set_threads(const Napi::CallbackInfo& info) {
  const double count = number_argument(info, 0);
  const bool valid = count >= 1 && count <= kMaxThreads && count == static_cast<int>(count);
  if (valid) set_num_threads(static_cast<int>(count));
  return Napi::Boolean::New(info.Env(), valid);
}

Napi::Value set_isa(const Napi::CallbackInfo& info) {
  const bool valid = info[0].IsString() && select_isa(info[0].As<Napi::String>().Utf8Value());
  return Napi::Boolean::New(info.Env(), valid);
}

// peak(milliseconds, threads): GFLOP/s of independent multiply-adds in registers, the best of short rounds
Napi::Value peak(const Napi::CallbackInfo& info) {
  using Clock = std::chrono::steady_clock;
  const double milliseconds = number_argument(info, 0), wished = number_argument(info, 1);
  if (!(milliseconds >= 0 && milliseconds <= 60000 && wished >= 1 && wished <= kMaxThreads)) {
    throw_refusal(info.Env(), "ERR_ARGUMENT",
                  "0 to 60000 milliseconds and 1 to " + std::to_string(kMaxThreads) + " threads",
                  std::to_string(milliseconds) + " and " + std::to_string(wished));
  }
  const auto threads = static_cast<std::int64_t>(wished);
  constexpr std::int64_t kIterations = 100000;
  const GemmKernels& gemm = *kernels().gemm;
  double best = 0;
  const auto end = Clock::now() + std::chrono::duration<double, std::milli>(milliseconds);
  do {
    const auto start = Clock::now();
    parallel_for(threads, [&](std::int64_t) { gemm.fma_loop(kIterations); });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, static_cast<double>(threads * kIterations * gemm.fma_loop_flops) / seconds / 1e9);
  } while (Clock::now() < end);
  return Napi::Number::New(info.Env(), best);
}

// bandwidth(milliseconds, threads): GB/s read and written by copying arrays that no cache holds, the best of
// some rounds
Napi::Value bandwidth(const Napi::CallbackInfo& info) {
  using Clock = std::chrono::steady_clock;
  const double milliseconds = number_argument(info, 0), wished = number_argument(info, 1);
  if (!(milliseconds >= 0 && milliseconds <= 60000 && wished >= 1 && wished <= kMaxThreads)) {
    throw_refusal(info.Env(), "ERR_ARGUMENT",
                  "0 to 60000 milliseconds and 1 to " + std::to_string(kMaxThreads) + " threads",
                  std::to_string(milliseconds) + " and " + std::to_string(wished));
  }
  constexpr std::int64_t kFloats = std::int64_t{16} << 20, kRange = 1 << 16;
  constexpr std::size_t kBytes = kFloats * sizeof(float);
  AlignedBuffer from, to;
  if (from.reserve(kBytes) == nullptr || to.reserve(kBytes) == nullptr)
    throw_refusal(info.Env(), "ERR_OUT_OF_MEMORY", "two arrays of 64 MiB", "none from the system");
  std::memset(from.data(), 0, kBytes);  // pages that were never touched would be timed as well
  std::memset(to.data(), 0, kBytes);
  const ThreadLimit limit(static_cast<int>(wished));
  double best = 0;
  const auto end = Clock::now() + std::chrono::duration<double, std::milli>(milliseconds);
  do {
    const auto start = Clock::now();
    parallel_ranges(kFloats, kRange, [&](std::int64_t begin, std::int64_t stop) {
      kernels().vector->scale(static_cast<float*>(to.data()) + begin,
                              static_cast<const float*>(from.data()) + begin, 1.5f, stop - begin);
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, 2.0 * static_cast<double>(kBytes) / seconds / 1e9);
  } while (Clock::now() < end);
  return Napi::Number::New(info.Env(), best);
}

}  // namespace

void export_runtime(Napi::Env env, Napi::Object exports) {
  exports.Set("info", Napi::Function::New(env, info_object, "info"));
  exports.Set("setThreads", Napi::Function::New(env, set_threads, "setThreads"));
  exports.Set("setIsa", Napi::Function::New(env, set_isa, "setIsa"));
  exports.Set("bandwidth", Napi::Function::New(env, bandwidth, "bandwidth"));
  exports.Set("peak", Napi::Function::New(env, peak, "peak"));
}

}  // namespace receptive::binding
