// SPDX-License-Identifier: Apache-2.0
// Contracts of elementwise arithmetic and sums. All take `count` floats; outputs may alias inputs exactly,
// never partly.
#pragma once

#include <cstdint>

namespace receptive {

struct VectorKernels {
  void (*add)(float* out, const float* a, const float* b, std::int64_t count);
  void (*multiply)(float* out, const float* a, const float* b, std::int64_t count);
  void (*scale)(float* out, const float* in, float factor, std::int64_t count);
  // out[c] += sum over rows of in[row][c], in a fixed order
  void (*add_rows)(float* out, const float* in, std::int64_t rows, std::int64_t columns);
  // y[o] = x · weight[o] (+ bias[o]), weight [count][depth]: a linear layer for one row, summed by lanes and
  // then across them. bias may be nullptr.
  void (*dot_rows)(float* y, const float* x, const float* weight, const float* bias, std::int64_t count,
                   std::int64_t depth);
  // Sum in a fixed tree: lanes first, then across the lanes
  float (*sum)(const float* in, std::int64_t count);
};

}  // namespace receptive
