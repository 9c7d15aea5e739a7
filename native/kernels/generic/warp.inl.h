// SPDX-License-Identifier: Apache-2.0
// Reading images between pixels, over the vector vocabulary. Include after a vec.h.
//
// Places are worked out for a vector of pixels at a time. Pixels of one channel are then blended side by
// side; of those of more, each is blended by itself, four channels at a time, which lie together.
#pragma once

#include "kernels/generic/lanes.inl.h"
#include "kernels/warp_kernels.h"

namespace receptive {
namespace {

// kWidth places: where the pixel above and to the left begins, and how far they are from it.
struct Places {
  std::int64_t offsets[kWidth];
  Vec down, right;
};

// A place along an axis of so many pixels, brought to where it can be read: into the margin, or the image.
inline Doubles readable(Doubles place, std::int64_t size, bool is_reflected) {
  // min and max return their second operand for NaN.
  if (!is_reflected) {
    const Doubles outside = max(place, broadcast_doubles(-MarginImage::kMargin));
    return min(outside, broadcast_doubles(static_cast<double>(size)));
  }
  const Doubles last = broadcast_doubles(static_cast<double>(size - 1));
  const Doubles period = broadcast_doubles(static_cast<double>(2 * (size - 1)));
  const Doubles within = sub(place, mul(floor(div(place, period)), period));
  return max(min(min(within, sub(period, within)), last), broadcast_doubles(0));
}

inline void locate(Places* places, const MarginImage& image, Doubles y, Doubles x) {
  y = readable(y, image.height, image.is_reflected);
  x = readable(x, image.width, image.is_reflected);
  const Doubles row = floor(y), column = floor(x);
  const double stride = static_cast<double>(image.width + 2 * MarginImage::kMargin);
  const double first = MarginImage::kMargin * stride + MarginImage::kMargin;
  const Doubles pixel = add(add(mul(row, broadcast_doubles(stride)), column), broadcast_doubles(first));
  store_integers(places->offsets, mul(pixel, broadcast_doubles(static_cast<double>(image.channels))));
  places->down = to_floats(sub(y, row));
  places->right = to_floats(sub(x, column));
}

template <typename Lanes>
inline Lanes blend(Lanes from, Lanes to, Lanes share) {
  return add(from, mul(share, sub(to, from)));
}

template <typename Range>
inline void blend_single(float* out, const MarginImage& image, const Places& places, Range lanes) {
  Vec corners[4];
  load_pairs(image.pixels, places.offsets, &corners[0], &corners[1]);
  load_pairs(image.pixels + image.stride(), places.offsets, &corners[2], &corners[3]);
  const Vec top = blend(corners[0], corners[1], places.right);
  const Vec bottom = blend(corners[2], corners[3], places.right);
  lanes.store(out, blend(top, bottom, places.down));
}

// Writes whole quads: up to three floats behind the pixel.
template <bool kIsQuad>
inline void blend_pixel(float* out, const float* from, std::int64_t channels, std::int64_t stride, Quad down,
                        Quad right) {
  for (std::int64_t c = 0; c < (kIsQuad ? 1 : channels); c += 4) {
    const float* above = from + c;
    const float* below = above + stride;
    const Quad top = blend(load_quad(above), load_quad(above + channels), right);
    const Quad bottom = blend(load_quad(below), load_quad(below + channels), right);
    store_quad(out + c, blend(top, bottom, down));
  }
}

constexpr int kMostChannels = 16;

template <bool kIsQuad>
inline void blend_pixels(float* out, const MarginImage& image, const Places& places, int count, bool is_end) {
  const std::int64_t channels = image.channels, stride = image.stride();
  float down[kWidth], right[kWidth];
  store(down, places.down);
  store(right, places.right);
  const int whole = is_end ? count - 1 : count;
  for (int i = 0; i < whole; ++i)
    blend_pixel<kIsQuad>(out + i * channels, image.pixels + places.offsets[i], channels, stride,
                         broadcast_quad(down[i]), broadcast_quad(right[i]));
  if (whole == count) return;
  // Behind the last pixel there may be another image.
  float last[kMostChannels];
  blend_pixel<kIsQuad>(last, image.pixels + places.offsets[whole], channels, stride,
                       broadcast_quad(down[whole]), broadcast_quad(right[whole]));
  for (std::int64_t c = 0; c < channels; ++c) out[whole * channels + c] = last[c];
}

// The pixels from column `first` on, of a row.
inline void blend_places(float* row, const MarginImage& image, const Places& places, std::int64_t first) {
  const std::int64_t left = image.width - first;
  float* out = row + first * image.channels;
  if (image.channels != 1) {
    const int count = static_cast<int>(left < kWidth ? left : kWidth);
    if (image.channels <= 4)
      blend_pixels<true>(out, image, places, count, left <= kWidth);
    else
      blend_pixels<false>(out, image, places, count, left <= kWidth);
  } else if (left >= kWidth) {
    blend_single(out, image, places, WholeVector{});
  } else {
    blend_single(out, image, places, PartialVector(left));
  }
}

void affine_row(float* out, const MarginImage& image, double y, double x, double down, double right) {
  for (std::int64_t i = 0; i < image.width; i += kWidth) {
    const Doubles column = add(broadcast_doubles(static_cast<double>(i)), lane_numbers());
    Places places;
    locate(&places, image, add(broadcast_doubles(y), mul(broadcast_doubles(down), column)),
           add(broadcast_doubles(x), mul(broadcast_doubles(right), column)));
    blend_places(out, image, places, i);
  }
}

void displaced_row(float* out, const MarginImage& image, double y, double scale, const float* down,
                   const float* right) {
  for (std::int64_t i = 0; i < image.width; i += kWidth) {
    const std::int64_t left = image.width - i;
    const Mask lanes = first_lanes(static_cast<int>(left < kWidth ? left : kWidth));
    const Doubles column = add(broadcast_doubles(static_cast<double>(i)), lane_numbers());
    const Doubles by = broadcast_doubles(scale);
    Places places;
    locate(&places, image, add(broadcast_doubles(y), mul(by, to_doubles(load_partial(down + i, lanes)))),
           add(column, mul(by, to_doubles(load_partial(right + i, lanes)))));
    blend_places(out, image, places, i);
  }
}

template <int kVectors>
inline void weighted_sum_fixed(float* out, const float* in, std::int64_t step, const float* weights,
                               std::int64_t taps) {
  Vec total[kVectors];
#pragma GCC unroll 4
  for (int j = 0; j < kVectors; ++j) total[j] = zero();
  for (std::int64_t k = 0; k < taps; ++k) {
    const Vec weight = broadcast(weights[k]);
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j)
      total[j] = add(total[j], mul(weight, load(in + k * step + j * kWidth)));
  }
#pragma GCC unroll 4
  for (int j = 0; j < kVectors; ++j) store(out + j * kWidth, total[j]);
}

void weighted_sum(float* out, const float* in, std::int64_t step, const float* weights, std::int64_t taps,
                  std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 4 * kWidth <= count; i += 4 * kWidth)
    weighted_sum_fixed<4>(out + i, in + i, step, weights, taps);
  for (; i + kWidth <= count; i += kWidth) weighted_sum_fixed<1>(out + i, in + i, step, weights, taps);
  if (i == count) return;
  const Mask lanes = first_lanes(static_cast<int>(count - i));
  Vec total = zero();
  for (std::int64_t k = 0; k < taps; ++k)
    total = add(total, mul(broadcast(weights[k]), load_partial(in + k * step + i, lanes)));
  store_partial(out + i, lanes, total);
}

constexpr WarpKernels kWarpKernels = {affine_row, displaced_row, weighted_sum};

}  // namespace
}  // namespace receptive
