// SPDX-License-Identifier: Apache-2.0
// Brightness, contrast, saturation and hue over the vector vocabulary. Include after a vec.h.
#pragma once

#include "kernels/colour_kernels.h"

namespace receptive {
namespace {

// NaN stays NaN: min and max return their second operand for it.
inline Vec within_unit(Vec value) { return min(broadcast(1), max(zero(), value)); }

// [count][channels] and planes, turned into each other as they are.
template <int kChannels>
inline void split_pixels(const ColourPlanes& planes, const float* pixels) {
  for (std::int64_t i = 0; i < planes.count; ++i)
    for (int c = 0; c < kChannels; ++c) planes.values[c * planes.stride + i] = pixels[i * kChannels + c];
}

template <int kChannels>
inline void join_pixels(float* pixels, const ColourPlanes& planes) {
  for (std::int64_t i = 0; i < planes.count; ++i)
    for (int c = 0; c < kChannels; ++c) pixels[i * kChannels + c] = planes.values[c * planes.stride + i];
}

void to_planes(const ColourPlanes& planes, const float* pixels, const float* deviation, const float* mean,
               float brightness) {
  const std::int64_t channels = planes.channels, stride = planes.stride;
  if (channels == 1) {
    split_pixels<1>(planes, pixels);
  } else if (channels == 3) {
    split_pixels<3>(planes, pixels);
  } else {
    for (std::int64_t i = 0; i < planes.count; ++i)
      for (std::int64_t c = 0; c < channels; ++c) planes.values[c * stride + i] = pixels[i * channels + c];
  }
  const Vec by = broadcast(brightness);
  for (std::int64_t c = 0; c < channels; ++c) {
    float* plane = planes.values + c * stride;
    const Vec scale = broadcast(deviation[c]), offset = broadcast(mean[c]);
    for (std::int64_t i = planes.count; i < stride; ++i) plane[i] = 0;
    for (std::int64_t i = 0; i < stride; i += kWidth)
      store(plane + i, within_unit(mul(add(mul(load(plane + i), scale), offset), by)));
    for (std::int64_t i = planes.count; i < stride; ++i) plane[i] = 0;
  }
}

void from_planes(float* pixels, const ColourPlanes& planes, const float* mean, const float* inverse) {
  const std::int64_t channels = planes.channels, stride = planes.stride;
  for (std::int64_t c = 0; c < channels; ++c) {
    float* plane = planes.values + c * stride;
    const Vec scale = broadcast(inverse[c]), offset = broadcast(mean[c]);
    for (std::int64_t i = 0; i < stride; i += kWidth)
      store(plane + i, mul(sub(load(plane + i), offset), scale));
  }
  if (channels == 1) return join_pixels<1>(pixels, planes);
  if (channels == 3) return join_pixels<3>(pixels, planes);
  for (std::int64_t i = 0; i < planes.count; ++i)
    for (std::int64_t c = 0; c < channels; ++c) pixels[i * channels + c] = planes.values[c * stride + i];
}

inline Vec grey_at(const ColourPlanes& planes, std::int64_t i) {
  const float* at = planes.values + i;
  const std::int64_t stride = planes.stride;
  if (planes.channels == 3) {
    const Vec red = mul(broadcast(0.299f), load(at)), green = mul(broadcast(0.587f), load(at + stride));
    return add(add(red, green), mul(broadcast(0.114f), load(at + 2 * stride)));
  }
  Vec sum = load(at);
  for (std::int64_t c = 1; c < planes.channels; ++c) sum = add(sum, load(at + c * stride));
  return div(sum, broadcast(static_cast<float>(planes.channels)));
}

double grey_sum(const ColourPlanes& planes) {
  constexpr int kVectors = ColourPlanes::kLanes / kWidth;
  Doubles total[kVectors];
  for (int j = 0; j < kVectors; ++j) total[j] = broadcast_doubles(0);
  for (std::int64_t i = 0; i < planes.stride; i += ColourPlanes::kLanes)
    for (int j = 0; j < kVectors; ++j) total[j] = add(total[j], to_doubles(grey_at(planes, i + j * kWidth)));
  double lanes[ColourPlanes::kLanes], sum = 0;
  for (int j = 0; j < kVectors; ++j) store_doubles(lanes + j * kWidth, total[j]);
  for (int j = 0; j < ColourPlanes::kLanes; ++j) sum += lanes[j];
  return sum;
}

void stretch(const ColourPlanes& planes, float average, float contrast, float saturation) {
  const Vec middle = broadcast(average), by = broadcast(contrast), colour = broadcast(saturation);
  for (std::int64_t i = 0; i < planes.stride; i += kWidth) {
    float* at = planes.values + i;
    for (std::int64_t c = 0; c < planes.channels; ++c) {
      float* value = at + c * planes.stride;
      store(value, within_unit(add(middle, mul(by, sub(load(value), middle)))));
    }
    const Vec grey = grey_at(planes, i);
    for (std::int64_t c = 0; c < planes.channels; ++c) {
      float* value = at + c * planes.stride;
      store(value, within_unit(add(grey, mul(colour, sub(load(value), grey)))));
    }
  }
}

// A place on a circle of 6, from -6 to 12, brought to 0 to 6.
inline Vec around(Vec place) {
  const Vec six = broadcast(6);
  place = select(less(place, zero()), add(place, six), place);
  return select(less(place, six), place, sub(place, six));
}

void turn_hue(const ColourPlanes& planes, float turn) {
  const std::int64_t stride = planes.stride;
  const Vec six = broadcast(6 * turn), one = broadcast(1), four = broadcast(4);
  for (std::int64_t i = 0; i < stride; i += kWidth) {
    float* at = planes.values + i;
    const Vec red = load(at), green = load(at + stride), blue = load(at + 2 * stride);
    const Vec largest = max(max(red, green), blue), smallest = min(min(red, green), blue);
    const Vec colour = sub(largest, smallest);
    const Vec unit = select(greater(colour, zero()), div(one, colour), zero());
    const Vec of_red = mul(sub(green, blue), unit);
    const Vec of_green = add(mul(sub(blue, red), unit), broadcast(2));
    const Vec of_blue = add(mul(sub(red, green), unit), four);
    const Vec hue = select(equal(largest, red), of_red, select(equal(largest, green), of_green, of_blue));
    const Vec turned = around(add(around(hue), six));
    for (int c = 0; c < 3; ++c) {
      // Red is away from the full value between 1 and 5, green between 3 and 7, blue between 5 and 9.
      const Vec place = around(add(turned, broadcast(static_cast<float>(5 - 2 * c))));
      const Vec less_of_it = max(zero(), min(min(place, sub(four, place)), one));
      store(at + c * stride, sub(largest, mul(colour, less_of_it)));
    }
  }
}

constexpr ColourKernels kColourKernels = {to_planes, grey_sum, stretch, turn_hue, from_planes};

}  // namespace
}  // namespace receptive
