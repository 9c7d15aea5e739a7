// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels that resize images. Images are [h][w][c]; a call makes one row.
#pragma once

#include <cstdint>

namespace receptive {

// Where an output reads along one axis: y = (1 - share) x[near] + share x[far], far being near or the pixel
// behind it.
struct UpsampleTap {
  std::int32_t near, far;
  float share;
};

// The outputs begin..end - 1 along one axis that read a pixel, and how much of it each takes: weights[0] is
// that of output `begin`.
struct UpsampleReaders {
  std::int32_t begin, end;
  const float* weights;
};

struct UpsampleKernels {
  // y [width][channels]: pixel `near` of the row x for each output
  void (*nearest)(float* y, const float* x, const UpsampleTap* columns, std::int64_t width,
                  std::int64_t channels);
  // The same between two rows, of which the second has the share `share`
  void (*bilinear)(float* y, const float* near_row, const float* far_row, float share,
                   const UpsampleTap* columns, std::int64_t width, std::int64_t channels);
  // dx [width][channels], complete, from the image dy with rows of `out_width` pixels
  void (*gather)(float* dx, const float* dy, const UpsampleReaders& rows, const UpsampleReaders* columns,
                 std::int64_t width, std::int64_t out_width, std::int64_t channels);
};

}  // namespace receptive
