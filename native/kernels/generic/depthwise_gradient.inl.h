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

// Whether a kernel three wide slides over its pixels one by one.
inline bool is_slide(const DepthwiseRow& at) {
  return at.taps == 3 && at.stride == 1 && at.dilation == 1 && (at.rows == 2 || at.rows == 3);
}

// The gradient of kTaps neighbouring taps of one kernel row, from outputs whose taps are all inside.
template <int kTaps, typename Range>
inline void gradient_taps(const DepthwiseGradient& gradient, std::int64_t r, std::int64_t tap,
                          const Span& outputs, std::int64_t c, Range range) {
  const DepthwiseRow& at = gradient.at;
  float* const to = gradient.dweight + r * at.weight_row + tap * at.weight_tap + c;
  const std::int64_t weight_tap = at.weight_tap, dilation = at.dilation * at.x_step,
                     next = at.stride * at.x_step;
  const float* x = at.x + r * at.x_row + pixel_of(at, outputs.begin, tap) * at.x_step + c;
  const float* dy = gradient.dy + outputs.begin * gradient.dy_step + c;
  Vec total[kTaps];
#pragma GCC unroll 5
  for (int t = 0; t < kTaps; ++t) total[t] = zero();
  for (std::int64_t o = outputs.begin; o < outputs.end; ++o, x += next, dy += gradient.dy_step) {
    const Vec d = range.load(dy);
#pragma GCC unroll 5
    for (int t = 0; t < kTaps; ++t) total[t] = fma(range.load(x + t * dilation), d, total[t]);
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

// The whole gradient of a kernel three wide in registers: each pixel is read once for the three taps over it.
template <int kRows, int kOutputs, typename Range>
inline void gradient_slide(Vec total[kRows][3], const DepthwiseGradient& gradient, const float* x,
                           const float* dy, Range range) {
  const DepthwiseRow& at = gradient.at;
  Vec d[kOutputs];
#pragma GCC unroll 4
  for (int i = 0; i < kOutputs; ++i) d[i] = range.load(dy + i * gradient.dy_step);
#pragma GCC unroll 3
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 6
    for (int column = 0; column < kOutputs + 2; ++column) {
      const Vec pixel = range.load(x + r * at.x_row + column * at.x_step);
#pragma GCC unroll 3
      for (int t = 0; t < 3; ++t) {
        const int i = column - t;
        if (i >= 0 && i < kOutputs) total[r][t] = fma(pixel, d[i], total[r][t]);
      }
    }
  }
}

template <int kRows, typename Range>
inline void slide_gradient(const DepthwiseGradient& gradient, const Span& outputs, std::int64_t c,
                           Range range) {
  constexpr int kOutputs = 4;  // nine sums, four outputs and a pixel fit into 16 registers
  const DepthwiseRow& at = gradient.at;
  float* const to = gradient.dweight + c;
  Vec total[kRows][3];
#pragma GCC unroll 3
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int t = 0; t < 3; ++t) total[r][t] = zero();
  }
  const float* x = at.x + pixel_of(at, outputs.begin, 0) * at.x_step + c;
  const float* dy = gradient.dy + outputs.begin * gradient.dy_step + c;
  std::int64_t o = outputs.begin;
  for (; o + kOutputs <= outputs.end;
       o += kOutputs, x += kOutputs * at.x_step, dy += kOutputs * gradient.dy_step)
    gradient_slide<kRows, kOutputs>(total, gradient, x, dy, range);
  for (; o < outputs.end; ++o, x += at.x_step, dy += gradient.dy_step)
    gradient_slide<kRows, 1>(total, gradient, x, dy, range);
#pragma GCC unroll 3
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int t = 0; t < 3; ++t) {
      float* const at_tap = to + r * at.weight_row + t * at.weight_tap;
      range.store(at_tap, add(range.load(at_tap), total[r][t]));
    }
  }
}

template <typename Range>
inline void gradient_channels(const DepthwiseGradient& gradient, const Span& inside, std::int64_t c,
                              Range range) {
  constexpr int kTaps = 5;
  const DepthwiseRow& at = gradient.at;
  for (std::int64_t o = 0; o < inside.begin; ++o) gradient_border(gradient, o, c, range);
  if (is_slide(at)) {
    at.rows == 3 ? slide_gradient<3>(gradient, inside, c, range)
                 : slide_gradient<2>(gradient, inside, c, range);
  } else {
    for (std::int64_t r = 0; r < at.rows; ++r) {
      for (std::int64_t t = 0; t < at.taps; t += kTaps)
        gradient_chunk<kTaps>(gradient, r, t, at_most(at.taps - t, kTaps), inside, c, range);
    }
  }
  for (std::int64_t o = inside.end; o < at.outputs; ++o) gradient_border(gradient, o, c, range);
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
