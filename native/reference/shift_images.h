// SPDX-License-Identifier: Apache-2.0
// Shifted and mirrored images in double precision, one element at a time.
#pragma once

#include "ops/shift_images.h"

namespace receptive::reference {

// The place of n that stands at i, which is less than n beyond them: 2 1 0 1 2.
inline std::int64_t reflected(std::int64_t i, std::int64_t n) {
  if (i < 0) return -i;
  return i < n ? i : 2 * (n - 1) - i;
}

inline void shift_images(double* y, const double* x, const ops::ShiftedImages& images) {
  const std::int64_t row = images.row(), size = images.height * row;
  for (std::int64_t out = 0; out < images.count * size; ++out) {
    const std::int64_t i = reflected(out % size / row - images.down, images.height);
    const std::int64_t j = reflected(out % row / images.channels - images.right, images.width);
    const std::int64_t column = images.is_mirrored ? images.width - 1 - j : j;
    y[out] = x[out / size * size + i * row + column * images.channels + out % images.channels];
  }
}

}  // namespace receptive::reference
