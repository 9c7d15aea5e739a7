// SPDX-License-Identifier: Apache-2.0
// What a profile may know of a convolution's instructions.
#pragma once

#include "plan/arguments.h"

namespace receptive::plan {

// Which way an instruction takes, by its name: "direct", "plane", …; "" for what is no convolution.
const char* conv2d_algorithm(const char* instruction, const Arguments& args);

}  // namespace receptive::plan
