// SPDX-License-Identifier: Apache-2.0
// How the convolutions of a step are computed, for people who read a plan.
#pragma once

#include <string>
#include <vector>

#include "ops/conv2d_algorithm.h"
#include "plan/arguments.h"
#include "plan/program.h"

namespace receptive::plan {

// The numbers of a convolution's instruction (plan/conv2d.cc), or why they are none.
Status read_convolution(const Arguments& args, Conv2dGeometry* geometry, ops::Conv2dChoice* choice);

// Whether an instruction computes in double precision.
bool is_double(const Program& program, const Recorded& instruction);

// One line for each pass of a convolution, in the order in which they run: what it maps, and its algorithm
// with the instruction set now in use.
std::vector<std::string> convolution_algorithms(const Program& program);

}  // namespace receptive::plan
