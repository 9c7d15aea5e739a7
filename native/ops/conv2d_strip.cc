// SPDX-License-Identifier: Apache-2.0
#include "ops/conv2d_strip.h"

#include <algorithm>
#include <cstring>

namespace receptive::ops {
namespace {

constexpr std::int64_t kSlack = 64;  // floats: as wide as any tile

void zero_floats(float* to, std::int64_t count) {
  std::memset(to, 0, static_cast<std::size_t>(count) * sizeof(float));
}

}  // namespace

// With one tap along an axis, what lies between two outputs is skipped instead of copied.
StripShape::StripShape(const Conv2dGeometry& g, std::int64_t channel_count, std::int64_t band_rows)
    : geometry(g),
      channels(channel_count),
      height_step(g.kernel_h == 1 ? 1 : g.stride_h),
      width_step(g.kernel_w == 1 ? 1 : g.stride_w),
      source_height(g.kernel_h == 1 ? g.stride_h : 1),
      source_width(g.kernel_w == 1 ? g.stride_w : 1),
      width((g.out_w - 1) * width_step + g.span_w()) {
  const std::int64_t images = std::min((band_rows + g.out_h - 2) / g.out_h + 1, band_rows);
  size = (band_rows * height_step + images * g.span_h()) * row_floats() + kSlack;
}

void StripShape::fill(float* strip, std::int64_t* starts, const float* x, std::int64_t channel,
                      std::int64_t count, std::int64_t first, std::int64_t rows,
                      const ImageKernels& kernels) const {
  const Conv2dGeometry& g = geometry;
  // Strip pixels [begin, end) lie inside the image.
  const std::int64_t begin = std::min(width, (g.pad_left + source_width - 1) / source_width);
  const std::int64_t end = std::clamp((g.in_w + g.pad_left + source_width - 1) / source_width, begin, width);
  const PatchRun pixel = {0, 0, count};
  float* to = strip;
  for (std::int64_t r = 0; r < rows;) {
    const std::int64_t n = (first + r) / g.out_h, oy = (first + r) % g.out_h;
    const std::int64_t outputs = std::min(rows - r, g.out_h - oy);
    for (std::int64_t i = 0; i < outputs; ++i) starts[r + i] = to - strip + i * height_step * width * count;
    for (std::int64_t i = 0; i < (outputs - 1) * height_step + g.span_h(); ++i, to += width * count) {
      const std::int64_t y = oy * g.stride_h + i * source_height - g.pad_top;
      if (y < 0 || y >= g.in_h || begin == end) {
        zero_floats(to, width * count);
        continue;
      }
      const float* from =
          x + ((n * g.in_h + y) * g.in_w + begin * source_width - g.pad_left) * g.in_pixel() + channel;
      zero_floats(to, begin * count);
      if (count == g.in_pixel() && source_width == 1) {
        std::memcpy(to + begin * count, from,
                    static_cast<std::size_t>((end - begin) * count) * sizeof(float));
      } else {
        kernels.im2col(to + begin * count, count, from, source_width * g.in_pixel(), end - begin, &pixel, 1);
      }
      zero_floats(to + end * count, (width - end) * count);
    }
    r += outputs;
  }
}

}  // namespace receptive::ops
