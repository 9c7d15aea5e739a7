// SPDX-License-Identifier: Apache-2.0
// Updates of parameter tensors, in place: all of a net's in one pass.
#pragma once

#include <cmath>
#include <cstdint>

namespace receptive::ops {

// What becomes of gradients before a rule sees them.
struct GradientOptions {
  bool maximize = false;
  double norm_factor = 1;   // of clipping by norm
  double limit = INFINITY;  // of clipping by value
};

struct SgdOptions {
  double learning_rate, momentum, dampening, weight_decay;
  bool nesterov, first_step;
};

struct AdamOptions {
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  bool decoupled;      // AdamW: weight decay acts on the parameter and not through the gradient
  double step_number;  // from 1, for the corrections of the moments' bias
};

struct RmspropOptions {
  double learning_rate, alpha, epsilon, weight_decay, momentum;
};

struct AdagradOptions {
  double learning_rate, rate_decay, epsilon, weight_decay;
  double step_number;  // from 1

  double step_size() const { return learning_rate / (1 + (step_number - 1) * rate_decay); }
};

struct LionOptions {
  double learning_rate, beta1, beta2, weight_decay;
};

// Here the parameter is the average, and its gradient the tensor that is averaged.
struct EmaOptions {
  double share;  // of the new value, 0 to 1
};

// One parameter tensor and what belongs to it. Of its state, in the order of kernels/optimizer_kernels.h,
// what a rule does not keep is nullptr.
template <typename Options>
struct UpdatePart {
  float* parameter;
  const float* gradient;
  float* state[3];
  std::int64_t size;
  GradientOptions gradient_options;
  Options options;
};

void update(const UpdatePart<SgdOptions>* parts, int count);
void update(const UpdatePart<AdamOptions>* parts, int count);
void update(const UpdatePart<RmspropOptions>* parts, int count);
void update(const UpdatePart<AdagradOptions>* parts, int count);
void update(const UpdatePart<LionOptions>* parts, int count);
void update(const UpdatePart<EmaOptions>* parts, int count);

}  // namespace receptive::ops
