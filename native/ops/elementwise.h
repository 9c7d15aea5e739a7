// SPDX-License-Identifier: Apache-2.0
// Runs an elementwise kernel over a whole tensor, in ranges that depend on its size only.
#pragma once

#include <cstdint>

#include "kernels/activation_kernels.h"
#include "runtime/parallel_for.h"

namespace receptive::ops {

// Elements a task takes: 3 arrays of 64 KiB stay in the near cache of a core, and a task takes microseconds,
// as long as a fork-join.
constexpr std::int64_t kElementwiseGrain = 1 << 14;

// kernel(out, in..., count) for each range; every pointer advances with it.
inline void binary(void (*kernel)(float*, const float*, const float*, std::int64_t), float* out,
                   const float* a, const float* b, std::int64_t count) {
  parallel_ranges(count, kElementwiseGrain, [=](std::int64_t begin, std::int64_t end) {
    kernel(out + begin, a + begin, b + begin, end - begin);
  });
}

inline void activation_forward(const ActivationKernel& kernel, float* y, const float* x, std::int64_t count,
                               const ActivationOptions<float>& options) {
  parallel_ranges(count, kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    kernel.forward(y + begin, x + begin, end - begin, options);
  });
}

inline void activation_backward(const ActivationKernel& kernel, float* dx, const float* dy, const float* kept,
                                std::int64_t count, const ActivationOptions<float>& options) {
  parallel_ranges(count, kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    kernel.backward(dx + begin, dy + begin, kept + begin, end - begin, options);
  });
}

}  // namespace receptive::ops
