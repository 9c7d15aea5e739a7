// SPDX-License-Identifier: Apache-2.0
// SGD and Adam updates of one parameter tensor, in place.
#pragma once

#include <cstdint>

namespace receptive::ops {

struct SgdOptions {
  double learning_rate, momentum, dampening, weight_decay;
  bool nesterov, first_step;
};

struct AdamOptions {
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  bool decoupled;      // AdamW: weight decay acts on the parameter and not through the gradient
  double step_number;  // from 1, for the corrections of the moments' bias
};

// velocity is nullptr without momentum.
void sgd_update(float* parameter, const float* gradient, float* velocity, std::int64_t count,
                const SgdOptions& options);
void adam_update(float* parameter, const float* gradient, float* mean, float* square, std::int64_t count,
                 const AdamOptions& options);

}  // namespace receptive::ops
