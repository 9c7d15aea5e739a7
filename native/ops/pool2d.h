// SPDX-License-Identifier: Apache-2.0
// Max, average and p-norm pooling of a batch of images, forward and backward. Work is split by rows; backward
// writes every element of dx.
#pragma once

#include "kernels/pool2d_kernels.h"

namespace receptive::ops {

// Index is uint8 or int32.
template <typename Index>
void max_pool2d_forward(float* y, Index* winners, const float* x, const Pool2dGeometry& g);
template <typename Index>
void max_pool2d_backward(float* dx, const float* dy, const Index* winners, const Pool2dGeometry& g);

void avg_pool2d_forward(float* y, const float* x, const Pool2dGeometry& g, Divisor divisor);
void avg_pool2d_backward(float* dx, const float* dy, const Pool2dGeometry& g, Divisor divisor);

// p is at least 1
void lp_pool2d_forward(float* y, const float* x, const Pool2dGeometry& g, int p);
void lp_pool2d_backward(float* dx, const float* dy, const float* x, const float* y, const Pool2dGeometry& g,
                        int p);

}  // namespace receptive::ops
