// SPDX-License-Identifier: Apache-2.0
// PReLU (He et al. 2015): x above 0, weight * x elsewhere, for a matrix [rows][channels]. The weight is one
// number for all columns or one for each.
#pragma once

#include <cstdint>

namespace receptive::ops {

struct PReluSize {
  std::int64_t rows, channels, weights;  // weights: 1 or channels
  std::int64_t elements() const { return rows * channels; }
};

void prelu_forward(float* y, const float* x, const float* weight, const PReluSize& size);

// dx and dweight [weights] may be nullptr. Sums go over fixed chunks of rows, added in order.
void prelu_backward(float* dx, float* dweight, const float* dy, const float* x, const float* weight,
                    const PReluSize& size);

}  // namespace receptive::ops
