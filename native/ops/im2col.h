// SPDX-License-Identifier: Apache-2.0
// The explicit im2col matrix and its adjoint: the readable way to a convolution (`algorithm: 'im2col'`), and
// a second oracle for the fast ones.
#pragma once

#include "ops/conv2d.h"

namespace receptive::ops {

// columns [batch * outH * outW][kH * kW * inC]: row p is the patch that output pixel p reads.
void im2col(float* columns, const float* x, const Conv2dGeometry& geometry);
// dx = the sum of all rows of columns, each added to where its patch came from.
void col2im(float* dx, const float* columns, const Conv2dGeometry& geometry);

}  // namespace receptive::ops
