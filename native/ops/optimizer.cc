// SPDX-License-Identifier: Apache-2.0
#include "ops/optimizer.h"

#include <algorithm>
#include <cmath>

#include "kernels/select.h"
#include "ops/gradient_step.h"
#include "runtime/parallel_for.h"

namespace receptive::ops {
namespace {

// The numbers of the kernels come from double precision: 1 - beta2 has few of its bits left in float, and
// late in training so has 1 - beta^t.
float narrow(double value) { return static_cast<float>(value); }

SgdStep step_of(const UpdatePart<SgdOptions>& part) {
  const SgdOptions& options = part.options;
  return {gradient_step(part.gradient_options),
          narrow(options.learning_rate),
          narrow(options.momentum),
          narrow(1 - options.dampening),
          narrow(options.weight_decay),
          options.nesterov,
          options.first_step};
}

AdamStep step_of(const UpdatePart<AdamOptions>& part) {
  const AdamOptions& options = part.options;
  const double decay = options.weight_decay;
  return {gradient_step(part.gradient_options),
          narrow(options.decoupled ? 0.0 : decay),
          narrow(options.decoupled ? 1 - options.learning_rate * decay : 1.0),
          narrow(1 - options.beta1),
          narrow(options.beta2),
          narrow(1 - options.beta2),
          narrow(options.learning_rate / (1 - std::pow(options.beta1, options.step_number))),
          narrow(1 / std::sqrt(1 - std::pow(options.beta2, options.step_number))),
          narrow(options.epsilon)};
}

RmspropStep step_of(const UpdatePart<RmspropOptions>& part) {
  const RmspropOptions& options = part.options;
  return {gradient_step(part.gradient_options),
          narrow(options.learning_rate),
          narrow(options.weight_decay),
          narrow(options.momentum),
          narrow(options.alpha),
          narrow(1 - options.alpha),
          narrow(options.epsilon)};
}

AdagradStep step_of(const UpdatePart<AdagradOptions>& part) {
  const AdagradOptions& options = part.options;
  return {gradient_step(part.gradient_options), narrow(options.weight_decay), narrow(options.step_size()),
          narrow(options.epsilon)};
}

LionStep step_of(const UpdatePart<LionOptions>& part) {
  const LionOptions& options = part.options;
  return {gradient_step(part.gradient_options),
          narrow(options.learning_rate),
          narrow(1 - options.learning_rate * options.weight_decay),
          narrow(options.beta1),
          narrow(1 - options.beta1),
          narrow(options.beta2),
          narrow(1 - options.beta2)};
}

EmaStep step_of(const UpdatePart<EmaOptions>& part) {
  const double share = part.options.share;
  return share < 0.5 ? EmaStep{narrow(share), false} : EmaStep{narrow(1 - share), true};
}

// Slow weights stand still in most steps of a recorded Lookahead: a share of 0 reads and writes nothing.
template <typename Options>
bool is_idle(const UpdatePart<Options>&) {
  return false;
}
bool is_idle(const UpdatePart<EmaOptions>& part) { return part.options.share == 0; }

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

template <typename Options, typename Step>
void update_with(void (*kernel)(const UpdateTensors&, std::int64_t, const Step&),
                 const UpdatePart<Options>* parts, int count) {
  for_pieces(parts, count, [&](const UpdatePart<Options>& part, std::int64_t begin, std::int64_t end) {
    UpdateTensors at = {part.parameter + begin, part.gradient + begin, {}};
    for (int i = 0; i < 3; ++i) at.state[i] = part.state[i] == nullptr ? nullptr : part.state[i] + begin;
    if (is_idle(part)) return;
    kernel(at, end - begin, step_of(part));
  });
}

}  // namespace

void update(const UpdatePart<SgdOptions>* parts, int count) {
  update_with(kernels().optimizer->sgd, parts, count);
}
void update(const UpdatePart<AdamOptions>* parts, int count) {
  update_with(kernels().optimizer->adam, parts, count);
}
void update(const UpdatePart<RmspropOptions>* parts, int count) {
  update_with(kernels().optimizer->rmsprop, parts, count);
}
void update(const UpdatePart<AdagradOptions>* parts, int count) {
  update_with(kernels().optimizer->adagrad, parts, count);
}
void update(const UpdatePart<LionOptions>* parts, int count) {
  update_with(kernels().optimizer->lion, parts, count);
}
void update(const UpdatePart<EmaOptions>* parts, int count) {
  update_with(kernels().optimizer->ema, parts, count);
}

}  // namespace receptive::ops
