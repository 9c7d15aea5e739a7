// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution over the vector vocabulary: the sums. A block of outputs goes through all channels
// before the next one, so that memory is read in order. Include after a vec.h.
#pragma once

#include "kernels/depthwise_kernels.h"
#include "kernels/generic/depthwise_gradient.inl.h"
#include "kernels/generic/lanes.inl.h"

namespace receptive {
namespace {

// Outputs that share a vector of the weight: as many chains of multiply-adds as their latency asks for,
// twice.
constexpr int kSumOutputs = 8;
// Outputs that a 3x3 kernel slides over before the next channels.
constexpr std::int64_t kSlideOutputs = 28;

template <typename Range>
inline void finish(const DepthwiseSums& sums, Vec value, std::int64_t o, std::int64_t c, Range range) {
  float* const y = sums.y + o * sums.y_step + c;
  if (sums.accumulate) value = add(range.load(y), value);
  if (sums.bias != nullptr) value = add(value, range.load(sums.bias + c));
  if (sums.relu) value = max(zero(), value);
  range.store(y, value);
}

// Outputs [o, o + kOutputs) under taps [first, last), which are inside for all of them.
template <int kOutputs, typename Range>
inline void sum_outputs(const DepthwiseSums& sums, std::int64_t o, std::int64_t c, const Span& taps,
                        Range range) {
  const DepthwiseRow& at = sums.at;
  const std::int64_t next = at.stride * at.x_step, dilation = at.dilation * at.x_step;
  const float* x_row = at.x + pixel_of(at, o, taps.begin) * at.x_step + c;
  const float* weight_row = sums.weight + taps.begin * at.weight_tap + c;
  for (std::int64_t i = 0; i < kOutputs * at.stride; ++i)
    ask_ahead(at, (pixel_of(at, o, taps.end - 1) + i) * at.x_step + c);
  Vec total[kOutputs];
#pragma GCC unroll 8
  for (int i = 0; i < kOutputs; ++i) total[i] = zero();
  for (std::int64_t r = 0; r < at.rows; ++r, x_row += at.x_row, weight_row += at.weight_row) {
    const float* x = x_row;
    const float* weight = weight_row;
    for (std::int64_t t = taps.begin; t < taps.end; ++t, x += dilation, weight += at.weight_tap) {
      const Vec w = range.load(weight);
#pragma GCC unroll 8
      for (int i = 0; i < kOutputs; ++i) total[i] = fma(range.load(x + i * next), w, total[i]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kOutputs; ++i) {
    __builtin_prefetch(sums.y + (o + i + at.outputs) * sums.y_step + c, 1, 2);
    finish(sums, total[i], o + i, c, range);
  }
}

template <int kOutputs>
inline void sum_channels(const DepthwiseSums& sums, std::int64_t o, const Span& taps) {
  std::int64_t c = 0;
  for (; c + kWidth <= sums.at.channels; c += kWidth) sum_outputs<kOutputs>(sums, o, c, taps, WholeVector{});
  if (c < sums.at.channels) sum_outputs<kOutputs>(sums, o, c, taps, PartialVector(sums.at.channels - c));
}

// Outputs of a kernel three taps wide, at stride 1 and undilated: its weight stays in registers, each pixel
// is read once, and three outputs are under way. Each of them has a tap inside.
template <int kRows, typename Range>
inline void slide_outputs(const DepthwiseSums& sums, const Span& outputs, std::int64_t c, Range range) {
  const DepthwiseRow& at = sums.at;
  Vec w[kRows][3];
#pragma GCC unroll 3
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int t = 0; t < 3; ++t) w[r][t] = range.load(sums.weight + r * at.weight_row + t * at.weight_tap + c);
  }
  const std::int64_t x_row = at.x_row, x_step = at.x_step;
  const std::int64_t first_pixel = at_least(pixel_of(at, outputs.begin, 0), 0);
  const std::int64_t last_pixel = at_most(pixel_of(at, outputs.end - 1, 2), at.in_w - 1);
  const float* x = at.x + first_pixel * x_step + c;
  Vec second = zero(), third = zero();  // of the outputs that have two and one pixels of each row to come
  std::int64_t o = first_pixel + at.pad - 2;  // the output that this pixel completes
  for (; o <= last_pixel + at.pad - 2; ++o, x += x_step) {
    Vec column[kRows];
#pragma GCC unroll 3
    for (int r = 0; r < kRows; ++r) column[r] = range.load(x + r * x_row);
    ask_ahead(at, x - at.x);
    Vec first = mul(column[0], w[0][0]), complete = third;
#pragma GCC unroll 3
    for (int r = 0; r < kRows; ++r) {
      if (r > 0) first = fma(column[r], w[r][0], first);
      second = fma(column[r], w[r][1], second);
      complete = fma(column[r], w[r][2], complete);
    }
    if (o >= outputs.begin) finish(sums, complete, o, c, range);
    third = second;
    second = first;
  }
  for (; o < outputs.end; ++o) {
    finish(sums, third, o, c, range);
    third = second;
  }
}

template <int kRows>
inline void slide_channels(const DepthwiseSums& sums, const Span& outputs) {
  std::int64_t c = 0;
  for (; c + kWidth <= sums.at.channels; c += kWidth) slide_outputs<kRows>(sums, outputs, c, WholeVector{});
  if (c < sums.at.channels) slide_outputs<kRows>(sums, outputs, c, PartialVector(sums.at.channels - c));
}

void depthwise_sums(const DepthwiseSums& sums) {
  const DepthwiseRow& at = sums.at;
  const bool slides = is_slide(at);
  const Span inside = slides ? outputs_reaching(at) : outputs_inside(at), all = {0, at.taps};
  for (std::int64_t o = 0; o < inside.begin; ++o) sum_channels<1>(sums, o, taps_inside(at, o));
  std::int64_t o = inside.begin;
  for (; slides && o < inside.end; o += kSlideOutputs) {
    const Span outputs = {o, at_most(o + kSlideOutputs, inside.end)};
    if (at.rows == 3) {
      slide_channels<3>(sums, outputs);
    } else if (at.rows == 2) {
      slide_channels<2>(sums, outputs);
    } else {
      slide_channels<1>(sums, outputs);
    }
  }
  for (; o + kSumOutputs <= inside.end; o += kSumOutputs) sum_channels<kSumOutputs>(sums, o, all);
  for (; o + 3 <= inside.end; o += 3) sum_channels<3>(sums, o, all);
  for (; o < inside.end; ++o) sum_channels<1>(sums, o, all);
  for (o = inside.end; o < at.outputs; ++o) sum_channels<1>(sums, o, taps_inside(at, o));
}

// One vector of lanes of pixels, picked from the one or two vectors that hold them. A and B tell what may be
// read at `from` and behind it.
template <typename A, typename B, typename Lanes>
inline void spread_pixels(float* to, std::int64_t to_step, const float* from, std::int64_t from_step,
                          std::int64_t pixels, Picks picks, A low, B high, Lanes written) {
  for (std::int64_t p = 0; p < pixels; ++p, to += to_step, from += from_step)
    written.store(to, pick(low.load(from), high.load(from + kWidth), picks));
}

struct NoVector {
  inline Vec load(const float*) const { return zero(); }
};

template <typename Lanes>
inline void spread_lanes(float* to, std::int64_t to_step, const float* from, std::int64_t from_step,
                         std::int64_t pixels, const float* end, const std::int32_t* lanes, int count,
                         Lanes written) {
  const std::int32_t span = lanes[count - 1] - lanes[0] + 1;
  if (span > 2 * kWidth) {
    for (std::int64_t p = 0; p < pixels; ++p, to += to_step, from += from_step) {
      for (int l = 0; l < count; ++l) to[l] = from[lanes[l]];
    }
    return;
  }
  std::int32_t indices[kWidth];
  for (int l = 0; l < kWidth; ++l) indices[l] = l < count ? lanes[l] - lanes[0] : 0;
  const Picks picks = load_picks(indices);
  from += lanes[0];
  // Where more pixels follow, whole vectors may be read.
  const std::int64_t room = end - from - 2 * kWidth;
  const std::int64_t whole = room < 0 ? 0 : at_most(room / from_step + 1, pixels), rest = pixels - whole;
  float* const to_rest = to + whole * to_step;
  const float* const from_rest = from + whole * from_step;
  if (span <= kWidth) {
    spread_pixels(to, to_step, from, from_step, whole, picks, WholeVector{}, NoVector{}, written);
    spread_pixels(to_rest, to_step, from_rest, from_step, rest, picks, PartialVector(span), NoVector{},
                  written);
    return;
  }
  spread_pixels(to, to_step, from, from_step, whole, picks, WholeVector{}, WholeVector{}, written);
  spread_pixels(to_rest, to_step, from_rest, from_step, rest, picks, WholeVector{},
                PartialVector(span - kWidth), written);
}

void spread(float* to, std::int64_t to_step, const float* from, std::int64_t from_step, std::int64_t pixels,
            const std::int32_t* lanes, std::int64_t count) {
  if (pixels <= 0) return;
  const float* const end = from + (pixels - 1) * from_step + lanes[count - 1] + 1;
  std::int64_t l = 0;
  for (; l + kWidth <= count; l += kWidth)
    spread_lanes(to + l, to_step, from, from_step, pixels, end, lanes + l, kWidth, WholeVector{});
  if (l < count) {
    const int some = static_cast<int>(count - l);
    spread_lanes(to + l, to_step, from, from_step, pixels, end, lanes + l, some, PartialVector(some));
  }
}

constexpr DepthwiseKernels kDepthwiseKernels = {depthwise_sums, depthwise_gradient, spread};

}  // namespace
}  // namespace receptive
