// SPDX-License-Identifier: Apache-2.0
// Pooling to a given size in double precision, one output element at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/pool2d_kernels.h"

namespace receptive::reference {

// body(input element, pixel of the image) for the pixels that an output element covers
template <typename Body>
void for_covered(const Pool2dGeometry& g, std::int64_t out, const Body& body) {
  const std::int64_t c = out % g.channels, ow = out / g.channels % g.out_w;
  const std::int64_t oh = out / g.channels / g.out_w % g.out_h, n = out / g.out_image();
  const auto covers = [](std::int64_t at, std::int64_t o, std::int64_t in, std::int64_t outs) {
    return at >= o * in / outs && at * outs < (o + 1) * in;  // at < ceil((o + 1) in / outs)
  };
  for (std::int64_t pixel = 0; pixel < g.in_h * g.in_w; ++pixel) {
    if (covers(pixel / g.in_w, oh, g.in_h, g.out_h) && covers(pixel % g.in_w, ow, g.in_w, g.out_w))
      body((n * g.in_h * g.in_w + pixel) * g.channels + c, pixel);
  }
}

inline double covered(const Pool2dGeometry& g, std::int64_t out) {
  double count = 0;
  for_covered(g, out, [&](std::int64_t, std::int64_t) { count += 1; });
  return count;
}

inline void adaptive_max_pool2d_forward(double* y, std::int32_t* winners, const double* x,
                                        const Pool2dGeometry& g) {
  for (std::int64_t out = 0; out < g.batch * g.out_image(); ++out) {
    double best = -std::numeric_limits<double>::infinity();
    std::int64_t winner = -1;
    for_covered(g, out, [&](std::int64_t in, std::int64_t pixel) {
      if (winner >= 0 && !(x[in] > best) && !std::isnan(x[in])) return;
      best = x[in];
      winner = pixel;
    });
    y[out] = best;
    winners[out] = static_cast<std::int32_t>(winner);
  }
}

inline void adaptive_max_pool2d_backward(double* dx, const double* dy, const std::int32_t* winners,
                                         const Pool2dGeometry& g) {
  std::fill_n(dx, g.batch * g.in_image(), 0.0);
  for (std::int64_t out = 0; out < g.batch * g.out_image(); ++out) {
    for_covered(g, out, [&](std::int64_t in, std::int64_t pixel) {
      if (pixel == winners[out]) dx[in] += dy[out];
    });
  }
}

inline void adaptive_avg_pool2d_forward(double* y, const double* x, const Pool2dGeometry& g) {
  for (std::int64_t out = 0; out < g.batch * g.out_image(); ++out) {
    double total = 0;
    for_covered(g, out, [&](std::int64_t in, std::int64_t) { total += x[in]; });
    y[out] = total / covered(g, out);
  }
}

inline void adaptive_avg_pool2d_backward(double* dx, const double* dy, const Pool2dGeometry& g) {
  std::fill_n(dx, g.batch * g.in_image(), 0.0);
  for (std::int64_t out = 0; out < g.batch * g.out_image(); ++out) {
    const double share = dy[out] / covered(g, out);
    for_covered(g, out, [&](std::int64_t in, std::int64_t) { dx[in] += share; });
  }
}

}  // namespace receptive::reference
