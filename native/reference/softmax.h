// SPDX-License-Identifier: Apache-2.0
// Softmax and cross-entropy in double precision.
#pragma once

#include <cstdint>

namespace receptive::reference {

void softmax_forward(double* y, const double* x, std::int64_t rows, std::int64_t classes);
void softmax_backward(double* dx, const double* dy, const double* y, std::int64_t rows, std::int64_t classes);

// Returns the mean loss; fills dlogits unless it is nullptr.
void log_softmax_forward(double* y, const double* x, std::int64_t rows, std::int64_t classes);
void log_softmax_backward(double* dx, const double* dy, const double* y, std::int64_t rows,
                          std::int64_t classes);
double softmax_cross_entropy(double* dlogits, const double* logits, const std::int32_t* labels,
                             std::int64_t rows, std::int64_t classes);

}  // namespace receptive::reference
