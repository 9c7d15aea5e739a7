// SPDX-License-Identifier: Apache-2.0
// Pooling over the vector vocabulary, vectors along the channels. Include after a vec.h.
#pragma once

#include <math.h>

#include "kernels/generic/lanes.inl.h"
#include "kernels/generic/pool2d_windows.inl.h"
#include "kernels/pool2d_kernels.h"

namespace receptive {
namespace {

template <typename Index>
struct MaxForward {
  float* y;
  Index* winners;

  template <typename Range>
  inline void apply(std::int64_t out, const float* taps, const Window& window, const Pool2dGeometry& g,
                    Range range) const {
    const Vec one = broadcast(1.0f);
    Vec best = broadcast(-__builtin_inff()), winner = broadcast(static_cast<float>(window.first_index()));
    for (std::int64_t kh = window.rows.begin; kh < window.rows.end; ++kh, taps += g.in_w * g.channels) {
      Vec index = broadcast(static_cast<float>(kh * window.kernel_w + window.columns.begin));
      const float* tap = taps;
      for (std::int64_t kw = window.columns.begin; kw < window.columns.end; ++kw, tap += g.channels) {
        const Vec x = range.load(tap);
        const Mask wins = either(greater(x, best), not_equal(x, x));
        best = select(wins, x, best);
        winner = select(wins, index, winner);
        index = add(index, one);
      }
    }
    range.store(y + out, best);
    range.store_integers(winners + out, winner);
  }
};

// What a sum over a window adds for each tap.
struct Plain {
  inline Vec apply(Vec total, Vec x) const { return add(total, x); }
};
struct Squared {
  inline Vec apply(Vec total, Vec x) const { return fma(x, x, total); }
};
struct Powered {
  int p;
  inline Vec apply(Vec total, Vec x) const { return add(total, power(x, p)); }
};

template <typename Term, typename Range>
inline Vec window_sum(const Term& term, const float* taps, const Window& window, const Pool2dGeometry& g,
                      Range range) {
  Vec total = zero();
  for (std::int64_t kh = window.rows.begin; kh < window.rows.end; ++kh, taps += g.in_w * g.channels) {
    const float* tap = taps;
    for (std::int64_t kw = window.columns.begin; kw < window.columns.end; ++kw, tap += g.channels)
      total = term.apply(total, range.load(tap));
  }
  return total;
}

// The p-th root, one lane after another: norms other than the second are rare.
inline Vec root(Vec value, int p) {
  if (p == 1) return value;
  float lanes[kWidth];
  store(lanes, value);
  for (int i = 0; i < kWidth; ++i)
    lanes[i] = static_cast<float>(::pow(static_cast<double>(lanes[i]), 1.0 / p));
  return load(lanes);
}

struct AverageForward {
  float* y;
  Divisor divisor;

  template <typename Range>
  inline void apply(std::int64_t out, const float* taps, const Window& window, const Pool2dGeometry& g,
                    Range range) const {
    const Vec total = window_sum(Plain{}, taps, window, g, range);
    range.store(y + out, div(total, broadcast(window.divisor(g, divisor))));
  }
};

struct L2Forward {
  float* y;

  template <typename Range>
  inline void apply(std::int64_t out, const float* taps, const Window& window, const Pool2dGeometry& g,
                    Range range) const {
    range.store(y + out, sqrt(window_sum(Squared{}, taps, window, g, range)));
  }
};

struct LpForward {
  float* y;
  int p;

  template <typename Range>
  inline void apply(std::int64_t out, const float* taps, const Window& window, const Pool2dGeometry& g,
                    Range range) const {
    range.store(y + out, root(window_sum(Powered{p}, taps, window, g, range), p));
  }
};

template <typename Rule>
inline void forward_pixel(const Rule& rule, std::int64_t out, const float* taps, const Window& window,
                          const Pool2dGeometry& g) {
  std::int64_t c = 0;
  for (; c + kWidth <= g.channels; c += kWidth) rule.apply(out + c, taps + c, window, g, WholeVector{});
  if (c < g.channels) rule.apply(out + c, taps + c, window, g, PartialVector(g.channels - c));
}

// Applies `rule` to each window of a row of outputs. kSide: the side of square windows known when compiling,
// so that loops over those inside the image unroll; else 0.
template <int kSide, typename Rule>
inline void forward_windows(const Rule& rule, const float* x, const Pool2dGeometry& geometry,
                            std::int64_t out_row) {
  const Pool2dGeometry g = geometry;  // a local copy: byte stores could otherwise change it
  const std::int64_t top = out_row * g.stride_h - g.pad_top;
  const Span rows = taps_inside(top, g.kernel_h, g.in_h);
  x += (top + rows.begin) * g.in_w * g.channels;
  for (std::int64_t ow = 0; ow < g.out_w; ++ow) {
    const std::int64_t left = ow * g.stride_w - g.pad_left, out = ow * g.channels;
    const Span columns = taps_inside(left, g.kernel_w, g.in_w);
    const float* taps = x + (left + columns.begin) * g.channels;
    if (kSide > 0 && rows.size() == kSide && columns.size() == kSide) {
      forward_pixel(rule, out, taps, Window{{0, kSide}, {0, kSide}, kSide}, g);
    } else {
      forward_pixel(rule, out, taps, Window{rows, columns, g.kernel_w}, g);
    }
  }
}

template <typename Rule>
inline void forward_row(const Rule& rule, const float* x, const Pool2dGeometry& g, std::int64_t out_row) {
  if (g.kernel_h == 2 && g.kernel_w == 2) return forward_windows<2>(rule, x, g, out_row);
  if (g.kernel_h == 3 && g.kernel_w == 3) return forward_windows<3>(rule, x, g, out_row);
  forward_windows<0>(rule, x, g, out_row);
}

}  // namespace
}  // namespace receptive
