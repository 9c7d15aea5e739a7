// SPDX-License-Identifier: Apache-2.0
// Forward pass for images of one channel and few output channels, such as the first layer of LeNet-5. Vectors
// along the output channels would be mostly empty, and runs of a few taps short; so here vectors lie along
// the pixels of an output row. With one channel, neighbouring pixels are neighbours in memory: the row of B
// for tap (kh, kw) is an image row, shifted by kw. A is the weight as it is. The result of a row,
// [outC][pixels], is then turned to [pixels][outC].
//
// LeNet-5's first layer at batch 64, one thread: 0.72 ms by output channels, 0.35 ms this way.
#include <algorithm>

#include "kernels/select.h"
#include "ops/brgemm.h"
#include "ops/conv2d_algorithm.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kTaskPixels = 2048;  // output pixels a task takes: about 10 microseconds

// The rows of the zero-bordered image that output row (n, oy) reads, with room behind for the last vector.
void copy_rows(float* rows, std::int64_t width, const float* x, const Conv2dGeometry& g, std::int64_t n,
               std::int64_t oy) {
  for (std::int64_t kh = 0; kh < g.kernel_h; ++kh, rows += width) {
    const std::int64_t y = oy * g.stride_h + kh * g.dilation_h - g.pad_top;
    std::fill_n(rows, width, 0.0f);
    if (y < 0 || y >= g.in_h) continue;
    const std::int64_t pixels = std::clamp<std::int64_t>(g.padded_w() - g.pad_left, 0, g.in_w);
    std::copy_n(x + (n * g.in_h + y) * g.in_w, pixels, rows + g.pad_left);
  }
}

// y[pixel][oc] = result[oc][pixel] + bias[oc]
void turn(float* y, const float* result, std::int64_t stride, const float* bias, bool relu,
          std::int64_t pixels, std::int64_t channels) {
  for (std::int64_t oc = 0; oc < channels; ++oc) {
    const float* from = result + oc * stride;
    const float shift = bias == nullptr ? 0.0f : bias[oc];
    for (std::int64_t p = 0; p < pixels; ++p) {
      const float value = bias == nullptr ? from[p] : from[p] + shift;
      y[p * channels + oc] = relu && value < 0.0f ? 0.0f : value;
    }
  }
}

}  // namespace

void conv2d_forward_plane(float* y, const float* x, const float* weight, const float* bias, bool relu,
                          const Conv2dGeometry& g) {
  const GemmKernels& kernel = *kernels().gemm;
  // As many pixels at once as a tile of outC rows may be wide.
  int vectors = 1;
  while (vectors < kernel.max_columns / kernel.vector_width && kernel.rows_by_vecs[vectors + 1] >= g.out_c)
    ++vectors;
  const std::int64_t span = vectors * kernel.vector_width;
  const std::int64_t width = g.padded_w() + span;
  const std::int64_t rows = g.batch * g.out_h, task_rows = std::max<std::int64_t>(1, kTaskPixels / g.out_w);

  parallel_ranges(rows, task_rows, [&](std::int64_t begin, std::int64_t end) {
    float* image = workspace<float>(Slot::kTaskPanel, g.kernel_h * width);
    float* result = workspace<float>(Slot::kTaskResult, g.out_c * span);
    const float** a_rows = workspace<const float*>(Slot::kTaskRows, g.kernel_h * g.out_c);
    float* c_rows[kMaxTileRows];
    for (std::int64_t oc = 0; oc < g.out_c; ++oc) {
      c_rows[oc] = result + oc * span;
      for (std::int64_t kh = 0; kh < g.kernel_h; ++kh) {
        a_rows[kh * g.out_c + oc] = weight + oc * g.patch() + kh * g.kernel_w;
      }
    }
    GemmTile tile;
    tile.a_rows = a_rows;
    tile.a_offset = 0;
    tile.a_stride = 1;
    tile.runs = g.kernel_h;
    tile.run_length = g.kernel_w;
    tile.b_run_stride = width;
    tile.b_stride = g.dilation_w;
    tile.c_rows = c_rows;
    tile.rows = static_cast<int>(g.out_c);
    tile.accumulate = false;
    tile.relu = false;
    tile.bias = nullptr;
    for (std::int64_t row = begin; row < end; ++row) {
      copy_rows(image, width, x, g, row / g.out_h, row % g.out_h);
      for (std::int64_t ox = 0; ox < g.out_w; ox += span) {
        const std::int64_t pixels = std::min(span, g.out_w - ox);
        tile.b = image + ox;
        tile.columns = static_cast<int>(pixels);
        kernel.tile(tile);
        turn(y + (row * g.out_w + ox) * g.out_c, result, span, bias, relu, pixels, g.out_c);
      }
    }
  });
}

}  // namespace receptive::ops
