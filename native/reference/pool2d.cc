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

// The taps of a window that count: those in the image, and for kPadded those in its padding.
double divisor_of(const Pool2dGeometry& g, std::int64_t out, Divisor divisor) {
  const std::int64_t ow = out / g.channels % g.out_w, oh = out / g.channels / g.out_w % g.out_h;
  const auto lies = [&](std::int64_t at, std::int64_t size, std::int64_t pad) {
    return divisor == Divisor::kPadded ? at >= -pad && at < size + pad : at >= 0 && at < size;
  };
  double count = 0;
  for (std::int64_t tap = 0; tap < g.window(); ++tap) {
    const std::int64_t h = oh * g.stride_h - g.pad_top + tap / g.kernel_w;
    const std::int64_t w = ow * g.stride_w - g.pad_left + tap % g.kernel_w;
    count += lies(h, g.in_h, g.pad_top) && lies(w, g.in_w, g.pad_left) ? 1 : 0;
  }
  return count;
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

void lp_pool2d_forward(double* y, const double* x, const Pool2dGeometry& g, int p) {
  for_outputs(g, [&](std::int64_t out) {
    double total = 0;
    for_taps(g, out, [&](std::int64_t in, std::int64_t) { total += std::pow(std::abs(x[in]), p); });
    y[out] = std::pow(total, 1.0 / p);
  });
}

void lp_pool2d_backward(double* dx, const double* dy, const double* x, const double* y,
                        const Pool2dGeometry& g, int p) {
  clear(dx, g);
  for_outputs(g, [&](std::int64_t out) {
    if (y[out] == 0) return;
    for_taps(g, out, [&](std::int64_t in, std::int64_t) {
      if (x[in] != 0) dx[in] += std::copysign(std::pow(std::abs(x[in]) / y[out], p - 1), x[in]) * dy[out];
    });
  });
}

}  // namespace receptive::reference
