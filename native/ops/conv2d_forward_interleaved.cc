// SPDX-License-Identifier: Apache-2.0
// The forward pass over batch-interleaved images: a correlation, row by row.
#include "ops/conv2d_interleaved.h"
#include "ops/correlate.h"
#include "ops/interleave.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {

void conv2d_forward_interleaved(float* y, const float* x, const float* weight, const float* bias, bool relu,
                                const Conv2dGeometry& g) {
  Correlation correlation{{g.out_h, g.in_h, g.kernel_h, g.stride_h, g.pad_top},
                          {g.out_w, g.in_w, g.kernel_w, g.stride_w, g.pad_left},
                          g.in_c,
                          g.out_c,
                          nullptr};
  correlation.pack(workspace<float>(Slot::kPackedB, g.weight_size()),
                   {weight, g.patch(), g.kernel_w * g.in_c, g.in_c, 1});
  const std::int64_t pixel = g.out_c * kLanes, y_row = g.out_w * pixel,
                     x_block = g.in_h * g.in_w * g.in_c * kLanes;
  const std::int64_t rows = correlate_task_rows(g.out_w * g.out_c * g.patch() * kLanes);
  parallel_ranges(blocks_of(g.batch) * g.out_h, rows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      correlation.run(y + row * y_row, pixel, x + row / g.out_h * x_block, row % g.out_h, bias, relu);
    }
  });
}

}  // namespace receptive::ops
