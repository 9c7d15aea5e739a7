// SPDX-License-Identifier: Apache-2.0
// Batch normalisation (Ioffe and Szegedy 2015) of a matrix [rows][channels]: images, with a row a pixel.
// Statistics are per channel. Sums go over fixed chunks of rows, merged in order in double precision, so that
// neither threads nor a mean far from zero can spoil them.
#pragma once

#include <cstdint>

namespace receptive::ops {

struct BatchNormSize {
  std::int64_t rows, channels;
  std::int64_t elements() const { return rows * channels; }
};

// What both forward passes write and read: y = weight * (x - mean) * inverse_std + bias. mean and inverse_std
// are kept for the backward pass. No weight means ones, no bias zeros. A residual is added to y, and then y
// may pass through a ReLU: the same bits as in instructions of their own, without their passes over memory.
template <typename Float>
struct BatchNormOperands {
  Float *y, *mean, *inverse_std;
  const Float *x, *weight, *bias, *residual;
  bool relu;
};

// running = (1 - momentum) * running + momentum * that of the batch, whose variance is unbiased. Null: none.
template <typename Float>
struct RunningStatistics {
  Float *mean, *variance;
  double momentum;
};

// With the statistics of the batch: its mean and its biased variance. At least 2 rows.
void batch_norm_forward(const BatchNormOperands<float>& to, const RunningStatistics<float>& running,
                        const BatchNormSize& size, double eps);

// With given statistics.
void batch_norm_eval(const BatchNormOperands<float>& to, const float* running_mean, const float* running_var,
                     const BatchNormSize& size, double eps);

// Gradients; each output may be null. batch_statistics: mean and inverse_std follow from x, as in training.
// relu_output is that of a ReLU behind, through which dy has yet to pass; or null. Where two paths meet
// behind that ReLU, `other` is the gradient of the second one, added to dy first, or null, and `passed` takes
// what comes through the ReLU, for those who need it too, or is null.
template <typename Float>
struct BatchNormGradients {
  Float *dx, *dweight, *dbias;
  const Float *dy, *x, *mean, *inverse_std, *weight, *relu_output;
  bool batch_statistics;
  const Float* other = nullptr;
  Float* passed = nullptr;
};

void batch_norm_backward(const BatchNormGradients<float>& of, const BatchNormSize& size);

}  // namespace receptive::ops
