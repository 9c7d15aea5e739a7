// SPDX-License-Identifier: Apache-2.0
// The hot path: one call per instruction, operands in shared arrays, plain Node-API calls.
#include <exception>
#include <new>
#include <string>

#include "binding/environment.h"
#include "plan/execute.h"

namespace receptive::binding {
namespace {

void attach(const Napi::CallbackInfo& info) {
  Environment& environment = binding::environment(info.Env());
  if (array_argument(info, 0).TypedArrayType() != napi_int32_array ||
      array_argument(info, 1).TypedArrayType() != napi_float64_array) {
    throw_refusal(info.Env(), "ERR_DTYPE", "an Int32Array and a Float64Array", "other kinds of arrays");
  }
  Napi::Int32Array handles = info[0].As<Napi::Int32Array>();
  Napi::Float64Array params = info[1].As<Napi::Float64Array>();
  environment.handles_array = Napi::Persistent(handles);
  environment.params_array = Napi::Persistent(params);
  environment.handles = handles.Data();
  environment.params = params.Data();
  environment.handles_length = static_cast<int>(handles.ElementLength());
  environment.params_length = static_cast<int>(params.ElementLength());
}

int clamp_count(napi_env env, napi_value value, int limit) {
  std::int32_t count = 0;
  napi_get_value_int32(env, value, &count);
  return count < 0 ? 0 : count > limit ? limit : count;
}

// run(opcode, operand count, parameter count); throws an object { code, expected, received } on refusal
napi_value run(napi_env env, napi_callback_info info) {
  std::size_t argument_count = 3;
  napi_value arguments[3];
  napi_get_cb_info(env, info, &argument_count, arguments, nullptr, nullptr);
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  Environment& environment = *static_cast<Environment*>(data);
  std::int32_t opcode = -1;
  napi_get_value_int32(env, arguments[0], &opcode);
  const plan::Instruction instruction = {
      opcode, environment.handles, clamp_count(env, arguments[1], environment.handles_length),
      environment.params, clamp_count(env, arguments[2], environment.params_length)};
  Status status;
  try {
    status = plan::execute(instruction, &environment.tensors);
  } catch (const std::bad_alloc&) {
    status = Status::refuse("ERR_OUT_OF_MEMORY", "enough memory for the operation's workspace", "none left");
  } catch (const std::exception& error) {  // nothing may leave a Node-API callback
    status = Status::refuse("ERR_OUT_OF_MEMORY", "what the operation needs of the system", error.what());
  }
  if (status.ok()) return nullptr;
  try {
    throw_refusal(env, status.code, status.expected, status.received);
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  }
  return nullptr;
}

Napi::Value opcodes(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (int i = 0; i < plan::opcode_count(); ++i) {
    names.Set(static_cast<std::uint32_t>(i), Napi::String::New(info.Env(), plan::opcode_name(i)));
  }
  return names;
}

}  // namespace

void export_run(Napi::Env env, Napi::Object exports) {
  exports.Set("attach", Napi::Function::New(env, attach, "attach"));
  exports.Set("opcodes", Napi::Function::New(env, opcodes, "opcodes"));
  napi_value function;
  napi_create_function(env, "run", NAPI_AUTO_LENGTH, run, nullptr, &function);
  exports.Set("run", Napi::Value(env, function));
}

}  // namespace receptive::binding
