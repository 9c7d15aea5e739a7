// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels of local response normalisation: y = x / base^beta with base = k + share * the sum
// of squares of the columns from c - before to c + after of a matrix [rows][channels].
#pragma once

#include <cstdint>

namespace receptive {

struct LocalResponse {
  std::int64_t channels, before, after;  // before and after: less than channels
  float share, beta, k;
};

struct LocalResponseNormKernels {
  // How many floats of scratch a call needs.
  std::int64_t (*scratch)(const LocalResponse& response);
  // y may be x.
  void (*forward)(float* y, const float* x, float* scratch, const LocalResponse& response, std::int64_t rows);
  // dx may be dy or x.
  void (*backward)(float* dx, const float* dy, const float* x, float* scratch, const LocalResponse& response,
                   std::int64_t rows);
};

}  // namespace receptive
