// SPDX-License-Identifier: Apache-2.0
// Convolutions in groups of few channels: vectors lie along the channels of all groups, and every lane has
// taps of its own. A layer with one input channel a group is one such depthwise convolution; one with more is
// a sum of them.
#pragma once

#include "kernels/kernel_table.h"
#include "ops/conv2d.h"

namespace receptive::ops {

// Whether groups, of which there are several, are too small to be a matrix product each: forward and
// grad_input, and the gradient of the weight.
bool is_for_depthwise(const Conv2dGeometry& geometry, const KernelTable& table);
bool is_for_depthwise_gradient(const Conv2dGeometry& geometry, const KernelTable& table);

// Arguments as in ops/conv2d.h.
void conv2d_forward_depthwise(float* y, const float* x, const float* weight, const float* bias, bool relu,
                              const Conv2dGeometry& geometry);
void conv2d_grad_input_depthwise(float* dx, const float* dy, const float* weight,
                                 const Conv2dGeometry& geometry);
void conv2d_grad_weight_depthwise(float* dweight, const float* dy, const float* x,
                                  const Conv2dGeometry& geometry);

}  // namespace receptive::ops
