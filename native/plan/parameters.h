// SPDX-License-Identifier: Apache-2.0
// Where an instruction's parameters stand, where others than the instruction itself have to know.
#pragma once

#include <cstddef>

namespace receptive::plan {

// plan/conv2d.cc: sizes, 1 if a ReLU follows, how to compute, 1 if images are interleaved, and the window and
// stride of a max pooling that follows; conv2d_winner_gradients: for profiles, of how many of input and
// weight; dilation and groups (1 where they are left out)
constexpr std::size_t kConvInC = 3, kConvOutC = 6, kConvKernelH = 7, kConvKernelW = 8, kConvRelu = 13,
                      kConvChoice = 14, kConvInterleaved = 15, kConvPool = 16, kConvGradients = 20,
                      kConvDilation = 21, kConvGroups = 23;

// The operand of conv2d_forward that is added before the ReLU.
constexpr std::size_t kConvResidual = 4;
// Its weight, packed or transformed; without it that is done each time.
constexpr std::size_t kConvPrepared = 5;

// plan/pool2d.cc: height and width of the output, those of the window, the strides and the padding
constexpr std::size_t kPoolOutParam = 4, kPoolWindowParam = 6, kPoolParams = 12;

}  // namespace receptive::plan
