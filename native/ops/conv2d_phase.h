// SPDX-License-Identifier: Apache-2.0
// What grad_input reads along one axis. Kernel index k reaches input position output * stride + k * dilation
// - pad, so positions of one phase (position mod stride) receive from the same kernel indices, every
// step()-th, and from outputs that lie evenly apart: a correlation at stride 1.
#pragma once

#include <cstdint>
#include <numeric>

#include "ops/conv2d.h"

namespace receptive::ops {

struct PhaseAxis {
  std::int64_t first_position, stride;  // input positions phase, phase + stride, ...
  std::int64_t positions;
  std::int64_t first_tap, tap_step, taps;  // kernel indices first_tap, first_tap + tap_step, ...
  std::int64_t first_output, output_step;  // position 0 receives from first_output - t * output_step

  PhaseAxis(std::int64_t phase, std::int64_t in, std::int64_t kernel, std::int64_t stride_of_axis,
            std::int64_t pad, std::int64_t dilation)
      : first_position(phase),
        stride(stride_of_axis),
        positions(phase < in ? (in - phase + stride - 1) / stride : 0),
        first_tap(0),
        tap_step(stride / std::gcd(stride, dilation)),
        taps(0),
        first_output(0),
        output_step(dilation / std::gcd(stride, dilation)) {
    // Kernel indices beyond tap_step only repeat what stride leaves over.
    while (first_tap < tap_step && (phase + pad - first_tap * dilation) % stride != 0) ++first_tap;
    if (first_tap == tap_step || first_tap >= kernel) return;
    taps = (kernel - first_tap + tap_step - 1) / tap_step;
    first_output = (phase + pad - first_tap * dilation) / stride;
  }

  std::int64_t position(std::int64_t i) const { return first_position + i * stride; }
  std::int64_t tap(std::int64_t t) const { return first_tap + t * tap_step; }
  // The output that position i receives from under tap t; it may lie outside of y.
  std::int64_t output(std::int64_t i, std::int64_t t) const { return first_output + i - t * output_step; }
};

inline PhaseAxis phase_of_rows(std::int64_t phase, const Conv2dGeometry& g) {
  return PhaseAxis(phase, g.in_h, g.kernel_h, g.stride_h, g.pad_top, g.dilation_h);
}
inline PhaseAxis phase_of_columns(std::int64_t phase, const Conv2dGeometry& g) {
  return PhaseAxis(phase, g.in_w, g.kernel_w, g.stride_w, g.pad_left, g.dilation_w);
}

}  // namespace receptive::ops
