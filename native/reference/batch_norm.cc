// SPDX-License-Identifier: Apache-2.0
#include "reference/batch_norm.h"

#include <cmath>

namespace receptive::reference {
namespace {

// The mean over the rows of what `value` says of each element of column c
template <typename Value>
double column_mean(const ops::BatchNormSize& size, std::int64_t c, const Value& value) {
  double total = 0;
  for (std::int64_t i = c; i < size.elements(); i += size.channels) total += value(i);
  return total / static_cast<double>(size.rows);
}

void normalize_column(const ops::BatchNormOperands<double>& to, const ops::BatchNormSize& size,
                      std::int64_t c, double mean, double variance, double eps) {
  to.mean[c] = mean;
  to.inverse_std[c] = 1.0 / std::sqrt(variance + eps);
  const double weight = to.weight == nullptr ? 1.0 : to.weight[c],
               bias = to.bias == nullptr ? 0.0 : to.bias[c];
  for (std::int64_t i = c; i < size.elements(); i += size.channels) {
    double y = (to.x[i] - mean) * to.inverse_std[c] * weight + bias;
    if (to.residual != nullptr) y += to.residual[i];
    to.y[i] = to.relu && y < 0 ? 0.0 : y;
  }
}

}  // namespace

void batch_norm_forward(const ops::BatchNormOperands<double>& to,
                        const ops::RunningStatistics<double>& running, const ops::BatchNormSize& size,
                        double eps) {
  const double rows = static_cast<double>(size.rows), momentum = running.momentum;
  for (std::int64_t c = 0; c < size.channels; ++c) {
    const double mean = column_mean(size, c, [&](std::int64_t i) { return to.x[i]; });
    const double variance =
        column_mean(size, c, [&](std::int64_t i) { return (to.x[i] - mean) * (to.x[i] - mean); });
    normalize_column(to, size, c, mean, variance, eps);
    if (running.mean != nullptr) running.mean[c] = (1 - momentum) * running.mean[c] + momentum * mean;
    if (running.variance != nullptr) {
      running.variance[c] = (1 - momentum) * running.variance[c] + momentum * variance * rows / (rows - 1);
    }
  }
}

void batch_norm_eval(const ops::BatchNormOperands<double>& to, const double* running_mean,
                     const double* running_var, const ops::BatchNormSize& size, double eps) {
  for (std::int64_t c = 0; c < size.channels; ++c)
    normalize_column(to, size, c, running_mean[c], running_var[c], eps);
}

void batch_norm_backward(const ops::BatchNormGradients<double>& given, const ops::BatchNormSize& size) {
  ops::BatchNormGradients<double> of = given;
  if (of.passed != nullptr) {
    for (std::int64_t i = 0; i < size.elements(); ++i) {
      const double sum = of.other == nullptr ? of.dy[i] : of.dy[i] + of.other[i];
      of.passed[i] = of.relu_output[i] > 0 ? sum : 0.0;
    }
    of.dy = of.passed;
    of.relu_output = nullptr;
  }
  for (std::int64_t c = 0; c < size.channels; ++c) {
    const double inverse_std = of.inverse_std[c], weight = of.weight == nullptr ? 1.0 : of.weight[c];
    const auto normalized = [&](std::int64_t i) { return (of.x[i] - of.mean[c]) * inverse_std; };
    const auto dy = [&](std::int64_t i) {
      return of.relu_output == nullptr || of.relu_output[i] > 0 ? of.dy[i] : 0.0;
    };
    const double dy_mean = column_mean(size, c, dy);
    const double product_mean = column_mean(size, c, [&](std::int64_t i) { return dy(i) * normalized(i); });
    if (of.dbias != nullptr) of.dbias[c] = dy_mean * static_cast<double>(size.rows);
    if (of.dweight != nullptr) of.dweight[c] = product_mean * static_cast<double>(size.rows);
    if (of.dx == nullptr) continue;
    for (std::int64_t i = c; i < size.elements(); i += size.channels) {
      const double through_batch = of.batch_statistics ? dy_mean + normalized(i) * product_mean : 0.0;
      of.dx[i] = weight * inverse_std * (dy(i) - through_batch);
    }
  }
}

}  // namespace receptive::reference
