// SPDX-License-Identifier: Apache-2.0
// Constant folding for inference.
#pragma once

#include "plan/program.h"

namespace receptive::plan {

// A batch normalisation with running statistics behind a convolution, whose result nobody else reads, becomes
// part of the convolution's weight and bias. These are computed once in a run, before its first step, so that
// replaced weights count from the next run on. Results change in their last digits. Returns how many.
int fold_batch_norm_into_conv(Program* program);

}  // namespace receptive::plan
