// SPDX-License-Identifier: Apache-2.0
#include "ops/optimizer.h"

#include <algorithm>
#include <cmath>

#include "kernels/select.h"
#include "runtime/parallel_for.h"

namespace receptive::ops {
namespace {

SgdStep step_of(const SgdOptions& options) {
  return {static_cast<float>(options.learning_rate),
          static_cast<float>(options.momentum),
          static_cast<float>(1 - options.dampening),
          static_cast<float>(options.weight_decay),
          options.nesterov,
          options.first_step};
}

AdamStep step_of(const AdamOptions& options) {
  // In double: 1 - beta2 has few of its bits left in float, and late in training so has 1 - beta^t.
  const double decay = options.weight_decay;
  return {static_cast<float>(options.decoupled ? 0.0 : decay),
          static_cast<float>(options.decoupled ? 1 - options.learning_rate * decay : 1.0),
          static_cast<float>(1 - options.beta1),
          static_cast<float>(options.beta2),
          static_cast<float>(1 - options.beta2),
          static_cast<float>(options.learning_rate / (1 - std::pow(options.beta1, options.step_number))),
          static_cast<float>(1 / std::sqrt(1 - std::pow(options.beta2, options.step_number))),
          static_cast<float>(options.epsilon)};
}

// Elements of a task. Up to so many, with gradient and velocity 768 KiB, lie in one core's near cache:
// LeNet-5's 61,706 take 10 µs there and 28 on two cores, which take them from each other.
constexpr std::int64_t kUpdateGrain = 1 << 16;

// body(part, begin, end) for pieces that together cover all elements of all parts, cut as if the parts lay
// one after another: a task takes many small ones, and a large one is split.
template <typename Part, typename Body>
void for_pieces(const Part* parts, int count, const Body& body) {
  std::int64_t total = 0;
  for (int i = 0; i < count; ++i) total += parts[i].size;
  parallel_ranges(total, kUpdateGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t start = 0;  // of the part, among all elements
    for (int i = 0; i < count && start < end; start += parts[i++].size) {
      const std::int64_t first = std::max(begin, start), last = std::min(end, start + parts[i].size);
      if (first < last) body(parts[i], first - start, last - start);
    }
  });
}

}  // namespace

void sgd_update(const SgdPart* parts, int count) {
  const auto kernel = kernels().optimizer->sgd;
  for_pieces(parts, count, [&](const SgdPart& part, std::int64_t begin, std::int64_t end) {
    kernel(part.parameter + begin, part.gradient + begin,
           part.velocity == nullptr ? nullptr : part.velocity + begin, end - begin, step_of(part.options));
  });
}

void adam_update(const AdamPart* parts, int count) {
  const auto kernel = kernels().optimizer->adam;
  for_pieces(parts, count, [&](const AdamPart& part, std::int64_t begin, std::int64_t end) {
    kernel(part.parameter + begin, part.gradient + begin, part.mean + begin, part.square + begin, end - begin,
           step_of(part.options));
  });
}

}  // namespace receptive::ops
