// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution over the vector vocabulary: what lies inside the image, and the gradient of the
// weight. Include after a vec.h.
#pragma once

#include "kernels/depthwise_kernels.h"
#include "kernels/generic/lanes.inl.h"

namespace receptive {
namespace {

struct Span {
  std::int64_t begin, end;
};

inline std::int64_t at_least(std::int64_t value, std::int64_t low) { return value < low ? low : value; }
inline std::int64_t at_most(std::int64_t value, std::int64_t high) { return value > high ? high : value; }
// value / by rounded up, and 0 for negative values
inline std::int64_t steps_to(std::int64_t value, std::int64_t by) {
  return value <= 0 ? 0 : (value + by - 1) / by;
}

inline std::int64_t pixel_of(const DepthwiseRow& at, std::int64_t o, std::int64_t tap) {
  return o * at.stride + tap * at.dilation - at.pad;
}

// Asks for the same place in the rows that come next.
inline void ask_ahead(const DepthwiseRow& at, std::int64_t place) {
  for (std::int64_t r = 0; r < at.rows_ahead; ++r)
    __builtin_prefetch(at.x_ahead + r * at.row_ahead + place, 0, 2);
}

// The taps of output o that are inside; none if they end where they begin.
inline Span taps_inside(const DepthwiseRow& at, std::int64_t o) {
  const std::int64_t left = pixel_of(at, o, 0);
  const std::int64_t end = at_most(steps_to(at.in_w - left, at.dilation), at.taps);
  return {at_most(steps_to(-left, at.dilation), end), end};
}

// The outputs whose taps are all inside.
inline Span outputs_inside(const DepthwiseRow& at) {
  const std::int64_t begin = at_most(steps_to(at.pad, at.stride), at.outputs);
  const std::int64_t room = at.in_w + at.pad - (at.taps - 1) * at.dilation;
  return {begin, at_least(at_most(steps_to(room, at.stride), at.outputs), begin)};
}

// The outputs that have a tap inside, where they are neighbours: taps that follow each other at stride 1.
inline Span outputs_reaching(const DepthwiseRow& at) {
  const std::int64_t begin = at_most(at_least(at.pad - at.taps + 1, 0), at.outputs);
  return {begin, at_least(at_most(at.in_w + at.pad, at.outputs), begin)};
}

// Whether a kernel three wide slides over its pixels one by one.
inline bool is_slide(const DepthwiseRow& at) {
  return at.taps == 3 && at.stride == 1 && at.dilation == 1 && at.rows >= 1 && at.rows <= 3;
}

// Row `row` of a gradient alone.
inline DepthwiseGradient row_of(const DepthwiseGradient& gradient, std::int64_t row) {
  DepthwiseGradient one = gradient;
  one.at.x += row * gradient.x_next;
  one.dy += row * gradient.dy_row;
  return one;
}

// The gradient of kTaps neighbouring taps of one kernel row, from outputs whose taps are all inside.
template <int kTaps, typename Range>
inline void gradient_taps(const DepthwiseGradient& gradient, std::int64_t r, std::int64_t tap,
                          const Span& outputs, std::int64_t c, Range range) {
  const DepthwiseRow& at = gradient.at;
  float* const to = gradient.dweight + r * at.weight_row + tap * at.weight_tap + c;
  const std::int64_t weight_tap = at.weight_tap, dilation = at.dilation * at.x_step,
                     next = at.stride * at.x_step;
  const float* x_row = at.x + r * at.x_row + pixel_of(at, outputs.begin, tap) * at.x_step + c;
  const float* dy_row = gradient.dy + outputs.begin * gradient.dy_step + c;
  Vec total[kTaps];
#pragma GCC unroll 5
  for (int t = 0; t < kTaps; ++t) total[t] = zero();
  for (std::int64_t row = 0; row < gradient.out_rows;
       ++row, x_row += gradient.x_next, dy_row += gradient.dy_row) {
    const float* x = x_row;
    const float* dy = dy_row;
    for (std::int64_t o = outputs.begin; o < outputs.end; ++o, x += next, dy += gradient.dy_step) {
      const Vec d = range.load(dy);
      if (tap == 0 && r == 0) {
        __builtin_prefetch(dy + gradient.out_rows * gradient.dy_row, 0, 2);
        for (std::int64_t i = 0; i < at.stride; ++i) ask_ahead(at, x - at.x + i * at.x_step);
      }
#pragma GCC unroll 5
      for (int t = 0; t < kTaps; ++t) total[t] = fma(range.load(x + t * dilation), d, total[t]);
    }
  }
#pragma GCC unroll 5
  for (int t = 0; t < kTaps; ++t)
    range.store(to + t * weight_tap, add(range.load(to + t * weight_tap), total[t]));
}

template <int kTaps, typename Range>
inline void gradient_chunk(const DepthwiseGradient& gradient, std::int64_t r, std::int64_t tap,
                           std::int64_t count, const Span& outputs, std::int64_t c, Range range) {
  if (count == kTaps) return gradient_taps<kTaps>(gradient, r, tap, outputs, c, range);
  if constexpr (kTaps > 1) gradient_chunk<kTaps - 1>(gradient, r, tap, count, outputs, c, range);
}

// Outputs at the borders: tap by tap.
template <typename Range>
inline void gradient_border(const DepthwiseGradient& gradient, std::int64_t o, std::int64_t c, Range range) {
  const DepthwiseRow& at = gradient.at;
  const Span taps = taps_inside(at, o);
  const Vec d = range.load(gradient.dy + o * gradient.dy_step + c);
  for (std::int64_t r = 0; r < at.rows; ++r) {
    for (std::int64_t t = taps.begin; t < taps.end; ++t) {
      float* const to = gradient.dweight + r * at.weight_row + t * at.weight_tap + c;
      const Vec x = range.load(at.x + r * at.x_row + pixel_of(at, o, t) * at.x_step + c);
      range.store(to, fma(x, d, range.load(to)));
    }
  }
}

// The sums of a kernel three wide stay in registers, and each pixel is read once for the taps over it: taps
// [kFirst, kEnd) of kOutputs outputs, whose pixels under tap 0 begin at x.
template <int kRows, int kOutputs, int kFirst, int kEnd, typename Range>
inline void gradient_slide(Vec total[kRows][3], const DepthwiseGradient& gradient, const float* x,
                           const float* dy, Range range) {
  const DepthwiseRow& at = gradient.at;
  Vec d[kOutputs];
#pragma GCC unroll 4
  for (int i = 0; i < kOutputs; ++i) {
    d[i] = range.load(dy + i * gradient.dy_step);
    __builtin_prefetch(dy + i * gradient.dy_step + gradient.out_rows * gradient.dy_row, 0, 2);
    ask_ahead(at, x - at.x + i * at.x_step);
  }
#pragma GCC unroll 3
  for (int r = 0; r < kRows; ++r) {
    const float* pixels = x + r * at.x_row + kFirst * at.x_step;
#pragma GCC unroll 6
    for (int column = kFirst; column < kOutputs + kEnd - 1; ++column, pixels += at.x_step) {
      const Vec pixel = range.load(pixels);
#pragma GCC unroll 3
      for (int t = kFirst; t < kEnd; ++t) {
        const int i = column - t;
        if (i >= 0 && i < kOutputs) total[r][t] = fma(pixel, d[i], total[r][t]);
      }
    }
  }
}

template <int kRows, typename Range>
inline void slide_gradient(const DepthwiseGradient& gradient, const Span& inside, std::int64_t c,
                           Range range) {
  constexpr int kOutputs = 4;  // nine sums, four outputs and a pixel fit into 16 registers
  const DepthwiseRow& at = gradient.at;
  const std::int64_t x_step = at.x_step, dy_step = gradient.dy_step;
  Vec total[kRows][3];
#pragma GCC unroll 3
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int t = 0; t < 3; ++t) total[r][t] = zero();
  }
  const float* x_row = at.x + pixel_of(at, 0, 0) * x_step + c;
  const float* dy_row = gradient.dy + c;
  for (std::int64_t row = 0; row < gradient.out_rows;
       ++row, x_row += gradient.x_next, dy_row += gradient.dy_row) {
    if (inside.begin == 1) gradient_slide<kRows, 1, 1, 3>(total, gradient, x_row, dy_row, range);
    std::int64_t o = inside.begin;
    for (; o + kOutputs <= inside.end; o += kOutputs)
      gradient_slide<kRows, kOutputs, 0, 3>(total, gradient, x_row + o * x_step, dy_row + o * dy_step, range);
    for (; o < inside.end; ++o)
      gradient_slide<kRows, 1, 0, 3>(total, gradient, x_row + o * x_step, dy_row + o * dy_step, range);
    if (o < at.outputs)
      gradient_slide<kRows, 1, 0, 2>(total, gradient, x_row + o * x_step, dy_row + o * dy_step, range);
  }
  float* const to = gradient.dweight + c;
#pragma GCC unroll 3
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int t = 0; t < 3; ++t) {
      float* const tap = to + r * at.weight_row + t * at.weight_tap;
      range.store(tap, add(range.load(tap), total[r][t]));
    }
  }
}

// Whether the borders are such that a kernel three wide slides over all outputs: one at either end may lack a
// tap.
inline bool is_slide_with_borders(const DepthwiseRow& at, const Span& inside) {
  return is_slide(at) && inside.begin <= 1 && inside.begin < inside.end && at.outputs - inside.end <= 1 &&
         at.pad - inside.begin == 0;
}

template <typename Range>
inline void gradient_channels(const DepthwiseGradient& gradient, const Span& inside, std::int64_t c,
                              Range range) {
  constexpr int kTaps = 5;
  const DepthwiseRow& at = gradient.at;
  if (is_slide_with_borders(at, inside)) {
    if (at.rows == 3) return slide_gradient<3>(gradient, inside, c, range);
    if (at.rows == 2) return slide_gradient<2>(gradient, inside, c, range);
    return slide_gradient<1>(gradient, inside, c, range);
  }
  for (std::int64_t row = 0; row < gradient.out_rows; ++row) {
    const DepthwiseGradient one = row_of(gradient, row);
    for (std::int64_t o = 0; o < inside.begin; ++o) gradient_border(one, o, c, range);
    for (std::int64_t o = inside.end; o < at.outputs; ++o) gradient_border(one, o, c, range);
  }
  for (std::int64_t r = 0; r < at.rows; ++r) {
    for (std::int64_t t = 0; t < at.taps; t += kTaps)
      gradient_chunk<kTaps>(gradient, r, t, at_most(at.taps - t, kTaps), inside, c, range);
  }
}

void depthwise_gradient(const DepthwiseGradient& gradient) {
  const Span inside = outputs_inside(gradient.at);
  std::int64_t c = 0;
  for (; c + kWidth <= gradient.at.channels; c += kWidth)
    gradient_channels(gradient, inside, c, WholeVector{});
  if (c < gradient.at.channels)
    gradient_channels(gradient, inside, c, PartialVector(gradient.at.channels - c));
}

}  // namespace
}  // namespace receptive
