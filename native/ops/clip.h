// SPDX-License-Identifier: Apache-2.0
// Clipping of gradients. The norm is one of all gradients together: sums of squares in double precision, in
// fixed chunks, added in order.
#pragma once

#include <cmath>
#include <cstdint>

#include "ops/optimizer.h"

namespace receptive::ops {

// The sum of the squares of all elements
double square_sum(const float* in, std::int64_t count);

// What gradients with this sum of squares are multiplied by, so that their norm is at most `max_norm`: never
// more than 1, NaN for NaN. The small number is PyTorch's.
inline double clip_factor(double squares, double max_norm) {
  const double factor = max_norm / (std::sqrt(squares) + 1e-6);
  return factor > 1 ? 1.0 : factor;
}

// values = clamp(values * factor, ±limit)
void clip(float* values, std::int64_t count, const GradientOptions& options);

}  // namespace receptive::ops
