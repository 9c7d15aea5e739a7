// SPDX-License-Identifier: Apache-2.0
// Pooling in double precision, one output element at a time.
#pragma once

#include "kernels/pool2d_kernels.h"

namespace receptive::reference {

template <typename Index>
void max_pool2d_forward(double* y, Index* winners, const double* x, const Pool2dGeometry& g);
template <typename Index>
void max_pool2d_backward(double* dx, const double* dy, const Index* winners, const Pool2dGeometry& g);

void avg_pool2d_forward(double* y, const double* x, const Pool2dGeometry& g, Divisor divisor);
void avg_pool2d_backward(double* dx, const double* dy, const Pool2dGeometry& g, Divisor divisor);

void lp_pool2d_forward(double* y, const double* x, const Pool2dGeometry& g, int p);
void lp_pool2d_backward(double* dx, const double* dy, const double* x, const double* y,
                        const Pool2dGeometry& g, int p);

}  // namespace receptive::reference
