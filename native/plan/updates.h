// SPDX-License-Identifier: Apache-2.0
// The updates of all parameters in one pass: nets have many small parameters, and each would else wait for
// all threads to meet.
#pragma once

#include "plan/arguments.h"
#include "runtime/status.h"

namespace receptive::plan {

// sgd_update and the other rules of optimizers, and ema_update
bool is_update(int opcode);

// Runs `count` updates of one kind; none, where the operands of one are wrong.
Status call_updates(int opcode, const Arguments* updates, int count);

}  // namespace receptive::plan
