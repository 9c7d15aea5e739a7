// SPDX-License-Identifier: Apache-2.0
#include "ops/clip.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "ops/gradient_step.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr int kLanes = 8;  // sums side by side, which compilers keep in vectors

// In double: squares of floats are exact there, and neither overflow nor vanish.
double sum_of_squares(const float* in, std::int64_t count) {
  double sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const double value = static_cast<double>(in[i + lane]);
      sums[lane] += value * value;
    }
  }
  for (int lane = 0; i < count; ++i, ++lane) {
    const double value = static_cast<double>(in[i]);
    sums[lane] += value * value;
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

double square_sum(const float* in, std::int64_t count) {
  const std::int64_t chunks = std::max<std::int64_t>(1, (count + kElementwiseGrain - 1) / kElementwiseGrain);
  double* partials = workspace<double>(Slot::kPartials, chunks);
  partials[0] = 0;
  parallel_ranges(count, kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    partials[begin / kElementwiseGrain] = sum_of_squares(in + begin, end - begin);
  });
  double total = 0;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) total += partials[chunk];
  return total;
}

void clip(float* values, std::int64_t count, const GradientOptions& options) {
  const auto kernel = kernels().optimizer->clip;
  const GradientStep step = gradient_step(options);
  parallel_ranges(count, kElementwiseGrain,
                  [=](std::int64_t begin, std::int64_t end) { kernel(values + begin, end - begin, step); });
}

}  // namespace receptive::ops
