// SPDX-License-Identifier: Apache-2.0
// The mean of all pixels in double precision, one channel of one image at a time.
#pragma once

#include "ops/global_avg_pool.h"

namespace receptive::reference {

inline void global_avg_pool_forward(double* y, const double* x, const ops::GlobalPoolSize& size) {
  for (std::int64_t out = 0; out < size.batch * size.channels; ++out) {
    const std::int64_t first = out / size.channels * size.image() + out % size.channels;
    double total = 0;
    for (std::int64_t pixel = 0; pixel < size.pixels; ++pixel) total += x[first + pixel * size.channels];
    y[out] = total / static_cast<double>(size.pixels);
  }
}

inline void global_avg_pool_backward(double* dx, const double* dy, const ops::GlobalPoolSize& size) {
  for (std::int64_t i = 0; i < size.batch * size.image(); ++i)
    dx[i] = dy[i / size.image() * size.channels + i % size.channels] / static_cast<double>(size.pixels);
}

}  // namespace receptive::reference
