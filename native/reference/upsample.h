// SPDX-License-Identifier: Apache-2.0
// Resizing of images in double precision, one output element at a time.
#pragma once

#include <algorithm>

#include "ops/upsample.h"

namespace receptive::reference {

// body(input element, weight) for the pixels that an output element is made of
template <typename Body>
void for_sources(const ops::UpsampleGeometry& g, ops::UpsampleMode mode, std::int64_t out, const Body& body) {
  const std::int64_t c = out % g.channels, ow = out / g.channels % g.columns.out;
  const std::int64_t oh = out / g.channels / g.columns.out % g.rows.out, n = out / g.out_image();
  const auto element = [&](std::int64_t h, std::int64_t w) {
    return n * g.in_image() + (h * g.columns.in + w) * g.channels + c;
  };
  if (mode == ops::UpsampleMode::kNearest)
    return body(element(g.rows.nearest(oh), g.columns.nearest(ow)), 1.0);
  const double at_h = g.rows.position(oh), at_w = g.columns.position(ow);
  const std::int64_t h = g.rows.inside(at_h), w = g.columns.inside(at_w);
  const double down = std::min(1.0, at_h - static_cast<double>(h));
  const double right = std::min(1.0, at_w - static_cast<double>(w));
  const std::int64_t h1 = std::min(h + 1, g.rows.in - 1), w1 = std::min(w + 1, g.columns.in - 1);
  body(element(h, w), (1 - down) * (1 - right));
  body(element(h, w1), (1 - down) * right);
  body(element(h1, w), down * (1 - right));
  body(element(h1, w1), down * right);
}

inline void upsample_forward(double* y, const double* x, const ops::UpsampleGeometry& g,
                             ops::UpsampleMode mode) {
  for (std::int64_t out = 0; out < g.batch * g.out_image(); ++out) {
    double total = 0;
    for_sources(g, mode, out, [&](std::int64_t in, double weight) { total += weight * x[in]; });
    y[out] = total;
  }
}

inline void upsample_backward(double* dx, const double* dy, const ops::UpsampleGeometry& g,
                              ops::UpsampleMode mode) {
  std::fill_n(dx, g.batch * g.in_image(), 0.0);
  for (std::int64_t out = 0; out < g.batch * g.out_image(); ++out)
    for_sources(g, mode, out, [&](std::int64_t in, double weight) { dx[in] += weight * dy[out]; });
}

}  // namespace receptive::reference
