// SPDX-License-Identifier: Apache-2.0
#include "reference/pool2d.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace receptive::reference {
namespace {

// body(output element) for every output element of a batch
template <typename Body>
void for_outputs(const Pool2dGeometry& g, const Body& body) {
  for (std::int64_t out = 0; out < g.batch * g.out_image(); ++out) body(out);
}

// body(input element, tap) for the taps of an output element's window that lie in the image
template <typename Body>
void for_taps(const Pool2dGeometry& g, std::int64_t out, const Body& body) {
  const std::int64_t c = out % g.channels, ow = out / g.channels % g.out_w;
  const std::int64_t oh = out / g.channels / g.out_w % g.out_h, n = out / g.out_image();
  for (std::int64_t tap = 0; tap < g.window(); ++tap) {
    const std::int64_t h = oh * g.stride_h - g.pad_top + tap / g.kernel_w;
    const std::int64_t w = ow * g.stride_w - g.pad_left + tap % g.kernel_w;
    if (h < 0 || h >= g.in_h || w < 0 || w >= g.in_w) continue;
    body(((n * g.in_h + h) * g.in_w + w) * g.channels + c, tap);
  }
}

double divisor_of(const Pool2dGeometry& g, std::int64_t out, Divisor divisor) {
  if (divisor == Divisor::kWindow) return static_cast<double>(g.window());
  double inside = 0;
  for_taps(g, out, [&](std::int64_t, std::int64_t) { inside += 1; });
  return inside;
}

void clear(double* dx, const Pool2dGeometry& g) { std::fill_n(dx, g.batch * g.in_image(), 0.0); }

}  // namespace

template <typename Index>
void max_pool2d_forward(double* y, Index* winners, const double* x, const Pool2dGeometry& g) {
  for_outputs(g, [&](std::int64_t out) {
    double best = -std::numeric_limits<double>::infinity();
    std::int64_t winner = -1;
    for_taps(g, out, [&](std::int64_t in, std::int64_t tap) {
      const bool wins = winner < 0 || x[in] > best || std::isnan(x[in]);
      if (!wins) return;
      best = x[in];
      winner = tap;
    });
    y[out] = best;
    winners[out] = static_cast<Index>(winner);
  });
}

template <typename Index>
void max_pool2d_backward(double* dx, const double* dy, const Index* winners, const Pool2dGeometry& g) {
  clear(dx, g);
  for_outputs(g, [&](std::int64_t out) {
    for_taps(g, out, [&](std::int64_t in, std::int64_t tap) {
      if (tap == winners[out]) dx[in] += dy[out];
    });
  });
}

template void max_pool2d_forward(double*, std::uint8_t*, const double*, const Pool2dGeometry&);
template void max_pool2d_forward(double*, std::int32_t*, const double*, const Pool2dGeometry&);
template void max_pool2d_backward(double*, const double*, const std::uint8_t*, const Pool2dGeometry&);
template void max_pool2d_backward(double*, const double*, const std::int32_t*, const Pool2dGeometry&);

void avg_pool2d_forward(double* y, const double* x, const Pool2dGeometry& g, Divisor divisor) {
  for_outputs(g, [&](std::int64_t out) {
    double total = 0;
    for_taps(g, out, [&](std::int64_t in, std::int64_t) { total += x[in]; });
    y[out] = total / divisor_of(g, out, divisor);
  });
}

void avg_pool2d_backward(double* dx, const double* dy, const Pool2dGeometry& g, Divisor divisor) {
  clear(dx, g);
  for_outputs(g, [&](std::int64_t out) {
    const double share = dy[out] / divisor_of(g, out, divisor);
    for_taps(g, out, [&](std::int64_t in, std::int64_t) { dx[in] += share; });
  });
}

void lp_pool2d_forward(double* y, const double* x, const Pool2dGeometry& g) {
  for_outputs(g, [&](std::int64_t out) {
    double total = 0;
    for_taps(g, out, [&](std::int64_t in, std::int64_t) { total += x[in] * x[in]; });
    y[out] = std::sqrt(total);
  });
}

void lp_pool2d_backward(double* dx, const double* dy, const double* x, const double* y,
                        const Pool2dGeometry& g) {
  clear(dx, g);
  for_outputs(g, [&](std::int64_t out) {
    if (y[out] == 0) return;
    for_taps(g, out, [&](std::int64_t in, std::int64_t) { dx[in] += x[in] * dy[out] / y[out]; });
  });
}

}  // namespace receptive::reference
