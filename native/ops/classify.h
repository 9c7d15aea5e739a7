// SPDX-License-Identifier: Apache-2.0
// What evaluation needs: the best class of each row, the place of the label among the classes, how sure the
// row is, and how many predictions are right. Off the training path, so one plain version serves every type
// and instruction set.
#pragma once

#include <algorithm>
#include <cmath>
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

// How many classes of each row come before its label in the order whose first is argmax: by score, NaN before
// any number, and equal ones by their number.
template <typename Float>
void label_rank(std::int32_t* out, const Float* x, const std::int32_t* labels, std::int64_t rows,
                std::int64_t columns) {
  const std::int64_t grain = std::max<std::int64_t>(1, kElementwiseGrain / columns);
  parallel_ranges(rows, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const Float* scores = x + row * columns;
      const std::int64_t label = labels[row];
      const Float own = scores[label];
      const bool is_nan = own != own;
      std::int32_t before = 0;
      for (std::int64_t c = 0; c < columns; ++c) {
        const bool above = is_nan ? false : !(scores[c] <= own);
        const bool level = is_nan ? scores[c] != scores[c] : scores[c] == own;
        before += above || (level && c < label) ? 1 : 0;
      }
      out[row] = before;
    }
  });
}

// The largest probability of each row: 1 over the sum of e^(x - max). NaN where softmax is.
template <typename Float>
void confidence(Float* out, const Float* x, std::int64_t rows, std::int64_t columns) {
  const std::int64_t grain = std::max<std::int64_t>(1, kElementwiseGrain / 4 / columns);
  parallel_ranges(rows, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const Float* scores = x + row * columns;
      const Float most = *std::max_element(scores, scores + columns);
      Float total = 0;
      for (std::int64_t c = 0; c < columns; ++c) total += std::exp(scores[c] - most);
      out[row] = 1 / total;
    }
  });
}

// Rows of zeros with a 1 at the label.
template <typename Float>
void one_hot(Float* out, const std::int32_t* labels, std::int64_t rows, std::int64_t classes) {
  std::fill_n(out, rows * classes, Float(0));
  for (std::int64_t row = 0; row < rows; ++row) out[row * classes + labels[row]] = 1;
}

inline std::int32_t count_equal(const std::int32_t* a, const std::int32_t* b, std::int64_t count) {
  std::int32_t equal = 0;
  for (std::int64_t i = 0; i < count; ++i) equal += a[i] == b[i] ? 1 : 0;
  return equal;
}

}  // namespace receptive::ops
