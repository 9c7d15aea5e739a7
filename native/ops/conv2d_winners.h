// SPDX-License-Identifier: Apache-2.0
// The gradients of a convolution that a max pool follows. In each window of its outputs at most one of a
// channel has a gradient: going through those alone takes a quarter of the multiply-adds behind a 2x2 pool. A
// gradient from before the pool is first taken apart into pooled ones and winners, so that both lead to the
// same bits.
#pragma once

#include <cstdint>

#include "kernels/winner_kernels.h"
#include "ops/conv2d.h"

namespace receptive {

// The windows of a max pool over a convolution's outputs; kernel_h 0 where there is none.
struct PoolWindow {
  std::int64_t kernel_h = 0, kernel_w = 0, stride_h = 0, stride_w = 0;
  std::int64_t size() const { return kernel_h * kernel_w; }
};

namespace ops {

// Where things stand in an image, its windows and the scratch of a task; all in floats.
struct WinnerGeometry {
  Conv2dGeometry conv;
  PoolWindow pool;

  std::int64_t windows_h() const { return conv.out_h / pool.kernel_h; }
  std::int64_t windows_w() const { return conv.out_w / pool.kernel_w; }
  std::int64_t pooled_image() const { return windows_h() * windows_w() * conv.out_c; }
  // The zero-bordered image.
  std::int64_t image_h() const;
  std::int64_t image_w() const;
  std::int64_t image_row() const { return image_w() * conv.in_c; }
  std::int64_t image_size() const;  // with room for a kernel's last vectors
  // What the outputs of a window read.
  std::int64_t window_rows() const { return (pool.kernel_h - 1) * conv.stride_h + conv.kernel_h; }
  std::int64_t window_floats() const {
    return ((pool.kernel_w - 1) * conv.stride_w + conv.kernel_w) * conv.in_c;
  }
  // The gradient of a channel's weight, its rows in whole vectors.
  BlockRows sums() const;
  std::int64_t sums_channel() const { return conv.kernel_h * sums().step; }
  // The weight with zeros around each channel, so that a shift moves it to the place of a window's winner.
  std::int64_t weight_row() const;
  std::int64_t weight_channel() const;
};

// Where patches begin in the zero-bordered image, and weights among their zeros.
struct WinnerTables {
  static constexpr std::int64_t kPlaces = 256;  // what a byte can name

  std::int32_t* window_x;                // a window's first patch
  std::int32_t *place_x, *place_weight;  // what the place of a winner in its window adds: kPlaces each

  static std::int64_t size(const WinnerGeometry& geometry);
  WinnerTables(std::int32_t* memory, const WinnerGeometry& geometry);
};

// An image's gradients after the pool, and the winners of its windows.
struct PooledGradient {
  const float* dz;
  const std::uint8_t* winners;
};

// Those that are not zero, window by window and channel by channel, and where the weight of each stands.
struct WinnerList {
  float* values;
  std::int32_t* offsets;
  std::int32_t* window_ends;

  static std::int64_t bytes(const WinnerGeometry& geometry);
  WinnerList(void* memory, const WinnerGeometry& geometry);
  void read(const PooledGradient& image, const WinnerGeometry& geometry, const WinnerTables& tables);
};

// An image's gradients before the pool, taken apart: the first that is not zero of each window, the second,
// ... After a pool there is one at most.
struct SplitGradient {
  float* dz;
  std::uint8_t* winners;

  static std::int64_t bytes(const WinnerGeometry& geometry);
  SplitGradient(void* memory, const WinnerGeometry& geometry);
  // The ones of number `number`; returns whether there are more.
  bool read(const float* dy, std::int64_t number, const WinnerGeometry& geometry);
};

// Whether it can be done and pays: separate windows that cover the outputs, few channels.
bool is_for_winners(const Conv2dGeometry& geometry, const PoolWindow& pool);

// dx, dweight and dbias are left out where nullptr. dy is the gradient after the pool where winners are
// given, else the one before it; x is needed for dweight and dbias, weight for dx. Images are NHWC.
struct WinnerGradients {
  float *dx, *dweight, *dbias;
  const float* dy;
  const std::uint8_t* winners;
  const float *x, *weight;
};
void conv2d_winner_gradients(const WinnerGradients& pass, const Conv2dGeometry& geometry,
                             const PoolWindow& pool);

}  // namespace ops
}  // namespace receptive
