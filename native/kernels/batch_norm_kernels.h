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

  // y = scale[c] * x + shift[c], plus the residual if there is one, and of that the positive part if `relu`;
  // y may be x or the residual. Every step is rounded as if it were a pass of its own.
  void (*normalize)(float* y, const float* x, const float* residual, const float* scale, const float* shift,
                    bool relu, std::int64_t rows, std::int64_t channels);

  // dy_sum[c] = sum of dy, product_sum[c] = sum of dy * (x - mean[c]). With `output`, that of a ReLU behind,
  // dy counts where it is positive.
  void (*gradient_sums)(float* dy_sum, float* product_sum, const float* dy, const float* output,
                        const float* x, const float* mean, std::int64_t rows, std::int64_t channels);

  // dx = dy_factor[c] * dy + x_factor[c] * (x - mean[c]) + shift[c], dy as above; dx may be dy, output or x
  void (*grad_input)(float* dx, const float* dy, const float* output, const float* x, const float* mean,
                     const float* dy_factor, const float* x_factor, const float* shift, std::int64_t rows,
                     std::int64_t channels);
};

}  // namespace receptive
