// SPDX-License-Identifier: Apache-2.0
// Sums whose order depends on the shape only: fixed chunks, each summed in order, then the chunks in order.
#pragma once

#include <cstdint>

namespace receptive::ops {

// out[i] = sum over p of partials[p * step + i], p in order
void sum_partials(float* out, const float* partials, std::int64_t parts, std::int64_t size,
                  std::int64_t step);

// out[c] = sum over rows of in[row][c]: the gradient of a bias
void column_sum(float* out, const float* in, std::int64_t rows, std::int64_t columns);

// dx = dy where the ReLU's output y is positive, else 0, and its column sums, in the bits of column_sum
void relu_backward_sum(float* dx, float* sums, const float* dy, const float* y, std::int64_t rows,
                       std::int64_t columns);

// factor * the sum of all elements
float sum(const float* in, std::int64_t count, float factor);

// Whether no element is NaN or an infinity.
bool is_finite(const float* in, std::int64_t count);

}  // namespace receptive::ops
