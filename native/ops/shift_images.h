// SPDX-License-Identifier: Apache-2.0
// Images moved by whole pixels, and turned into their mirror images before that: how test-time augmentation
// sees a picture more than once. Beyond its edge lies the image in a mirror, without the edge itself.
#pragma once

#include <cstdint>

namespace receptive::ops {

struct ShiftedImages {
  std::int64_t count, height, width, channels;
  std::int64_t down, right;  // less than a side each way
  bool is_mirrored;
  std::int64_t row() const { return width * channels; }
};

// y and x [count][height][width][channels], apart
void shift_images(float* y, const float* x, const ShiftedImages& images);

}  // namespace receptive::ops
