// SPDX-License-Identifier: Apache-2.0
// What the forward pass and the gradient of the input have in common over batch-interleaved images: a
// correlation. Along each axis, output o reads inputs o * stride - pad to o * stride - pad + taps - 1.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/select.h"

namespace receptive::ops {

struct CorrelateAxis {
  std::int64_t outputs, in, taps, stride, pad;
};

// Where weight (channel, kernel row, kernel column, input channel) stands; steps may be negative.
struct WeightView {
  const float* data;
  std::int64_t channel, row, column, element;
};

struct Correlation {
  CorrelateAxis rows, columns;
  std::int64_t in_c, out_c;
  const float* packed;

  std::int64_t weight_size() const { return out_c * rows.taps * columns.taps * in_c; }

  // The packed weight of kernels/interleaved_kernels.h; `to` has room for weight_size().
  void pack(float* to, const WeightView& weight) {
    packed = to;
    const Groups groups(out_c, kernels().interleaved->max_channels);
    for (std::int64_t group = 0; group < groups.count; ++group) {
      for (std::int64_t row = 0; row < rows.taps; ++row) {
        for (std::int64_t column = 0; column < columns.taps; ++column) {
          const float* from = weight.data + row * weight.row + column * weight.column;
          for (std::int64_t e = 0; e < in_c; ++e) {
            for (std::int64_t c = groups.begin(group); c < groups.begin(group + 1); ++c)
              *to++ = from[c * weight.channel + e * weight.element];
          }
        }
      }
    }
  }

  // Output row `row` of a block, its pixels y_step floats apart; x is the block.
  void run(float* y, std::int64_t y_step, const float* x, std::int64_t row, const float* bias,
           bool relu) const {
    const std::int64_t top = row * rows.stride - rows.pad;
    const std::int64_t first = std::clamp<std::int64_t>(-top, 0, rows.taps);
    const std::int64_t last = std::clamp<std::int64_t>(rows.in - top, first, rows.taps);
    CorrelateRow kernel_row;
    kernel_row.y = y;
    kernel_row.y_step = y_step;
    kernel_row.x_row = columns.in * in_c * kLanes;
    kernel_row.x = x + (top + first) * kernel_row.x_row;
    kernel_row.x_rows = last - first;
    kernel_row.weight = packed;
    kernel_row.kernel_rows = rows.taps;
    kernel_row.first_kernel_row = first;
    kernel_row.outputs = columns.outputs;
    kernel_row.out_c = out_c;
    kernel_row.in_w = columns.in;
    kernel_row.in_c = in_c;
    kernel_row.taps = columns.taps;
    kernel_row.stride = columns.stride;
    kernel_row.pad = columns.pad;
    kernel_row.bias = bias;
    kernel_row.relu = relu;
    kernels().interleaved->correlate_row(kernel_row);
  }
};

// Multiply-adds of a task: about 4 µs, longer than a fork-join.
constexpr std::int64_t kCorrelateTaskWork = 1 << 18;

// Rows of outputs that a task takes.
inline std::int64_t correlate_task_rows(std::int64_t row_work) {
  return std::max<std::int64_t>(1, kCorrelateTaskWork / std::max<std::int64_t>(1, row_work));
}

}  // namespace receptive::ops
