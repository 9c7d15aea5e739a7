// SPDX-License-Identifier: Apache-2.0
// Contracts of the parameter updates: one pass over the parameter, its gradient and its state, in place.
#pragma once

#include <cstdint>

namespace receptive {

struct SgdStep {
  float learning_rate, momentum, gradient_share, weight_decay;  // gradient_share = 1 - dampening
  bool nesterov, first;                                         // first: velocity begins as the gradient
};

struct AdamStep {
  float gradient_decay;   // weight decay added to the gradient: Adam; else 0
  float parameter_scale;  // 1 - learning rate * weight decay: AdamW; else 1
  float mean_share;       // 1 - beta1
  float beta2, square_share;
  float step_size;   // learning rate / (1 - beta1^t)
  float root_scale;  // 1 / sqrt(1 - beta2^t)
  float epsilon;
};

struct OptimizerKernels {
  // velocity may be nullptr: no momentum.
  void (*sgd)(float* parameter, const float* gradient, float* velocity, std::int64_t count,
              const SgdStep& step);
  void (*adam)(float* parameter, const float* gradient, float* mean, float* square, std::int64_t count,
               const AdamStep& step);
};

}  // namespace receptive
