// SPDX-License-Identifier: Apache-2.0
// Contracts of the layer normalisation kernels: each row of a matrix [rows][width] has a mean and a deviation
// of its own; weight and bias belong to the columns.
#pragma once

#include <cstdint>

namespace receptive {

struct LayerNormKernels {
  // mean and inverse_std = 1 / sqrt(variance + eps) of each row, and y = (x - mean) * inverse_std * weight +
  // bias. No weight (nullptr) means ones, no bias zeros; y may be x.
  void (*forward)(float* y, float* mean, float* inverse_std, const float* x, const float* weight,
                  const float* bias, double eps, std::int64_t rows, std::int64_t width);

  // The gradient by x; dx may be dy or x.
  void (*grad_input)(float* dx, const float* dy, const float* x, const float* mean, const float* inverse_std,
                     const float* weight, std::int64_t rows, std::int64_t width);

  // Of the columns [0, columns) of rows `width` apart: dweight = sum over the rows of dy * (x - mean) *
  // inverse_std, dbias = sum of dy.
  void (*grad_weight)(float* dweight, float* dbias, const float* dy, const float* x, const float* mean,
                      const float* inverse_std, std::int64_t rows, std::int64_t width, std::int64_t columns);
};

}  // namespace receptive
