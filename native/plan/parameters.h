// SPDX-License-Identifier: Apache-2.0
// Where an instruction's parameters stand, where others than the instruction itself have to know.
#pragma once

#include <cstddef>

namespace receptive::plan {

// plan/conv2d.cc: sizes, 1 if a ReLU follows, and how to compute
constexpr std::size_t kConvInC = 3, kConvOutC = 6, kConvKernelH = 7, kConvKernelW = 8, kConvRelu = 13,
                      kConvChoice = 14;

}  // namespace receptive::plan
