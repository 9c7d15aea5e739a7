// SPDX-License-Identifier: Apache-2.0
// What one JavaScript environment (the main thread or a worker) owns: its tensors and its instruction
// buffers. Freed with the environment; only the thread pool and the memory cache are shared.
#pragma once

#include <napi.h>

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "runtime/tensor_table.h"

namespace receptive::binding {

class RunningPlan;

struct Environment {
  TensorTable tensors;
  // TypeScript writes an instruction's operands here and then calls run(): no value is converted on the hot
  // path.
  Napi::Reference<Napi::Int32Array> handles_array;
  Napi::Reference<Napi::Float64Array> params_array;
  std::int32_t* handles = nullptr;
  double* params = nullptr;
  int handles_length = 0, params_length = 0;
  std::vector<RunningPlan*> running_plans;
  std::int64_t reported_bytes = 0;  // tensor bytes that V8's garbage collector knows of

  // Tells V8 how much native memory hangs on its objects, so that it collects in time; in steps, because each
  // call costs more than an allocation from the cache.
  void report_memory(Napi::Env env);
};

inline Environment& environment(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

// The error object for a refusal, in the shape that lib/native/bindings.ts expects: { code, expected,
// received }.
[[noreturn]] void throw_refusal(Napi::Env env, const char* code, const std::string& expected,
                                const std::string& received);

// Runs `body`. What the system refuses it, memory above all, becomes an error with a code.
template <typename Body>
void guarded(Napi::Env env, const Body& body) {
  try {
    body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw_refusal(env, "ERR_OUT_OF_MEMORY", "what the call needs of the system", error.what());
  }
}

// Arguments as they should be; a refusal for anything else. As<>() alone would end the process in its type
// check.
double number_argument(const Napi::CallbackInfo& info, std::size_t index);
int handle_argument(const Napi::CallbackInfo& info, std::size_t index);  // -1 for what is no handle
Napi::TypedArray array_argument(const Napi::CallbackInfo& info, std::size_t index);

// The typed arrays of a list, up to the first value that is none. Reading them may run JavaScript.
std::vector<Napi::TypedArray> arrays_argument(const Napi::CallbackInfo& info, std::size_t index);

// Whether elements of a typed array are those of a dtype.
bool is_array_of(napi_typedarray_type type, Dtype dtype);

// Each file of this folder adds its functions to the export table.
void export_tensors(Napi::Env env, Napi::Object exports);
void export_run(Napi::Env env, Napi::Object exports);
void export_runtime(Napi::Env env, Napi::Object exports);
void export_plan(Napi::Env env, Napi::Object exports);
void export_step_copies(Napi::Env env, Napi::Object exports);

}  // namespace receptive::binding
