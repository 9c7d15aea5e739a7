// SPDX-License-Identifier: Apache-2.0
// Contracts of the pooling kernels. Images are [h][w][c]; a call handles one row of one image, all its pixels
// and channels. Windows are clipped to the image: padding is never read and never wins.
#pragma once

#include <cstdint>

namespace receptive {

// Kernels read the fields only: a function shared by several instruction sets must not be linked from one.
struct Pool2dGeometry {
  std::int64_t batch, in_h, in_w, channels, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, pad_top,
      pad_left;

  std::int64_t in_image() const { return in_h * in_w * channels; }
  std::int64_t out_image() const { return out_h * out_w * channels; }
  std::int64_t window() const { return kernel_h * kernel_w; }
  // No pixel is read by two windows.
  bool windows_are_disjoint() const { return stride_h >= kernel_h && stride_w >= kernel_w; }
};

// The divisor of an average: what lies inside the image with its padding, or inside the image alone. Where
// outputs are counted up (ceil mode), the last windows reach beyond the padding; what is there never counts.
enum class Divisor { kPadded, kInside };

// Where the maximum stood is stored as kh * kernel_w + kw, one byte where that fits.
template <typename Index>
struct MaxPool2dKernels {
  // Row out_row of y and winners from the image x. The first maximum wins, and a NaN over any number.
  void (*forward)(float* y, Index* winners, const float* x, const Pool2dGeometry& g, std::int64_t out_row);
  // Disjoint windows only: the gradient of row out_row of dy, into an image dx that was cleared.
  void (*scatter)(float* dx, const float* dy, const Index* winners, const Pool2dGeometry& g,
                  std::int64_t out_row);
  // Any windows: row in_row of dx, complete, from the images dy and winners.
  void (*gather)(float* dx, const float* dy, const Index* winners, const Pool2dGeometry& g,
                 std::int64_t in_row);
};

// Output o of n over an axis of `in` pixels covers those from floor(o in / n) to ceil((o + 1) in / n) - 1. Of
// the geometry only batch, sizes and channels count. Winners are pixels of the image, row * in_w + column.
struct AdaptivePool2dKernels {
  // Row out_row of y, and of winners, from the image x.
  void (*max_forward)(float* y, std::int32_t* winners, const float* x, const Pool2dGeometry& g,
                      std::int64_t out_row);
  void (*average_forward)(float* y, const float* x, const Pool2dGeometry& g, std::int64_t out_row);
  // Row in_row of dx, complete, from the images dy and winners.
  void (*max_gather)(float* dx, const float* dy, const std::int32_t* winners, const Pool2dGeometry& g,
                     std::int64_t in_row);
  void (*average_gather)(float* dx, const float* dy, const Pool2dGeometry& g, std::int64_t in_row);
};

struct Pool2dKernels {
  MaxPool2dKernels<std::uint8_t> max_bytes;
  MaxPool2dKernels<std::int32_t> max_ints;

  void (*average_forward)(float* y, const float* x, const Pool2dGeometry& g, std::int64_t out_row,
                          Divisor divisor);
  void (*average_scatter)(float* dx, const float* dy, const Pool2dGeometry& g, std::int64_t out_row,
                          Divisor divisor);
  void (*average_gather)(float* dx, const float* dy, const Pool2dGeometry& g, std::int64_t in_row,
                         Divisor divisor);

  // The p-norm of each window, p at least 1; backward sign(x) (|x| / y)^(p - 1) dy, and 0 where y is 0
  void (*lp_forward)(float* y, const float* x, const Pool2dGeometry& g, std::int64_t out_row, int p);
  void (*lp_scatter)(float* dx, const float* dy, const float* x, const float* y, const Pool2dGeometry& g,
                     std::int64_t out_row, int p);
  void (*lp_gather)(float* dx, const float* dy, const float* x, const float* y, const Pool2dGeometry& g,
                    std::int64_t in_row, int p);

  AdaptivePool2dKernels adaptive;
};

}  // namespace receptive
