// SPDX-License-Identifier: Apache-2.0
// Resizing of a batch of images: nearest pixel or bilinear. Work is split by rows; backward writes every
// element of dx.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace receptive::ops {

// How outputs lie over the pixels of one axis: numerator / denominator pixels apart, the first at the first
// pixel's edge, or, if aligned, at its centre. Two numbers, so that in / out is exact.
struct UpsampleAxis {
  std::int64_t in, out;
  double numerator, denominator;
  bool aligned;

  // The pixel that output `o` falls into
  std::int64_t nearest(std::int64_t o) const {
    return inside(static_cast<double>(o) * numerator / denominator);
  }
  // Its position between the centres of pixels: 0 is that of the first
  double position(std::int64_t o) const {
    const double at = static_cast<double>(o) + (aligned ? 0.0 : 0.5);
    return std::max(0.0, at * numerator / denominator - (aligned ? 0.0 : 0.5));
  }
  // The pixel at or before a position
  std::int64_t inside(double position) const {
    return static_cast<std::int64_t>(std::min(std::floor(position), static_cast<double>(in - 1)));
  }
};

struct UpsampleGeometry {
  std::int64_t batch, channels;
  UpsampleAxis rows, columns;

  std::int64_t in_image() const { return rows.in * columns.in * channels; }
  std::int64_t out_image() const { return rows.out * columns.out * channels; }
};

enum class UpsampleMode { kNearest, kBilinear };

void upsample_forward(float* y, const float* x, const UpsampleGeometry& g, UpsampleMode mode);
void upsample_backward(float* dx, const float* dy, const UpsampleGeometry& g, UpsampleMode mode);

}  // namespace receptive::ops
