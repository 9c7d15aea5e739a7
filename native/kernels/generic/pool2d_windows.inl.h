// SPDX-License-Identifier: Apache-2.0
// Which pixels a pooling window reads, and which windows read a pixel. Include after a vec.h.
#pragma once

#include "kernels/pool2d_kernels.h"

namespace receptive {
namespace {

struct Span {
  std::int64_t begin, end;
  inline std::int64_t size() const { return end - begin; }
};

// The taps of a window at `origin` that lie in an image of `size` pixels.
inline Span taps_inside(std::int64_t origin, std::int64_t kernel, std::int64_t size) {
  return {origin < 0 ? -origin : 0, size - origin < kernel ? size - origin : kernel};
}

// How many taps of a window lie in the image or its padding, by those in the image.
inline std::int64_t taps_padded(Span inside, std::int64_t pad, std::int64_t kernel) {
  return inside.end + pad < kernel ? inside.end + pad : kernel;
}

// The windows that read pixel `position`.
inline Span readers(std::int64_t position, std::int64_t pad, std::int64_t kernel, std::int64_t stride,
                    std::int64_t windows) {
  const std::int64_t last = (position + pad) / stride, past = position + pad - kernel;
  return {past < 0 ? 0 : past / stride + 1, last < windows ? last + 1 : windows};
}

// The part of a window that lies in the image.
struct Window {
  Span rows, columns;
  std::int64_t kernel_w;

  inline std::int64_t first_index() const { return rows.begin * kernel_w + columns.begin; }
  inline float divisor(const Pool2dGeometry& g, Divisor divisor) const {
    if (divisor == Divisor::kInside) return static_cast<float>(rows.size() * columns.size());
    return static_cast<float>(taps_padded(rows, g.pad_top, g.kernel_h) *
                              taps_padded(columns, g.pad_left, g.kernel_w));
  }
};

// |v|^n for n of at least 0
inline Vec power(Vec v, int n) {
  Vec square = abs(v), result = broadcast(1.0f);
  for (; n > 0; n >>= 1, square = mul(square, square)) {
    if (n & 1) result = mul(result, square);
  }
  return result;
}

}  // namespace
}  // namespace receptive
