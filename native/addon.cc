// SPDX-License-Identifier: Apache-2.0
// The export table, and nothing else. lib/native/bindings.ts mirrors it.
#include <napi.h>

#include "binding/environment.h"

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new receptive::binding::Environment);
  receptive::binding::export_tensors(env, exports);
  receptive::binding::export_run(env, exports);
  receptive::binding::export_runtime(env, exports);
  receptive::binding::export_plan(env, exports);
  receptive::binding::export_step_copies(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(receptive, initialize)
