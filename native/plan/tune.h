// SPDX-License-Identifier: Apache-2.0
// Measured choices, for who asks for them: which algorithm each pass of a convolution takes.
#pragma once

#include "plan/program.h"

namespace receptive::plan {

// Times direct and Winograd convolution for each shape and pass of the step that is left to the cost model,
// on numbers of its own and the threads there are, and writes the fastest into the step: as if the user had
// asked for it. Returns how many instructions that decided. Another measurement may decide otherwise, and
// bits with it. Throws std::bad_alloc.
int measure_algorithms(Program* program);

}  // namespace receptive::plan
