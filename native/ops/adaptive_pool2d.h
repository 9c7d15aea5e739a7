// SPDX-License-Identifier: Apache-2.0
// Max and average pooling to a size that is given. Of the geometry only batch, sizes and channels count. Work
// is split by rows; backward writes every element of dx.
#pragma once

#include "kernels/pool2d_kernels.h"

namespace receptive::ops {

// winners: pixels of the image, row * in_w + column
void adaptive_max_pool2d_forward(float* y, std::int32_t* winners, const float* x, const Pool2dGeometry& g);
void adaptive_max_pool2d_backward(float* dx, const float* dy, const std::int32_t* winners,
                                  const Pool2dGeometry& g);

void adaptive_avg_pool2d_forward(float* y, const float* x, const Pool2dGeometry& g);
void adaptive_avg_pool2d_backward(float* dx, const float* dy, const Pool2dGeometry& g);

}  // namespace receptive::ops
