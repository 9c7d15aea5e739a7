// SPDX-License-Identifier: Apache-2.0
// Gradients of pooling. Disjoint windows scatter: each window writes its own pixels. Overlapping ones gather:
// each pixel adds up, in the order of the windows, what they send it. Include after a vec.h.
#pragma once

#include "kernels/generic/lanes.inl.h"
#include "kernels/generic/pool2d_windows.inl.h"
#include "kernels/pool2d_kernels.h"

namespace receptive {
namespace {

// A rule tells what a window sends to its pixels: load() what all of them share, value() for the pixel `in`
// under tap `index`.
template <typename Index>
struct MaxRule {
  const float* dy;
  const Index* winners;

  struct Shared {
    Vec dy, winner;
  };
  template <typename Range>
  inline Shared load(std::int64_t out, const Window&, const Pool2dGeometry&, Range range) const {
    return {range.load(dy + out), range.load_integers(winners + out)};
  }
  template <typename Range>
  inline Vec value(const Shared& shared, std::int64_t, Vec index, Range) const {
    return select(equal(shared.winner, index), shared.dy, zero());
  }
};

struct AverageRule {
  const float* dy;
  Divisor divisor;

  struct Shared {
    Vec dy;
  };
  template <typename Range>
  inline Shared load(std::int64_t out, const Window& window, const Pool2dGeometry& g, Range range) const {
    return {div(range.load(dy + out), broadcast(window.divisor(g, divisor)))};
  }
  template <typename Range>
  inline Vec value(const Shared& shared, std::int64_t, Vec, Range) const {
    return shared.dy;
  }
};

struct L2Rule {
  const float *dy, *x, *y;

  struct Shared {
    Vec quotient;
  };
  template <typename Range>
  inline Shared load(std::int64_t out, const Window&, const Pool2dGeometry&, Range range) const {
    const Vec norm = range.load(y + out);
    return {select(equal(norm, zero()), zero(), div(range.load(dy + out), norm))};
  }
  template <typename Range>
  inline Vec value(const Shared& shared, std::int64_t in, Vec, Range range) const {
    return mul(range.load(x + in), shared.quotient);
  }
};

// By quotients of at most 1, which overflow for no p.
struct LpRule {
  const float *dy, *x, *y;
  int p;

  struct Shared {
    Vec dy, norm;
  };
  template <typename Range>
  inline Shared load(std::int64_t out, const Window&, const Pool2dGeometry&, Range range) const {
    return {range.load(dy + out), range.load(y + out)};
  }
  template <typename Range>
  inline Vec value(const Shared& shared, std::int64_t in, Vec, Range range) const {
    const Vec pixel = range.load(x + in);
    const Vec share = mul(copy_sign(power(div(pixel, shared.norm), p - 1), pixel), shared.dy);
    return select(either(equal(shared.norm, zero()), equal(pixel, zero())), zero(), share);
  }
};

template <typename Rule, typename Range>
inline void scatter_window(float* dx, const Rule& rule, std::int64_t out, std::int64_t in,
                           const Window& window, const Pool2dGeometry& g, Range range) {
  const auto shared = rule.load(out, window, g, range);
  const Vec one = broadcast(1.0f);
  for (std::int64_t kh = window.rows.begin; kh < window.rows.end; ++kh, in += g.in_w * g.channels) {
    Vec index = broadcast(static_cast<float>(kh * window.kernel_w + window.columns.begin));
    std::int64_t tap = in;
    for (std::int64_t kw = window.columns.begin; kw < window.columns.end; ++kw, tap += g.channels) {
      range.store(dx + tap, rule.value(shared, tap, index, range));
      index = add(index, one);
    }
  }
}

template <typename Rule>
inline void scatter_pixel(float* dx, const Rule& rule, std::int64_t out, std::int64_t in,
                          const Window& window, const Pool2dGeometry& g) {
  std::int64_t c = 0;
  for (; c + kWidth <= g.channels; c += kWidth)
    scatter_window(dx, rule, out + c, in + c, window, g, WholeVector{});
  if (c < g.channels) scatter_window(dx, rule, out + c, in + c, window, g, PartialVector(g.channels - c));
}

// kSide: the side of square windows known when compiling, else 0.
template <int kSide, typename Rule>
inline void scatter_windows(float* dx, const Rule& rule, const Pool2dGeometry& g, std::int64_t out_row) {
  const std::int64_t top = out_row * g.stride_h - g.pad_top;
  const Span rows = taps_inside(top, g.kernel_h, g.in_h);
  for (std::int64_t ow = 0; ow < g.out_w; ++ow) {
    const std::int64_t left = ow * g.stride_w - g.pad_left;
    const Span columns = taps_inside(left, g.kernel_w, g.in_w);
    const std::int64_t in = ((top + rows.begin) * g.in_w + left + columns.begin) * g.channels;
    const std::int64_t out = (out_row * g.out_w + ow) * g.channels;
    if (kSide > 0 && rows.size() == kSide && columns.size() == kSide) {
      scatter_pixel(dx, rule, out, in, Window{{0, kSide}, {0, kSide}, kSide}, g);
    } else {
      scatter_pixel(dx, rule, out, in, Window{rows, columns, g.kernel_w}, g);
    }
  }
}

template <typename Rule>
inline void scatter_row(float* dx, const Rule& rule, const Pool2dGeometry& g, std::int64_t out_row) {
  if (g.kernel_h == 2 && g.kernel_w == 2) return scatter_windows<2>(dx, rule, g, out_row);
  scatter_windows<0>(dx, rule, g, out_row);
}

template <typename Rule, typename Range>
inline void gather_pixel(float* dx, const Rule& rule, std::int64_t in_row, std::int64_t in_column, Span rows,
                         Span columns, std::int64_t c, const Pool2dGeometry& g, Range range) {
  const std::int64_t in = (in_row * g.in_w + in_column) * g.channels + c;
  Vec total = zero();
  for (std::int64_t oh = rows.begin; oh < rows.end; ++oh) {
    const std::int64_t top = oh * g.stride_h - g.pad_top;
    const Span window_rows = taps_inside(top, g.kernel_h, g.in_h);
    for (std::int64_t ow = columns.begin; ow < columns.end; ++ow) {
      const std::int64_t left = ow * g.stride_w - g.pad_left;
      const Window window = {window_rows, taps_inside(left, g.kernel_w, g.in_w), g.kernel_w};
      const Vec index = broadcast(static_cast<float>((in_row - top) * g.kernel_w + in_column - left));
      const auto shared = rule.load((oh * g.out_w + ow) * g.channels + c, window, g, range);
      total = add(total, rule.value(shared, in, index, range));
    }
  }
  range.store(dx + in, total);
}

template <typename Rule>
inline void gather_row(float* dx, const Rule& rule, const Pool2dGeometry& g, std::int64_t in_row) {
  const Span rows = readers(in_row, g.pad_top, g.kernel_h, g.stride_h, g.out_h);
  for (std::int64_t iw = 0; iw < g.in_w; ++iw) {
    const Span columns = readers(iw, g.pad_left, g.kernel_w, g.stride_w, g.out_w);
    std::int64_t c = 0;
    for (; c + kWidth <= g.channels; c += kWidth)
      gather_pixel(dx, rule, in_row, iw, rows, columns, c, g, WholeVector{});
    if (c < g.channels)
      gather_pixel(dx, rule, in_row, iw, rows, columns, c, g, PartialVector(g.channels - c));
  }
}

template <typename Index>
void max_scatter(float* dx, const float* dy, const Index* winners, const Pool2dGeometry& g,
                 std::int64_t out_row) {
  scatter_row(dx, MaxRule<Index>{dy, winners}, g, out_row);
}
template <typename Index>
void max_gather(float* dx, const float* dy, const Index* winners, const Pool2dGeometry& g,
                std::int64_t in_row) {
  gather_row(dx, MaxRule<Index>{dy, winners}, g, in_row);
}

void average_scatter(float* dx, const float* dy, const Pool2dGeometry& g, std::int64_t out_row,
                     Divisor divisor) {
  scatter_row(dx, AverageRule{dy, divisor}, g, out_row);
}
void average_gather(float* dx, const float* dy, const Pool2dGeometry& g, std::int64_t in_row,
                    Divisor divisor) {
  gather_row(dx, AverageRule{dy, divisor}, g, in_row);
}

void lp_scatter(float* dx, const float* dy, const float* x, const float* y, const Pool2dGeometry& g,
                std::int64_t out_row, int p) {
  if (p == 2) return scatter_row(dx, L2Rule{dy, x, y}, g, out_row);
  scatter_row(dx, LpRule{dy, x, y, p}, g, out_row);
}
void lp_gather(float* dx, const float* dy, const float* x, const float* y, const Pool2dGeometry& g,
               std::int64_t in_row, int p) {
  if (p == 2) return gather_row(dx, L2Rule{dy, x, y}, g, in_row);
  gather_row(dx, LpRule{dy, x, y, p}, g, in_row);
}

}  // namespace
}  // namespace receptive
