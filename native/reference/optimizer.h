// SPDX-License-Identifier: Apache-2.0
// SGD and Adam in double precision, as PyTorch documents them.
#pragma once

#include <cmath>
#include <cstdint>

#include "ops/optimizer.h"

namespace receptive::reference {

inline void sgd_update(double* parameter, const double* gradient, double* velocity, std::int64_t count,
                       const ops::SgdOptions& options) {
  for (std::int64_t i = 0; i < count; ++i) {
    double g = gradient[i] + options.weight_decay * parameter[i];
    if (velocity != nullptr) {
      velocity[i] = options.first_step ? g : options.momentum * velocity[i] + (1 - options.dampening) * g;
      g = options.nesterov ? g + options.momentum * velocity[i] : velocity[i];
    }
    parameter[i] -= options.learning_rate * g;
  }
}

inline void adam_update(double* parameter, const double* gradient, double* mean, double* square,
                        std::int64_t count, const ops::AdamOptions& options) {
  const double correction1 = 1 - std::pow(options.beta1, options.step_number);
  const double correction2 = 1 - std::pow(options.beta2, options.step_number);
  for (std::int64_t i = 0; i < count; ++i) {
    double g = gradient[i];
    if (options.decoupled) {
      parameter[i] -= options.learning_rate * options.weight_decay * parameter[i];
    } else {
      g += options.weight_decay * parameter[i];
    }
    mean[i] = options.beta1 * mean[i] + (1 - options.beta1) * g;
    square[i] = options.beta2 * square[i] + (1 - options.beta2) * g * g;
    const double root = std::sqrt(square[i] / correction2) + options.epsilon;
    parameter[i] -= options.learning_rate * (mean[i] / correction1) / root;
  }
}

}  // namespace receptive::reference
