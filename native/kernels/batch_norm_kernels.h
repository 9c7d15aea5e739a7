// SPDX-License-Identifier: Apache-2.0
// Contracts of the batch normalisation kernels. Images are a matrix here, [rows][channels] with a row a
// pixel; every statistic belongs to a column.
#pragma once

#include <cstdint>

namespace receptive {

struct BatchNormKernels {
  // mean[c] of x - origin[c] over the rows, and m2[c], the sum of its squared deviations from that mean. An
  // origin near x keeps the digits that tell the rows apart. Two passes, so that nothing cancels: give it no
  // more rows than stay in the near cache.
  void (*moments)(float* mean, float* m2, const float* x, const float* origin, std::int64_t rows,
                  std::int64_t channels);

  // y = scale[c] * x + shift[c]; y may be x
  void (*normalize)(float* y, const float* x, const float* scale, const float* shift, std::int64_t rows,
                    std::int64_t channels);

  // dy_sum[c] = sum of dy, product_sum[c] = sum of dy * (x - mean[c])
  void (*gradient_sums)(float* dy_sum, float* product_sum, const float* dy, const float* x, const float* mean,
                        std::int64_t rows, std::int64_t channels);

  // dx = dy_factor[c] * dy + x_factor[c] * (x - mean[c]) + shift[c]; dx may be dy
  void (*grad_input)(float* dx, const float* dy, const float* x, const float* mean, const float* dy_factor,
                     const float* x_factor, const float* shift, std::int64_t rows, std::int64_t channels);
};

}  // namespace receptive
