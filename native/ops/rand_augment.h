// SPDX-License-Identifier: Apache-2.0
// RandAugment (Cubuk et al., 2020): so many changes of an image, each drawn from a list, all of one
// magnitude. The list and the magnitudes are torchvision's. Images are bytes, as in Pillow, whose changes
// these are: every one gives whole numbers again.
#pragma once

#include <cmath>
#include <cstdint>

#include "ops/augment_draws.h"

namespace receptive::ops {

struct RandAugment {
  static constexpr double kMostMagnitude = 30;
  std::int64_t changes;
  double magnitude;                // 0 to 30
  const double *mean, *deviation;  // of the normalisation, for each channel
};

enum class Change {
  kIdentity,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kRotate,
  kBrightness,
  kColour,
  kContrast,
  kSharpness,
  kPosterize,
  kSolarize,
  kAutoContrast,
  kEqualize,
  kCount,
};

// What it means depends on the change: a shear, pixels, degrees, what is added to a factor of 1, bits, a
// threshold.
struct DrawnChange {
  Change change;
  double magnitude;
};

// Two numbers for each change: which one, and its sign.
inline DrawnChange draw_change(ImageNumbers* numbers, const RandAugment& options,
                               const AugmentedBatch& batch) {
  const auto change = static_cast<Change>(numbers->below(static_cast<std::int64_t>(Change::kCount)));
  const double sign = numbers->uniform() < 0.5 ? -1 : 1;
  const double share = options.magnitude / RandAugment::kMostMagnitude;
  switch (change) {
    case Change::kShearX:
    case Change::kShearY:
      return {change, sign * 0.3 * share};
    case Change::kTranslateX:
      return {change, std::trunc(sign * 150 / 331 * static_cast<double>(batch.width) * share)};
    case Change::kTranslateY:
      return {change, std::trunc(sign * 150 / 331 * static_cast<double>(batch.height) * share)};
    case Change::kRotate:
      return {change, sign * 30 * share};
    case Change::kBrightness:
    case Change::kColour:
    case Change::kContrast:
    case Change::kSharpness:
      return {change, sign * 0.9 * share};
    case Change::kPosterize:
      return {change, 8 - std::rint(4 * share)};
    case Change::kSolarize:
      return {change, 255 - 255 * share};
    default:
      return {change, 0};
  }
}

// The byte that a normalised pixel was. In double precision also for floats, so that both round alike.
inline std::uint8_t byte_of(double pixel, double mean, double deviation) {
  const double byte = (pixel * deviation + mean) * 255 + 0.5;  // cut, which is rounded down from 0 on
  return static_cast<std::uint8_t>(byte > 0 ? (byte < 255 ? byte : 255) : 0);  // 0 for NaN
}

// From one byte towards another, or past it, cut to whole numbers.
inline std::uint8_t blend_bytes(std::uint8_t from, std::uint8_t to, float factor) {
  const float value = static_cast<float>(from) + factor * static_cast<float>(to - from);
  return static_cast<std::uint8_t>(value > 0 ? (value < 255 ? value : 255) : 0);
}

// Luma (ITU-R BT.601) in 16 bits behind the point.
inline std::uint8_t luma_of(const std::uint8_t* pixel) {
  return static_cast<std::uint8_t>((pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16);
}

// Where an output pixel reads, in 16 bits behind the point: x = xx * column + xy * row + x0, and y likewise.
struct FixedMap {
  std::int64_t xx, xy, x0, yx, yy, y0;
};

inline FixedMap fixed_map(const DrawnChange& drawn, const AugmentedBatch& batch) {
  double xx = 1, xy = 0, x0 = 0, yx = 0, yy = 1, y0 = 0;
  const double m = drawn.magnitude;
  if (drawn.change == Change::kShearX) xy = m;  // about the first corner, as there
  if (drawn.change == Change::kShearY) yx = m;
  if (drawn.change == Change::kTranslateX) x0 = -m;
  if (drawn.change == Change::kTranslateY) y0 = -m;
  if (drawn.change == Change::kRotate) {
    constexpr double kRadians = 3.14159265358979323846 / 180;
    const double middle_x = 0.5 * static_cast<double>(batch.width);
    const double middle_y = 0.5 * static_cast<double>(batch.height);
    xx = yy = std::cos(m * kRadians);
    yx = std::sin(m * kRadians);
    xy = -yx;
    x0 = middle_x - xx * middle_x - xy * middle_y;
    y0 = middle_y - yx * middle_x - yy * middle_y;
  }
  const auto fixed = [](double value) { return static_cast<std::int64_t>(std::floor(value * 65536 + 0.5)); };
  // From the middles of pixels.
  return {fixed(xx), fixed(xy), fixed(x0 + 0.5 * xx + 0.5 * xy),
          fixed(yx), fixed(yy), fixed(y0 + 0.5 * yx + 0.5 * yy)};
}

}  // namespace receptive::ops
