// SPDX-License-Identifier: Apache-2.0
#include "ops/optimizer.h"

#include <cmath>

#include "kernels/select.h"
#include "ops/elementwise.h"

namespace receptive::ops {

void sgd_update(float* parameter, const float* gradient, float* velocity, std::int64_t count,
                const SgdOptions& options) {
  const auto kernel = kernels().optimizer->sgd;
  const SgdStep step = {static_cast<float>(options.learning_rate),
                        static_cast<float>(options.momentum),
                        static_cast<float>(1 - options.dampening),
                        static_cast<float>(options.weight_decay),
                        options.nesterov,
                        options.first_step};
  parallel_ranges(count, kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    kernel(parameter + begin, gradient + begin, velocity == nullptr ? nullptr : velocity + begin, end - begin,
           step);
  });
}

void adam_update(float* parameter, const float* gradient, float* mean, float* square, std::int64_t count,
                 const AdamOptions& options) {
  const auto kernel = kernels().optimizer->adam;
  // In double: 1 - beta2 has few of its bits left in float, and late in training so has 1 - beta^t.
  const double decay = options.weight_decay;
  const AdamStep step = {
      static_cast<float>(options.decoupled ? 0.0 : decay),
      static_cast<float>(options.decoupled ? 1 - options.learning_rate * decay : 1.0),
      static_cast<float>(1 - options.beta1),
      static_cast<float>(options.beta2),
      static_cast<float>(1 - options.beta2),
      static_cast<float>(options.learning_rate / (1 - std::pow(options.beta1, options.step_number))),
      static_cast<float>(1 / std::sqrt(1 - std::pow(options.beta2, options.step_number))),
      static_cast<float>(options.epsilon)};
  parallel_ranges(count, kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    kernel(parameter + begin, gradient + begin, mean + begin, square + begin, end - begin, step);
  });
}

}  // namespace receptive::ops
