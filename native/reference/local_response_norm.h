// SPDX-License-Identifier: Apache-2.0
// Local response normalisation in double precision, one element at a time.
#pragma once

#include <cstdint>

#include "ops/local_response_norm.h"

namespace receptive::reference {

void local_response_norm_forward(double* y, const double* x, std::int64_t rows, std::int64_t channels,
                                 const ops::LocalResponseNormOptions& options);
void local_response_norm_backward(double* dx, const double* dy, const double* x, std::int64_t rows,
                                  std::int64_t channels, const ops::LocalResponseNormOptions& options);
void map_response_norm_forward(double* y, const double* x, const ops::ResponseImages& images,
                               const ops::LocalResponseNormOptions& options);
void map_response_norm_backward(double* dx, const double* dy, const double* x,
                                const ops::ResponseImages& images,
                                const ops::LocalResponseNormOptions& options);

}  // namespace receptive::reference
