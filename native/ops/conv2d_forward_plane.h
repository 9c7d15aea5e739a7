// SPDX-License-Identifier: Apache-2.0
// The forward pass for images of one channel: see the .cc.
#pragma once

#include "kernels/kernel_table.h"
#include "ops/conv2d.h"

namespace receptive::ops {

// True where conv2d_forward_plane applies, and is the faster way.
bool is_plane(const Conv2dGeometry& geometry, const GemmKernels& kernel);

void conv2d_forward_plane(float* y, const float* x, const float* weight, const float* bias, bool relu,
                          const Conv2dGeometry& geometry);

}  // namespace receptive::ops
