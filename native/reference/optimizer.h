// SPDX-License-Identifier: Apache-2.0
// The updates in double precision, as PyTorch documents them; Lion as Chen et al. (2023) do.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "ops/optimizer.h"

namespace receptive::reference {

// What one update goes over; state that a rule does not keep is nullptr.
struct UpdateTensors {
  double* parameter;
  const double* gradient;
  double* state[3];
};

// The gradient after clipping, uphill where `maximize`; NaN stays NaN.
inline double clipped(double gradient, const ops::GradientOptions& options) {
  const double scaled = (options.maximize ? -gradient : gradient) * options.norm_factor;
  return scaled > options.limit ? options.limit : scaled < -options.limit ? -options.limit : scaled;
}

inline double square_sum(const double* in, std::int64_t count) {
  double total = 0;
  for (std::int64_t i = 0; i < count; ++i) total += in[i] * in[i];
  return total;
}

inline void clip(double* values, std::int64_t count, const ops::GradientOptions& options) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = clipped(values[i], options);
}

inline void update(const UpdateTensors& at, std::int64_t count, const ops::GradientOptions& gradient,
                   const ops::SgdOptions& options) {
  double* velocity = at.state[0];
  for (std::int64_t i = 0; i < count; ++i) {
    double g = clipped(at.gradient[i], gradient) + options.weight_decay * at.parameter[i];
    if (velocity != nullptr) {
      velocity[i] = options.first_step ? g : options.momentum * velocity[i] + (1 - options.dampening) * g;
      g = options.nesterov ? g + options.momentum * velocity[i] : velocity[i];
    }
    at.parameter[i] -= options.learning_rate * g;
  }
}

inline void update(const UpdateTensors& at, std::int64_t count, const ops::GradientOptions& gradient,
                   const ops::AdamOptions& options) {
  const double correction1 = 1 - std::pow(options.beta1, options.step_number);
  const double correction2 = 1 - std::pow(options.beta2, options.step_number);
  double *mean = at.state[0], *square = at.state[1], *largest = at.state[2];
  for (std::int64_t i = 0; i < count; ++i) {
    double g = clipped(at.gradient[i], gradient);
    if (options.decoupled) {
      at.parameter[i] -= options.learning_rate * options.weight_decay * at.parameter[i];
    } else {
      g += options.weight_decay * at.parameter[i];
    }
    mean[i] = options.beta1 * mean[i] + (1 - options.beta1) * g;
    square[i] = options.beta2 * square[i] + (1 - options.beta2) * g * g;
    if (largest != nullptr) largest[i] = std::max(square[i], largest[i]);  // the first where it is NaN
    const double used = largest != nullptr ? largest[i] : square[i];
    const double root = std::sqrt(used / correction2) + options.epsilon;
    at.parameter[i] -= options.learning_rate * (mean[i] / correction1) / root;
  }
}

inline void update(const UpdateTensors& at, std::int64_t count, const ops::GradientOptions& gradient,
                   const ops::RmspropOptions& options) {
  double *square = at.state[0], *mean = at.state[1], *velocity = at.state[2];
  for (std::int64_t i = 0; i < count; ++i) {
    const double g = clipped(at.gradient[i], gradient) + options.weight_decay * at.parameter[i];
    square[i] = options.alpha * square[i] + (1 - options.alpha) * g * g;
    double variance = square[i];
    if (mean != nullptr) {
      mean[i] = options.alpha * mean[i] + (1 - options.alpha) * g;
      variance = std::max(square[i] - mean[i] * mean[i], 0.0);
    }
    double direction = g / (std::sqrt(variance) + options.epsilon);
    if (velocity != nullptr) direction = velocity[i] = options.momentum * velocity[i] + direction;
    at.parameter[i] -= options.learning_rate * direction;
  }
}

inline void update(const UpdateTensors& at, std::int64_t count, const ops::GradientOptions& gradient,
                   const ops::AdagradOptions& options) {
  double* sum = at.state[0];
  for (std::int64_t i = 0; i < count; ++i) {
    const double g = clipped(at.gradient[i], gradient) + options.weight_decay * at.parameter[i];
    sum[i] += g * g;
    at.parameter[i] -= options.step_size() * g / (std::sqrt(sum[i]) + options.epsilon);
  }
}

inline void update(const UpdateTensors& at, std::int64_t count, const ops::GradientOptions& gradient,
                   const ops::LionOptions& options) {
  double* mean = at.state[0];
  for (std::int64_t i = 0; i < count; ++i) {
    const double g = clipped(at.gradient[i], gradient);
    const double blend = options.beta1 * mean[i] + (1 - options.beta1) * g;
    mean[i] = options.beta2 * mean[i] + (1 - options.beta2) * g;
    const double direction = blend > 0 ? 1.0 : blend < 0 ? -1.0 : blend;
    at.parameter[i] -= options.learning_rate * (direction + options.weight_decay * at.parameter[i]);
  }
}

inline void update(const UpdateTensors& at, std::int64_t count, const ops::GradientOptions&,
                   const ops::EmaOptions& options) {
  if (options.share == 0) return;
  for (std::int64_t i = 0; i < count; ++i)
    at.parameter[i] = (1 - options.share) * at.parameter[i] + options.share * at.gradient[i];
}

}  // namespace receptive::reference
