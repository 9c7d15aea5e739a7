// SPDX-License-Identifier: Apache-2.0
// What a profile may know of a step's instructions.
#pragma once

#include <napi.h>

#include "plan/replay.h"

namespace receptive::binding {

// The names of the instructions, in the order in which they run.
Napi::Array operation_names(Napi::Env env, const plan::Replay& replay);

// For each instruction { op, origin, ms, numbers, bytes, algorithm, updates }: its place in the recording,
// its parameters, the bytes of its operands, which way a convolution takes ('' for the rest), how many
// updates run as one. Empty where the steps were not timed.
Napi::Array profile_rows(Napi::Env env, const plan::Replay& replay);

// Each pass of a convolution and how it is computed (plan/algorithms.h).
Napi::Array convolution_lines(Napi::Env env, const plan::Replay& replay);

}  // namespace receptive::binding
