// SPDX-License-Identifier: Apache-2.0
#include "ops/pointwise_loss.h"

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// With an exponential and a logarithm, an element costs about four times what a plain function does.
constexpr std::int64_t kGrain = kElementwiseGrain / 4;

// The weights of `count` elements from `first` on, one after another; nullptr where there are none.
const float* expand(const RepeatedWeight<float>& weight, float* to, std::int64_t first, std::int64_t count) {
  if (weight.values == nullptr) return nullptr;
  if (weight.inner == 1 && first + count <= weight.count) return weight.values + first;
  for (std::int64_t i = 0; i < count; ++i) to[i] = weight.at(first + i);
  return to;
}

float* at(float* array, std::int64_t first) { return array == nullptr ? nullptr : array + first; }

}  // namespace

void pointwise_loss(float* loss, float* d_input, float* d_target, const float* input, const float* target,
                    std::int64_t count, const PointwiseOptions<float>& options) {
  const auto kernel = kernels().loss->pointwise[options.kind];
  const auto sum = kernels().vector->sum;
  const std::int64_t tasks = (count + kGrain - 1) / kGrain;
  const float factor = static_cast<float>(options.factor);
  // Losses that are added up get their factor in the end, in double precision.
  const PointwiseNumbers by = {static_cast<float>(options.delta), options.reduces ? 1.0f : factor, factor};
  double* sums = workspace<double>(Slot::kPartials, tasks);
  parallel_ranges(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t size = end - begin;
    float* scratch = workspace<float>(Slot::kTaskPanel, 3 * kGrain);
    float* losses = options.reduces ? scratch : loss + begin;
    const PointwiseArrays arrays = {losses,
                                    at(d_input, begin),
                                    at(d_target, begin),
                                    input + begin,
                                    target + begin,
                                    expand(options.weight, scratch + kGrain, begin, size),
                                    expand(options.positive, scratch + 2 * kGrain, begin, size)};
    kernel(arrays, by, size);
    if (options.reduces) sums[begin / kGrain] = static_cast<double>(sum(losses, size));
  });
  if (!options.reduces) return;
  double total = 0;
  for (std::int64_t task = 0; task < tasks; ++task) total += sums[task];
  *loss = static_cast<float>(total * options.factor);
}

}  // namespace receptive::ops
