// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels of PReLU, x above 0 and weight * x elsewhere, with a weight for each column of a
// matrix [rows][channels].
#pragma once

#include <cstdint>

namespace receptive {

struct PReluKernels {
  // y may be x.
  void (*forward)(float* y, const float* x, const float* weight, std::int64_t rows, std::int64_t channels);
  // dx, which may be dy or x, and dweight[c], the sum over the rows; either may be nullptr.
  void (*backward)(float* dx, float* dweight, const float* dy, const float* x, const float* weight,
                   std::int64_t rows, std::int64_t channels);
};

}  // namespace receptive
