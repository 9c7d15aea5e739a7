// SPDX-License-Identifier: Apache-2.0
// Losses of numbers in double precision.
#pragma once

#include <cstdint>

#include "ops/pointwise_loss.h"

namespace receptive::reference {

void pointwise_loss(double* loss, double* d_input, double* d_target, const double* input,
                    const double* target, std::int64_t count, const ops::PointwiseOptions<double>& options);

}  // namespace receptive::reference
