// SPDX-License-Identifier: Apache-2.0
// Rewrites of a recorded step that leave every bit as it is and save passes over memory.
#pragma once

#include "plan/program.h"

namespace receptive::plan {

struct Fusions {
  int conv_relu = 0;  // a ReLU done by the convolution before it
};

Fusions fuse(Program* program);

}  // namespace receptive::plan
