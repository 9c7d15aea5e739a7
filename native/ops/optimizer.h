// SPDX-License-Identifier: Apache-2.0
// SGD and Adam updates of parameter tensors, in place: all of a net's in one pass.
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

// One parameter tensor and what belongs to it; velocity is nullptr without momentum.
struct SgdPart {
  float* parameter;
  const float* gradient;
  float* velocity;
  std::int64_t size;
  SgdOptions options;
};

struct AdamPart {
  float* parameter;
  const float* gradient;
  float *mean, *square;
  std::int64_t size;
  AdamOptions options;
};

void sgd_update(const SgdPart* parts, int count);
void adam_update(const AdamPart* parts, int count);

}  // namespace receptive::ops
