// SPDX-License-Identifier: Apache-2.0
// The gradient of the input over batch-interleaved images. Input pixels of one phase (iy mod strideH, ix mod
// strideW) receive from the same taps, and neighbours of a phase from neighbouring outputs: for each phase a
// correlation of dy with some of the taps, in reverse order.
#include <algorithm>

#include "ops/conv2d_interleaved.h"
#include "ops/correlate.h"
#include "ops/interleave.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// Along one axis, the inputs phase, phase + stride, ... and the taps first_tap, first_tap + stride, ...
struct Phase {
  std::int64_t first_tap;
  CorrelateAxis axis;

  Phase(std::int64_t phase, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
        std::int64_t pad)
      : first_tap((phase + pad) % stride) {
    axis.outputs = phase < in ? (in - phase + stride - 1) / stride : 0;
    axis.in = out;
    axis.taps = first_tap < kernel ? (kernel - first_tap + stride - 1) / stride : 0;
    axis.stride = 1;
    axis.pad = axis.taps - 1 - (phase + pad) / stride;
  }
  std::int64_t last_tap(std::int64_t stride) const { return first_tap + (axis.taps - 1) * stride; }
};

Phase row_phase(std::int64_t phase, const Conv2dGeometry& g) {
  return Phase(phase, g.in_h, g.out_h, g.kernel_h, g.stride_h, g.pad_top);
}
Phase column_phase(std::int64_t phase, const Conv2dGeometry& g) {
  return Phase(phase, g.in_w, g.out_w, g.kernel_w, g.stride_w, g.pad_left);
}

Correlation correlation_of(const Phase& rows, const Phase& columns, const Conv2dGeometry& g) {
  return {rows.axis, columns.axis, g.out_c, g.in_c, nullptr};
}

// Each pass over all phases gives out the same places.
std::int64_t phase_offset(std::int64_t phase_y, std::int64_t phase_x, const Conv2dGeometry& g) {
  std::int64_t offset = 0;
  for (std::int64_t y = 0; y <= phase_y; ++y) {
    const std::int64_t end = y < phase_y ? std::min(g.stride_w, g.in_w) : phase_x;
    for (std::int64_t x = 0; x < end; ++x)
      offset += correlation_of(row_phase(y, g), column_phase(x, g), g).weight_size();
  }
  return offset;
}

}  // namespace

void conv2d_grad_input_interleaved(float* dx, const float* dy, const float* weight, const Conv2dGeometry& g) {
  float* packed = workspace<float>(Slot::kPackedB, g.weight_size());
  const std::int64_t phases_y = std::min(g.stride_h, g.in_h), phases_x = std::min(g.stride_w, g.in_w);
  for (std::int64_t y = 0; y < phases_y; ++y) {
    for (std::int64_t x = 0; x < phases_x; ++x) {
      const Phase rows = row_phase(y, g), columns = column_phase(x, g);
      const std::int64_t last = rows.last_tap(g.stride_h) * g.kernel_w + columns.last_tap(g.stride_w);
      Correlation correlation = correlation_of(rows, columns, g);
      if (correlation.weight_size() > 0) {
        correlation.pack(
            packed + phase_offset(y, x, g),
            {weight + last * g.in_c, 1, -g.stride_h * g.kernel_w * g.in_c, -g.stride_w * g.in_c, g.patch()});
      }
    }
  }
  const std::int64_t pixel = g.in_c * kLanes, dx_row = g.in_w * pixel,
                     dy_block = g.out_h * g.out_w * g.out_c * kLanes;
  const std::int64_t row_work = g.out_w * g.out_c * g.patch() * kLanes / g.stride_h;
  parallel_ranges(blocks_of(g.batch) * g.in_h, correlate_task_rows(row_work),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t row = begin; row < end; ++row) {
                      const std::int64_t iy = row % g.in_h;
                      for (std::int64_t x = 0; x < phases_x; ++x) {
                        const std::int64_t y = iy % g.stride_h;
                        Correlation correlation = correlation_of(row_phase(y, g), column_phase(x, g), g);
                        correlation.packed = packed + phase_offset(y, x, g);
                        correlation.run(dx + row * dx_row + x * pixel, g.stride_w * pixel,
                                        dy + row / g.in_h * dy_block, iy / g.stride_h, nullptr, false);
                      }
                    }
                  });
}

}  // namespace receptive::ops
