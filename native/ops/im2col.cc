// SPDX-License-Identifier: Apache-2.0
#include "ops/im2col.h"

#include <algorithm>
#include <cstring>

#include "runtime/parallel_for.h"

namespace receptive::ops {
namespace {

// Calls body(column offset, image offset or -1) for every tap of the patch of output (n, oy, ox).
template <typename Body>
void for_each_tap(const Conv2dGeometry& g, std::int64_t n, std::int64_t oy, std::int64_t ox,
                  const Body& body) {
  for (std::int64_t kh = 0; kh < g.kernel_h; ++kh) {
    for (std::int64_t kw = 0; kw < g.kernel_w; ++kw) {
      const std::int64_t y = oy * g.stride_h + kh * g.dilation_h - g.pad_top;
      const std::int64_t x = ox * g.stride_w + kw * g.dilation_w - g.pad_left;
      const bool inside = y >= 0 && y < g.in_h && x >= 0 && x < g.in_w;
      body((kh * g.kernel_w + kw) * g.in_c, inside ? ((n * g.in_h + y) * g.in_w + x) * g.in_c : -1);
    }
  }
}

}  // namespace

void im2col(float* columns, const float* x, const Conv2dGeometry& g) {
  parallel_for(g.batch * g.out_h, [&](std::int64_t row) {
    for (std::int64_t ox = 0; ox < g.out_w; ++ox) {
      float* patch = columns + (row * g.out_w + ox) * g.patch();
      for_each_tap(g, row / g.out_h, row % g.out_h, ox, [&](std::int64_t column, std::int64_t image) {
        for (std::int64_t c = 0; c < g.in_c; ++c) patch[column + c] = image < 0 ? 0.0f : x[image + c];
      });
    }
  });
}

void col2im(float* dx, const float* columns, const Conv2dGeometry& g) {
  parallel_for(g.batch, [&](std::int64_t n) {
    const std::int64_t image_size = g.in_h * g.in_w * g.in_c;
    std::memset(dx + n * image_size, 0, static_cast<std::size_t>(image_size) * sizeof(float));
    for (std::int64_t pixel = 0; pixel < g.out_h * g.out_w; ++pixel) {
      const float* patch = columns + (n * g.out_h * g.out_w + pixel) * g.patch();
      for_each_tap(g, n, pixel / g.out_w, pixel % g.out_w, [&](std::int64_t column, std::int64_t image) {
        if (image < 0) return;
        for (std::int64_t c = 0; c < g.in_c; ++c) dx[image + c] += patch[column + c];
      });
    }
  });
}

}  // namespace receptive::ops
