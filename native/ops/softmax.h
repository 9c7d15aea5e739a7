// SPDX-License-Identifier: Apache-2.0
// Softmax of rows and its logarithm, and the mean cross-entropy over rows with its gradient in the same pass.
#pragma once

#include <cstdint>

namespace receptive::ops {

// Rows of so many exponentials that one task takes.
std::int64_t softmax_rows_per_task(std::int64_t classes);

void softmax_forward(float* y, const float* x, std::int64_t rows, std::int64_t classes);
void softmax_backward(float* dx, const float* dy, const float* y, std::int64_t rows, std::int64_t classes);
void log_softmax_forward(float* y, const float* x, std::int64_t rows, std::int64_t classes);
void log_softmax_backward(float* dx, const float* dy, const float* y, std::int64_t rows,
                          std::int64_t classes);

// Returns the mean loss; fills dlogits with its gradient unless it is nullptr. Labels must be in range.
float softmax_cross_entropy(float* dlogits, const float* logits, const std::int32_t* labels,
                            std::int64_t rows, std::int64_t classes);

}  // namespace receptive::ops
