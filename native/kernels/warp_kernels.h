// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels that read images between pixels. Places are doubles, fractions of pixels floats,
// and each operation is rounded by itself: all instruction sets give the same bits.
#pragma once

#include <cstdint>

namespace receptive {

// An image of [height][width][channels] inside a margin of so many pixels on each side, and kSlack floats
// behind that. The margin holds what lies beyond the edge: places further out are brought to it, or, where
// the image is reflected, back into the image.
struct MarginImage {
  static constexpr std::int64_t kMargin = 2, kSlack = 4;
  const float* pixels;  // of the margin's first pixel
  std::int64_t height, width, channels;
  bool is_reflected;

  std::int64_t stride() const { return (width + 2 * kMargin) * channels; }
  static std::int64_t size(std::int64_t height, std::int64_t width, std::int64_t channels) {
    return (height + 2 * kMargin) * (width + 2 * kMargin) * channels + kSlack;
  }
};

struct WarpKernels {
  // A row of `image.width` pixels: pixel i is the image at (y + i * down, x + i * right), bilinearly.
  void (*affine_row)(float* out, const MarginImage& image, double y, double x, double down, double right);
  // Pixel i is the image at (y + scale * down[i], i + scale * right[i]).
  void (*displaced_row)(float* out, const MarginImage& image, double y, double scale, const float* down,
                        const float* right);
  // out[i] = the sum of weights[k] * in[k * step + i] over k from 0 to taps - 1, in that order
  void (*weighted_sum)(float* out, const float* in, std::int64_t step, const float* weights,
                       std::int64_t taps, std::int64_t count);
};

}  // namespace receptive
