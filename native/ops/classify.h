// SPDX-License-Identifier: Apache-2.0
// What evaluation needs: the best class of each row, and how many predictions are right. Memory-bound and off
// the training path, so one plain version serves every type and instruction set.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ops/elementwise.h"

namespace receptive::ops {

// The first largest element of each row; a NaN counts as larger than any number.
template <typename Float>
void argmax(std::int32_t* out, const Float* x, std::int64_t rows, std::int64_t columns) {
  const std::int64_t grain = std::max<std::int64_t>(1, kElementwiseGrain / columns);
  parallel_ranges(rows, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const Float* scores = x + row * columns;
      std::int64_t best = 0;
      for (std::int64_t c = 1; c < columns && scores[best] == scores[best]; ++c) {
        if (!(scores[c] <= scores[best])) best = c;
      }
      out[row] = static_cast<std::int32_t>(best);
    }
  });
}

inline std::int32_t count_equal(const std::int32_t* a, const std::int32_t* b, std::int64_t count) {
  std::int32_t equal = 0;
  for (std::int64_t i = 0; i < count; ++i) equal += a[i] == b[i] ? 1 : 0;
  return equal;
}

}  // namespace receptive::ops
