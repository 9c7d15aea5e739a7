// SPDX-License-Identifier: Apache-2.0
// Losses of numbers and their gradients in one pass: element by element, or reduced to one number.
#pragma once

#include <cstdint>

#include "kernels/loss_kernels.h"

namespace receptive::ops {

// Weights of elements, repeated: element i has values[i / inner % count]. values may be nullptr, for 1.
template <typename Float>
struct RepeatedWeight {
  const Float* values;
  std::int64_t inner, count;

  Float at(std::int64_t i) const { return values == nullptr ? Float(1) : values[i / inner % count]; }
};

template <typename Float>
struct PointwiseOptions {
  PointwiseLoss kind;
  bool reduces;   // whether all losses are added to one number
  double delta;   // of kHuber
  double factor;  // of every loss and gradient: 1 / count makes a mean of a sum
  RepeatedWeight<Float> weight, positive;
};

// Arrays of `count` elements; loss is [1] where the options reduce. Gradients, nullptr where nobody needs
// them, are those of the sum of what is written to loss.
void pointwise_loss(float* loss, float* d_input, float* d_target, const float* input, const float* target,
                    std::int64_t count, const PointwiseOptions<float>& options);

}  // namespace receptive::ops
