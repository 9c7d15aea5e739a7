// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels of local response normalisation: y = x / base^beta with base = k + share * the sum
// of squares of the columns from c - before to c + after of a matrix [rows][channels], or of the pixels
// around one in the same channel of an image.
#pragma once

#include <cstdint>

namespace receptive {

struct LocalResponse {
  std::int64_t channels;       // floats of a row
  std::int64_t before, after;  // neighbours in a row, which are `step` apart: fewer than there are
  std::int64_t step;           // 1, or for pixels the channels of each
  float share, beta, k;
};

// Neighbours in other rows of an image: fewer than it has.
struct ResponseRows {
  std::int64_t height, above, below;
};

struct LocalResponseNormKernels {
  // How many floats of scratch a call needs.
  std::int64_t (*scratch)(const LocalResponse& response);
  // y may be x.
  void (*forward)(float* y, const float* x, float* scratch, const LocalResponse& response, std::int64_t rows);
  // dx may be dy or x.
  void (*backward)(float* dx, const float* dy, const float* x, float* scratch, const LocalResponse& response,
                   std::int64_t rows);

  // Rows `first` to `end` - 1 of one image, with neighbours in its other rows as well. y is not x, nor dx dy
  // or x.
  std::int64_t (*map_scratch)(const LocalResponse& response, const ResponseRows& rows);
  void (*map_forward)(float* y, const float* x, float* scratch, const LocalResponse& response,
                      const ResponseRows& rows, std::int64_t first, std::int64_t end);
  void (*map_backward)(float* dx, const float* dy, const float* x, float* scratch,
                       const LocalResponse& response, const ResponseRows& rows, std::int64_t first,
                       std::int64_t end);
};

}  // namespace receptive
