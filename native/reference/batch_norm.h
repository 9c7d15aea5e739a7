// SPDX-License-Identifier: Apache-2.0
// Batch normalisation in double precision, one channel at a time.
#pragma once

#include "ops/batch_norm.h"

namespace receptive::reference {

void batch_norm_forward(const ops::BatchNormOperands<double>& to,
                        const ops::RunningStatistics<double>& running, const ops::BatchNormSize& size,
                        double eps);
void batch_norm_eval(const ops::BatchNormOperands<double>& to, const double* running_mean,
                     const double* running_var, const ops::BatchNormSize& size, double eps);
void batch_norm_backward(const ops::BatchNormGradients<double>& of, const ops::BatchNormSize& size);

}  // namespace receptive::reference
