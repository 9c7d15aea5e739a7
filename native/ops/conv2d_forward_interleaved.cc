// SPDX-License-Identifier: Apache-2.0
// The forward pass over batch-interleaved images: a correlation, row by row.
#include "ops/conv2d_interleaved.h"
#include "ops/correlate.h"
#include "ops/interleave.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

Correlation packed_correlation(const float* weight, const Conv2dGeometry& g) {
  Correlation correlation{{g.out_h, g.in_h, g.kernel_h, g.stride_h, g.pad_top},
                          {g.out_w, g.in_w, g.kernel_w, g.stride_w, g.pad_left},
                          g.in_c,
                          g.out_c,
                          nullptr};
  correlation.pack(workspace<float>(Slot::kPackedB, g.weight_size()),
                   {weight, g.patch(), g.kernel_w * g.in_c, g.in_c, 1});
  return correlation;
}

std::int64_t input_block(const Conv2dGeometry& g) { return g.in_h * g.in_w * g.in_c * kLanes; }
std::int64_t row_work(const Conv2dGeometry& g) { return g.out_w * g.out_c * g.patch() * kLanes; }

}  // namespace

void conv2d_forward_interleaved(float* y, const float* x, const float* weight, const float* bias, bool relu,
                                const Conv2dGeometry& g) {
  const Correlation correlation = packed_correlation(weight, g);
  const std::int64_t pixel = g.out_c * kLanes;
  parallel_ranges(blocks_of(g.batch) * g.out_h, correlate_task_rows(row_work(g)),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t row = begin; row < end; ++row) {
                      correlation.run(y + row * g.out_w * pixel, pixel, x + row / g.out_h * input_block(g),
                                      row % g.out_h, bias, relu);
                    }
                  });
}

void conv2d_max_pool2d_interleaved(const PooledImages& pooled, const float* x, const float* weight,
                                   const float* bias, bool relu, const Conv2dGeometry& g,
                                   const Pool2dGeometry& pool) {
  const Correlation correlation = packed_correlation(weight, g);
  const std::int64_t pixel = g.out_c * kLanes, y_row = g.out_w * pixel, pooled_row = pool.out_w * pixel;
  const std::int64_t row_elements = pool.out_w * g.out_c, image_elements = pool.out_h * row_elements;
  // A row of windows at a time: an image as high as they are, and a result of one row.
  Pool2dGeometry band = pool;
  band.in_h = pool.kernel_h;
  band.out_h = 1;
  const std::int64_t rows = correlate_task_rows(pool.kernel_h * row_work(g));
  parallel_ranges(pool.batch * pool.out_h, rows, [&](std::int64_t begin, std::int64_t end) {
    float* image = workspace<float>(Slot::kTaskResult, pool.kernel_h * y_row);
    float* result = workspace<float>(Slot::kTaskPanel, pooled_row);
    auto* winners = workspace<std::uint8_t>(Slot::kTaskRows, pooled_row);
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t block = row / pool.out_h, y = row % pool.out_h;
      for (std::int64_t r = 0; r < pool.kernel_h; ++r) {
        correlation.run(image + r * y_row, pixel, x + block * input_block(g), y * pool.stride_h + r, bias,
                        relu);
      }
      float* lanes = pooled.interleaved == nullptr ? result : pooled.interleaved + row * pooled_row;
      kernels().pool2d->max_bytes.forward(lanes, winners, image, band, 0);
      const std::int64_t first = block * kLanes * image_elements + y * row_elements;
      if (pooled.y != nullptr)
        kernels().interleaved->deinterleave(pooled.y + first, lanes, image_elements, kLanes, row_elements);
      if (pooled.winners != nullptr)
        deinterleave_bytes(pooled.winners + first, winners, image_elements, row_elements);
    }
  });
}

}  // namespace receptive::ops
