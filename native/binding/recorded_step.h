// SPDX-License-Identifier: Apache-2.0
// A recorded step as it comes from JavaScript: two flat arrays, in the order of lib/native/recorder.ts.
#pragma once

#include "binding/environment.h"
#include "plan/program.h"

namespace receptive::binding {

// Arguments (Int32Array, Float64Array, ...); false where the arrays end early or late, or say what cannot be.
bool decode_step(const Napi::CallbackInfo& info, plan::Program* program);

}  // namespace receptive::binding
