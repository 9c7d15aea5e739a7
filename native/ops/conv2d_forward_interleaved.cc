// SPDX-License-Identifier: Apache-2.0
// The forward pass over batch-interleaved images, row by row.
#include <algorithm>

#include "ops/conv2d_interleaved.h"
#include "ops/conv2d_interleaved_rows.h"
#include "ops/interleave.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {

void conv2d_forward_interleaved(float* y, const float* x, const float* weight, const float* bias, bool relu,
                                const Conv2dGeometry& g) {
  const InterleavedRows rows(weight, bias, relu, g);
  parallel_ranges(blocks_of(g.batch) * g.out_h, rows.task_rows(1), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end;) {
      const std::int64_t block = row / g.out_h, first = row % g.out_h;
      const std::int64_t count = std::min(end - row, g.out_h - first);
      rows.run(y + row * rows.y_row(), x + block * rows.x_block(), first, count);
      row += count;
    }
  });
}

void conv2d_max_pool2d_interleaved(const PooledImages& pooled, const float* x, const float* weight,
                                   const float* bias, bool relu, const Conv2dGeometry& g,
                                   const Pool2dGeometry& pool) {
  const InterleavedRows rows(weight, bias, relu, g);
  const std::int64_t pooled_row = pool.out_w * g.out_c * kLanes;
  const std::int64_t row_elements = pool.out_w * g.out_c, image_elements = pool.out_h * row_elements;
  // A row of windows at a time: an image as high as they are, and a result of one row.
  Pool2dGeometry band = pool;
  band.in_h = pool.kernel_h;
  band.out_h = 1;
  const std::int64_t task_rows = rows.task_rows(pool.kernel_h);
  parallel_ranges(pool.batch * pool.out_h, task_rows, [&](std::int64_t begin, std::int64_t end) {
    float* image = workspace<float>(Slot::kTaskResult, pool.kernel_h * rows.y_row());
    float* result = workspace<float>(Slot::kTaskPanel, pooled_row);
    auto* winners = workspace<std::uint8_t>(Slot::kTaskRows, pooled_row);
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t block = row / pool.out_h, y = row % pool.out_h;
      rows.run(image, x + block * rows.x_block(), y * pool.stride_h, pool.kernel_h);
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
