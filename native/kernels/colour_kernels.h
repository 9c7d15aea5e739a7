// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels that change colours. They work on planes, one a channel, of pixel values in [0,
// 1]. Each operation is rounded by itself and sums have 16 lanes: all instruction sets give the same bits.
#pragma once

#include <cstdint>

namespace receptive {

// [channels][stride], of which `count` of each are there; `stride` is a multiple of kLanes.
struct ColourPlanes {
  static constexpr std::int64_t kLanes = 16;
  float* values;
  std::int64_t count, stride, channels;

  static std::int64_t stride_of(std::int64_t count) { return (count + kLanes - 1) / kLanes * kLanes; }
};

struct ColourKernels {
  // planes = (pixel * deviation + mean) * brightness of its channel, within [0, 1]; zeros behind the last
  // pixel. `pixels` are [count][channels].
  void (*to_planes)(const ColourPlanes& planes, const float* pixels, const float* deviation,
                    const float* mean, float brightness);
  // The sum of the greys of all pixels: 0.299, 0.587 and 0.114 of three channels (ITU-R BT.601), the mean of
  // others.
  double (*grey_sum)(const ColourPlanes& planes);
  // More or less contrast about `average`, then more or less colour about each pixel's grey, each within [0,
  // 1].
  void (*stretch)(const ColourPlanes& planes, float average, float contrast, float saturation);
  // Turns the hue (of HSV) of three channels by that share of the circle, from -1 to 1.
  void (*turn_hue)(const ColourPlanes& planes, float turn);
  // pixels = (plane - mean) * inverse of its channel
  void (*from_planes)(float* pixels, const ColourPlanes& planes, const float* mean, const float* inverse);
};

}  // namespace receptive
