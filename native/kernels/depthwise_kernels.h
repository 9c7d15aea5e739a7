// SPDX-License-Identifier: Apache-2.0
// Contracts of the convolution kernels in which every channel has taps of its own: vectors lie along the
// channels of NHWC images, and a sum never leaves its lane. Convolutions in groups of few channels are sums
// of such ones, over images whose channels were spread (ops/depthwise.h).
#pragma once

#include <cstdint>

namespace receptive {

// One row of outputs, and what it reads: output o, kernel row r and tap t meet at pixel o * stride + t *
// dilation - pad of input row r. Pixels outside of [0, in_w) are skipped.
struct DepthwiseRow {
  std::int64_t outputs, channels;
  const float* x;              // the first input row, [in_w][channels]
  std::int64_t x_row, x_step;  // floats from an input row to the next, and from a pixel to the next
  std::int64_t rows;           // input rows, one for each kernel row that is inside the image; may be 0
  // The `rows_ahead` input rows, row_ahead floats apart, that the next row of outputs is the first to read:
  // they are asked for meanwhile, as the rest of what comes next.
  const float* x_ahead = nullptr;
  std::int64_t row_ahead = 0, rows_ahead = 0;
  std::int64_t in_w, taps, stride, dilation, pad;  // pad may be negative
  std::int64_t weight_row, weight_tap;  // floats between kernel rows and between taps; may be negative
};

// y[o][c] (+)= sum over r and t of x * weight[r][t][c], then the bias and the ReLU
struct DepthwiseSums {
  DepthwiseRow at;
  float* y;
  std::int64_t y_step;          // floats from output to output
  const float* weight;          // of the first input row
  bool accumulate = false;      // add to y instead of writing it
  const float* bias = nullptr;  // [channels] or nullptr
  bool relu = false;            // negative values become 0, NaN stays NaN
};

// dweight[r][t][c] += sum over several rows of outputs, and their outputs o, of dy[o][c] * x. All rows have
// the same kernel rows inside the image.
struct DepthwiseGradient {
  DepthwiseRow at;  // of the first row of outputs
  float* dweight;   // of the first input row
  const float* dy;
  std::int64_t dy_step;
  std::int64_t out_rows;
  std::int64_t dy_row, x_next;  // floats from one row of outputs to the next, in dy and in x
};

struct DepthwiseKernels {
  void (*sums)(const DepthwiseSums& sums);
  void (*gradient)(const DepthwiseGradient& gradient);
  // to[p * to_step + l] = from[p * from_step + lanes[l]] for l < count; lanes do not descend.
  void (*spread)(float* to, std::int64_t to_step, const float* from, std::int64_t from_step,
                 std::int64_t pixels, const std::int32_t* lanes, std::int64_t count);
};

}  // namespace receptive
