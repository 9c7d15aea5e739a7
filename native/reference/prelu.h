// SPDX-License-Identifier: Apache-2.0
// PReLU in double precision.
#pragma once

#include <cstdint>

#include "ops/prelu.h"

namespace receptive::reference {

inline void prelu_forward(double* y, const double* x, const double* weight, const ops::PReluSize& size) {
  for (std::int64_t i = 0; i < size.elements(); ++i) y[i] = x[i] > 0 ? x[i] : weight[i % size.weights] * x[i];
}

inline void prelu_backward(double* dx, double* dweight, const double* dy, const double* x,
                           const double* weight, const ops::PReluSize& size) {
  for (std::int64_t w = 0; dweight != nullptr && w < size.weights; ++w) dweight[w] = 0;
  for (std::int64_t i = 0; i < size.elements(); ++i) {
    const std::int64_t w = i % size.weights;
    const double slope = x[i] > 0 ? 1.0 : weight[w];
    if (dweight != nullptr && !(x[i] > 0)) dweight[w] += dy[i] * x[i];
    if (dx != nullptr) dx[i] = slope * dy[i];
  }
}

}  // namespace receptive::reference
