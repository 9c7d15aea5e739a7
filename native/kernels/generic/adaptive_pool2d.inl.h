// SPDX-License-Identifier: Apache-2.0
// Pooling to a given size: the rules of pool2d over windows that follow from the sizes. A window is given in
// pixels of the image, so that a winner's index is its pixel. Include after a vec.h.
#pragma once

#include "kernels/generic/pool2d_backward.inl.h"
#include "kernels/generic/pool2d_forward.inl.h"

namespace receptive {
namespace {

// The pixels of output `at`; with the sizes exchanged, the outputs that read pixel `at`.
inline Span adaptive_span(std::int64_t at, std::int64_t in, std::int64_t out) {
  return {at * in / out, ((at + 1) * in + out - 1) / out};
}

template <typename Rule>
inline void adaptive_forward(const Rule& rule, const float* x, const Pool2dGeometry& g,
                             std::int64_t out_row) {
  const Span rows = adaptive_span(out_row, g.in_h, g.out_h);
  for (std::int64_t ow = 0; ow < g.out_w; ++ow) {
    const Span columns = adaptive_span(ow, g.in_w, g.out_w);
    const float* taps = x + (rows.begin * g.in_w + columns.begin) * g.channels;
    forward_pixel(rule, ow * g.channels, taps, Window{rows, columns, g.in_w}, g);
  }
}

template <typename Rule, typename Range>
inline void adaptive_gather_pixel(float* dx, const Rule& rule, std::int64_t pixel, Span rows, Span columns,
                                  std::int64_t c, const Pool2dGeometry& g, Range range) {
  const std::int64_t in = pixel * g.channels + c;
  const Vec index = broadcast(static_cast<float>(pixel));
  Vec total = zero();
  for (std::int64_t oh = rows.begin; oh < rows.end; ++oh) {
    const Span window_rows = adaptive_span(oh, g.in_h, g.out_h);
    for (std::int64_t ow = columns.begin; ow < columns.end; ++ow) {
      const Window window = {window_rows, adaptive_span(ow, g.in_w, g.out_w), g.in_w};
      const auto shared = rule.load((oh * g.out_w + ow) * g.channels + c, window, g, range);
      total = add(total, rule.value(shared, in, index, range));
    }
  }
  range.store(dx + in, total);
}

template <typename Rule>
inline void adaptive_gather(float* dx, const Rule& rule, const Pool2dGeometry& g, std::int64_t in_row) {
  const Span rows = adaptive_span(in_row, g.out_h, g.in_h);
  for (std::int64_t iw = 0; iw < g.in_w; ++iw) {
    const Span columns = adaptive_span(iw, g.out_w, g.in_w);
    const std::int64_t pixel = in_row * g.in_w + iw;
    std::int64_t c = 0;
    for (; c + kWidth <= g.channels; c += kWidth)
      adaptive_gather_pixel(dx, rule, pixel, rows, columns, c, g, WholeVector{});
    if (c < g.channels)
      adaptive_gather_pixel(dx, rule, pixel, rows, columns, c, g, PartialVector(g.channels - c));
  }
}

void adaptive_max_forward(float* y, std::int32_t* winners, const float* x, const Pool2dGeometry& g,
                          std::int64_t out_row) {
  const std::int64_t out = out_row * g.out_w * g.channels;
  adaptive_forward(MaxForward<std::int32_t>{y + out, winners + out}, x, g, out_row);
}

void adaptive_average_forward(float* y, const float* x, const Pool2dGeometry& g, std::int64_t out_row) {
  adaptive_forward(AverageForward{y + out_row * g.out_w * g.channels, Divisor::kInside}, x, g, out_row);
}

void adaptive_max_gather(float* dx, const float* dy, const std::int32_t* winners, const Pool2dGeometry& g,
                         std::int64_t in_row) {
  adaptive_gather(dx, MaxRule<std::int32_t>{dy, winners}, g, in_row);
}

void adaptive_average_gather(float* dx, const float* dy, const Pool2dGeometry& g, std::int64_t in_row) {
  adaptive_gather(dx, AverageRule{dy, Divisor::kInside}, g, in_row);
}

}  // namespace
}  // namespace receptive
