// SPDX-License-Identifier: Apache-2.0
// Contracts of the convolution kernels over batch-interleaved images: [block][y][x][c][kLanes], a block being
// kLanes images. Vectors lie along the images, so that one channel costs no more than sixteen, and pooling
// and elementwise kernels see images of c * kLanes channels.
#pragma once

#include <cstdint>

namespace receptive {

constexpr std::int64_t kLanes = 16;  // images of a block: a vector of the widest instruction set

// `total` in as few groups of at most `most` as possible, of sizes that differ by one at most.
struct Groups {
  std::int64_t total, count;
  Groups(std::int64_t size, std::int64_t most) : total(size), count((size + most - 1) / most) {}
  std::int64_t begin(std::int64_t group) const { return group * total / count; }
};

// One row of outputs of a correlation. Output o reads columns o * stride - pad to o * stride - pad + taps - 1
// of each input row; what lies outside is skipped, which also saves its multiply-adds.
struct CorrelateRow {
  float* y;  // [outputs], y_step floats apart, of [out_c][kLanes]
  std::int64_t y_step;
  const float* x;       // the first input row, [in_w][in_c][kLanes]
  std::int64_t x_row;   // floats from an input row to the next
  std::int64_t x_rows;  // input rows, one for each kernel row that is inside the image
  // Packed: for each of Groups(out_c, max_channels), [kernel rows][taps][in_c][channels of the group]
  const float* weight;
  std::int64_t kernel_rows,
      first_kernel_row;  // of the packed weight, and the one that reads the first input row
  std::int64_t outputs, out_c, in_w, in_c, taps, stride, pad;
  const float* bias;  // [out_c] or nullptr
  bool relu;          // after the bias: negative values become 0, NaN stays NaN
};

// sums[channel][element][kLanes] += sum over rows and columns of dy(row, column)[channel] * x(row,
// column)[element]
struct CorrelateGradient {
  float* sums;
  std::int64_t sums_row;  // floats between channels
  const float* dy;
  std::int64_t dy_row, dy_step;
  const float* x;
  std::int64_t x_row, x_step;
  std::int64_t rows, columns;
  int channels, elements;  // at most those of the table
};

struct InterleavedKernels {
  int max_channels;                          // output channels of a tile of the correlation
  int gradient_channels, gradient_elements;  // tile of the gradient

  void (*correlate_row)(const CorrelateRow& row);
  void (*correlate_gradient)(const CorrelateGradient& tile);
  // sums[element][kLanes] += the sum of `pixels` of x, x_step floats apart
  void (*sum_pixels)(float* sums, const float* x, std::int64_t x_step, std::int64_t pixels,
                     std::int64_t elements);
  // to[i] = the sum of the lanes of from[i]
  void (*sum_lanes)(float* to, const float* from, std::int64_t count);
  // to[element][kLanes] from `images` images, image_step floats apart; lanes without an image become 0.
  void (*interleave)(float* to, const float* from, std::int64_t image_step, std::int64_t images,
                     std::int64_t elements);
  // The inverse.
  void (*deinterleave)(float* to, const float* from, std::int64_t image_step, std::int64_t images,
                       std::int64_t elements);
};

}  // namespace receptive
