// SPDX-License-Identifier: Apache-2.0
// Contracts of the parameter updates: one pass over the parameter, its gradient and its state, in place.
#pragma once

#include <cstdint>

namespace receptive {

// What an update goes over; pointers of `state` that a rule does not keep are nullptr.
struct UpdateTensors {
  float* parameter;
  const float* gradient;
  float* state[3];
};

// What becomes of a gradient first: g = clamp(scale * gradient, ±limit). The scale holds the factor of
// clipping by norm, and the sign: -1 climbs instead of descending.
struct GradientStep {
  float scale;
  float limit;  // an infinity: none
};

struct SgdStep {  // state: velocity, or none
  GradientStep gradient;
  float learning_rate, momentum, gradient_share, weight_decay;  // gradient_share = 1 - dampening
  bool nesterov, first;                                         // first: velocity begins as the gradient
};

struct AdamStep {  // state: mean, square, the largest square so far or none
  GradientStep gradient;
  float gradient_decay;   // weight decay added to the gradient: Adam; else 0
  float parameter_scale;  // 1 - learning rate * weight decay: AdamW; else 1
  float mean_share;       // 1 - beta1
  float beta2, square_share;
  float step_size;   // learning rate / (1 - beta1^t)
  float root_scale;  // 1 / sqrt(1 - beta2^t)
  float epsilon;
};

struct RmspropStep {  // state: square, mean or none (not centered), velocity or none (no momentum)
  GradientStep gradient;
  float learning_rate, weight_decay, momentum;
  float alpha, share;  // share = 1 - alpha
  float epsilon;
};

struct AdagradStep {  // state: sum of squares
  GradientStep gradient;
  float weight_decay;
  float step_size;  // learning rate / (1 + (t - 1) * its decay)
  float epsilon;
};

struct LionStep {  // state: mean
  GradientStep gradient;
  float learning_rate;
  float parameter_scale;  // 1 - learning rate * weight decay
  float beta1, share1;    // of the direction; share1 = 1 - beta1
  float beta2, share2;    // of the mean; share2 = 1 - beta2
};

// The running average of a tensor, here the parameter; its gradient is what is averaged. For two ways of
// writing average + share * (value - average), of which the second is the value itself for a share of 1:
// from_value false: average + factor * (value - average); true: value - factor * (value - average).
struct EmaStep {
  float factor;
  bool from_value;
};

struct OptimizerKernels {
  void (*sgd)(const UpdateTensors& tensors, std::int64_t count, const SgdStep& step);
  void (*adam)(const UpdateTensors& tensors, std::int64_t count, const AdamStep& step);
  void (*rmsprop)(const UpdateTensors& tensors, std::int64_t count, const RmspropStep& step);
  void (*adagrad)(const UpdateTensors& tensors, std::int64_t count, const AdagradStep& step);
  void (*lion)(const UpdateTensors& tensors, std::int64_t count, const LionStep& step);
  void (*ema)(const UpdateTensors& tensors, std::int64_t count, const EmaStep& step);
  // values = clamp(scale * values, ±limit), in the bits of the same in an update
  void (*clip)(float* values, std::int64_t count, const GradientStep& step);
};

}  // namespace receptive
