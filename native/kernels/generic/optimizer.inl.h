// SPDX-License-Identifier: Apache-2.0
// Parameter updates over the vector vocabulary, in the order of operations that PyTorch documents. Include
// after a vec.h.
#pragma once

#include "kernels/generic/lanes.inl.h"
#include "kernels/optimizer_kernels.h"

namespace receptive {
namespace {

// NaN stays NaN: max and min return their second operand for it.
inline Vec clipped(Vec gradient, const GradientStep& step) {
  const Vec scaled = mul(broadcast(step.scale), gradient);
  return min(broadcast(step.limit), max(broadcast(-step.limit), scaled));
}

// The gradient at `i`, with a share of the parameter: weight decay.
template <typename Range>
inline Vec gradient_at(const UpdateTensors& at, std::int64_t i, const GradientStep& step, float decay, Vec p,
                       Range lanes) {
  return fma(broadcast(decay), p, clipped(lanes.load(at.gradient + i), step));
}

// -1, 0 or 1; NaN stays NaN.
inline Vec sign(Vec x) {
  const Vec not_above = select(less(x, zero()), broadcast(-1.0f), x);
  return select(greater(x, zero()), broadcast(1.0f), not_above);
}

struct Sgd {
  template <typename Range>
  static inline void apply(const UpdateTensors& at, std::int64_t i, const SgdStep& step, Range lanes) {
    const Vec p = lanes.load(at.parameter + i);
    Vec g = gradient_at(at, i, step.gradient, step.weight_decay, p, lanes);
    float* velocity = at.state[0];
    if (velocity != nullptr) {
      const Vec momentum = broadcast(step.momentum);
      const Vec v =
          step.first ? g : fma(momentum, lanes.load(velocity + i), mul(broadcast(step.gradient_share), g));
      lanes.store(velocity + i, v);
      g = step.nesterov ? fma(momentum, v, g) : v;
    }
    lanes.store(at.parameter + i, fma(broadcast(-step.learning_rate), g, p));
  }
};

struct Adam {
  template <typename Range>
  static inline void apply(const UpdateTensors& at, std::int64_t i, const AdamStep& step, Range lanes) {
    const Vec p = lanes.load(at.parameter + i);
    const Vec g = gradient_at(at, i, step.gradient, step.gradient_decay, p, lanes);
    Vec m = lanes.load(at.state[0] + i);
    m = fma(broadcast(step.mean_share), sub(g, m), m);
    const Vec fresh = mul(mul(broadcast(step.square_share), g), g);
    Vec s = fma(broadcast(step.beta2), lanes.load(at.state[1] + i), fresh);
    lanes.store(at.state[0] + i, m);
    lanes.store(at.state[1] + i, s);
    if (at.state[2] != nullptr) {
      s = max(lanes.load(at.state[2] + i), s);
      lanes.store(at.state[2] + i, s);
    }
    const Vec root = fma(sqrt(s), broadcast(step.root_scale), broadcast(step.epsilon));
    const Vec decayed = mul(p, broadcast(step.parameter_scale));
    lanes.store(at.parameter + i, fma(broadcast(-step.step_size), div(m, root), decayed));
  }
};

struct Rmsprop {
  template <typename Range>
  static inline void apply(const UpdateTensors& at, std::int64_t i, const RmspropStep& step, Range lanes) {
    const Vec p = lanes.load(at.parameter + i);
    const Vec g = gradient_at(at, i, step.gradient, step.weight_decay, p, lanes);
    const Vec share = broadcast(step.share);
    Vec s = fma(broadcast(step.alpha), lanes.load(at.state[0] + i), mul(mul(share, g), g));
    lanes.store(at.state[0] + i, s);
    if (at.state[1] != nullptr) {
      Vec m = lanes.load(at.state[1] + i);
      m = fma(share, sub(g, m), m);
      lanes.store(at.state[1] + i, m);
      // A variance; where all gradients were alike, rounding would take it below zero
      s = max(zero(), fma(sub(zero(), m), m, s));
    }
    Vec direction = div(g, add(sqrt(s), broadcast(step.epsilon)));
    if (at.state[2] != nullptr) {
      direction = fma(broadcast(step.momentum), lanes.load(at.state[2] + i), direction);
      lanes.store(at.state[2] + i, direction);
    }
    lanes.store(at.parameter + i, fma(broadcast(-step.learning_rate), direction, p));
  }
};

struct Adagrad {
  template <typename Range>
  static inline void apply(const UpdateTensors& at, std::int64_t i, const AdagradStep& step, Range lanes) {
    const Vec p = lanes.load(at.parameter + i);
    const Vec g = gradient_at(at, i, step.gradient, step.weight_decay, p, lanes);
    const Vec s = fma(g, g, lanes.load(at.state[0] + i));
    lanes.store(at.state[0] + i, s);
    const Vec direction = div(g, add(sqrt(s), broadcast(step.epsilon)));
    lanes.store(at.parameter + i, fma(broadcast(-step.step_size), direction, p));
  }
};

struct Lion {
  template <typename Range>
  static inline void apply(const UpdateTensors& at, std::int64_t i, const LionStep& step, Range lanes) {
    const Vec g = clipped(lanes.load(at.gradient + i), step.gradient);
    const Vec m = lanes.load(at.state[0] + i);
    const Vec direction = sign(fma(broadcast(step.beta1), m, mul(broadcast(step.share1), g)));
    lanes.store(at.state[0] + i, fma(broadcast(step.beta2), m, mul(broadcast(step.share2), g)));
    const Vec decayed = mul(lanes.load(at.parameter + i), broadcast(step.parameter_scale));
    lanes.store(at.parameter + i, fma(broadcast(-step.learning_rate), direction, decayed));
  }
};

struct Ema {
  template <typename Range>
  static inline void apply(const UpdateTensors& at, std::int64_t i, const EmaStep& step, Range lanes) {
    const Vec average = lanes.load(at.parameter + i), value = lanes.load(at.gradient + i);
    const Vec apart = sub(value, average);
    lanes.store(at.parameter + i, step.from_value ? fma(broadcast(-step.factor), apart, value)
                                                  : fma(broadcast(step.factor), apart, average));
  }
};

template <typename Rule, typename Step>
void update(const UpdateTensors& tensors, std::int64_t count, const Step& step) {
  const UpdateTensors at = tensors;  // copies that no store can reach
  const Step by = step;
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) Rule::apply(at, i, by, WholeVector{});
  if (i < count) Rule::apply(at, i, by, PartialVector(count - i));
}

void clip(float* values, std::int64_t count, const GradientStep& step) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(values + i, clipped(load(values + i), step));
  if (i < count) {
    const PartialVector lanes(count - i);
    lanes.store(values + i, clipped(lanes.load(values + i), step));
  }
}

constexpr OptimizerKernels kOptimizerKernels = {
    update<Sgd, SgdStep>,
    update<Adam, AdamStep>,
    update<Rmsprop, RmspropStep>,
    update<Adagrad, AdagradStep>,
    update<Lion, LionStep>,
    update<Ema, EmaStep>,
    clip,
};

}  // namespace
}  // namespace receptive
