// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels for gradients that come through a max pool: of each window only the winner's
// output has one, so the gradients of a convolution are sums over few patches.
#pragma once

#include <cstdint>

namespace receptive {

// Rows of an array; kernels read and write whole vectors of each.
struct BlockRows {
  std::int64_t rows;    // at most kMaxBlockRows
  std::int64_t floats;  // of a row that count
  std::int64_t step;    // from one row to the next
};

constexpr std::int64_t kMaxBlockRows = 8;

// The gradients of one channel of an image behind a max pool, and the patch of each.
struct WinnerPatches {
  const float* values;          // value_step apart, as the winners are
  const std::uint8_t* winners;  // the place of each in its window
  std::int64_t step, count;
  const std::int32_t* window_x;  // where the first patch of each window begins
  const std::int32_t* place_x;   // what a place adds to that
};

// An image's gradients before the pool: [windows_h * kernel_h][windows_w * kernel_w][channels]
struct WindowedImage {
  const float* dy;
  std::int64_t windows_h, windows_w, kernel_h, kernel_w, channels;
};

struct WinnerKernels {
  // The elements of `from` that are not zero, in order, and their places; returns how many. Both arrays have
  // room for `count` and a vector more.
  std::int64_t (*nonzero)(float* values, std::int32_t* places, const float* from, std::int64_t count);
  // to += the sum over i < count of values[i] * the rows at from + offsets[i], which are from_step apart
  void (*add_blocks)(float* to, const BlockRows& rows, const float* from, std::int64_t from_step,
                     const float* values, const std::int32_t* offsets, std::int64_t count);
  // The same with the blocks that the patches name.
  void (*add_patches)(float* to, const BlockRows& rows, const float* from, std::int64_t from_step,
                      const WinnerPatches& patches);
  // Of each window and channel the element number `number` (0 the first) among those that are not zero, and
  // its place; 0 where there are not so many. Returns the most that any window has.
  std::int64_t (*split)(float* dz, std::uint8_t* winners, const WindowedImage& image, std::int64_t number);
};

}  // namespace receptive
