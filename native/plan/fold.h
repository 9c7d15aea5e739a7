// SPDX-License-Identifier: Apache-2.0
// What is computed of constants once instead of in each step.
#pragma once

#include "plan/program.h"

namespace receptive::plan {

// A batch normalisation with running statistics behind a convolution, whose result nobody else reads, becomes
// part of the convolution's weight and bias. These are computed before the first step of a run that finds the
// weights or statistics changed. Results change in their last digits. Returns how many.
int fold_batch_norm_into_conv(Program* program);

// The weight of a convolution that the step does not change is packed or transformed for it once, in memory
// of its own. No bit changes. Returns how many.
int prepare_weights(Program* program);

}  // namespace receptive::plan
