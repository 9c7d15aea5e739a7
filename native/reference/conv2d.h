// SPDX-License-Identifier: Apache-2.0
// The 2-D convolution in double precision, straight from its definition (ops/conv2d.h): what float64 tensors
// run on, and the oracle that every fast kernel is tested against.
#pragma once

#include "ops/conv2d.h"

namespace receptive::reference {

// bias and residual may be nullptr.
void conv2d_forward(double* y, const double* x, const double* weight, const double* bias,
                    const double* residual, bool relu, const Conv2dGeometry& geometry);
void conv2d_grad_input(double* dx, const double* dy, const double* weight, const Conv2dGeometry& geometry);
// dbias may be nullptr.
void conv2d_grad_weight(double* dweight, double* dbias, const double* dy, const double* x,
                        const Conv2dGeometry& geometry);
void im2col(double* columns, const double* x, const Conv2dGeometry& geometry);
void col2im(double* dx, const double* columns, const Conv2dGeometry& geometry);

}  // namespace receptive::reference
