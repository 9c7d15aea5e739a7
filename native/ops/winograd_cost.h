// SPDX-License-Identifier: Apache-2.0
// What a pass costs directly and by Winograd's algorithm, so that the choice follows from shape and vector
// width alone.
#pragma once

#include "ops/conv2d.h"
#include "ops/winograd.h"

namespace receptive::ops {

// In vector multiply-adds of the GEMM tile; infinite where there is no such tile for the kernel.
struct ConvolutionCosts {
  double direct, f2, f4;
};

// Whether there is a tile for the kernel: 3x3 or 5x5 at stride 1, undilated and in one group.
inline bool is_winograd_shape(const Conv2dGeometry& g) {
  return (g.kernel_h == 3 || g.kernel_h == 5) && g.kernel_w == g.kernel_h && g.stride_h == 1 &&
         g.stride_w == 1 && !g.is_dilated() && g.groups == 1;
}

// Of shapes that have a tile.
ConvolutionCosts forward_costs(const Conv2dGeometry& geometry, int vector_width);
ConvolutionCosts grad_input_costs(const Conv2dGeometry& geometry, int vector_width);
ConvolutionCosts grad_weight_costs(const Conv2dGeometry& geometry, int vector_width);

}  // namespace receptive::ops
