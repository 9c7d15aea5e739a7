// SPDX-License-Identifier: Apache-2.0
// Parameter updates over the vector vocabulary, in the order of operations that PyTorch documents. Include
// after a vec.h.
#pragma once

#include "kernels/generic/lanes.inl.h"
#include "kernels/optimizer_kernels.h"

namespace receptive {
namespace {

template <typename Range>
inline void sgd_vector(float* parameter, const float* gradient, float* velocity, const SgdStep& step,
                       Range lanes) {
  const Vec p = lanes.load(parameter);
  Vec g = fma(broadcast(step.weight_decay), p, lanes.load(gradient));
  if (velocity != nullptr) {
    const Vec momentum = broadcast(step.momentum);
    const Vec v =
        step.first ? g : fma(momentum, lanes.load(velocity), mul(broadcast(step.gradient_share), g));
    lanes.store(velocity, v);
    g = step.nesterov ? fma(momentum, v, g) : v;
  }
  lanes.store(parameter, fma(broadcast(-step.learning_rate), g, p));
}

void sgd(float* parameter, const float* gradient, float* velocity, std::int64_t count, const SgdStep& step) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth)
    sgd_vector(parameter + i, gradient + i, velocity == nullptr ? nullptr : velocity + i, step,
               WholeVector{});
  if (i < count)
    sgd_vector(parameter + i, gradient + i, velocity == nullptr ? nullptr : velocity + i, step,
               PartialVector(count - i));
}

template <typename Range>
inline void adam_vector(float* parameter, const float* gradient, float* mean, float* square,
                        const AdamStep& step, Range lanes) {
  const Vec p = lanes.load(parameter);
  const Vec g = fma(broadcast(step.gradient_decay), p, lanes.load(gradient));
  Vec m = lanes.load(mean);
  m = fma(broadcast(step.mean_share), sub(g, m), m);
  const Vec fresh = mul(mul(broadcast(step.square_share), g), g);
  const Vec s = fma(broadcast(step.beta2), lanes.load(square), fresh);
  lanes.store(mean, m);
  lanes.store(square, s);
  const Vec root = fma(sqrt(s), broadcast(step.root_scale), broadcast(step.epsilon));
  const Vec decayed = mul(p, broadcast(step.parameter_scale));
  lanes.store(parameter, fma(broadcast(-step.step_size), div(m, root), decayed));
}

void adam(float* parameter, const float* gradient, float* mean, float* square, std::int64_t count,
          const AdamStep& step) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth)
    adam_vector(parameter + i, gradient + i, mean + i, square + i, step, WholeVector{});
  if (i < count)
    adam_vector(parameter + i, gradient + i, mean + i, square + i, step, PartialVector(count - i));
}

constexpr OptimizerKernels kOptimizerKernels = {sgd, adam};

}  // namespace
}  // namespace receptive
