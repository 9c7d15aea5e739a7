// SPDX-License-Identifier: Apache-2.0
#include "kernels/select.h"
#include "ops/winograd.h"

namespace receptive::ops {

void conv2d_forward_winograd(float* y, const float* x, const float* weight, const float* bias,
                             const float* residual, bool relu, const Conv2dGeometry& g, WinogradTile tile) {
  const KernelTable& table = kernels();
  const WinogradTransforms& transforms = winograd_transforms(tile, table);
  const ImageBatch<const float> from{x, g.batch, g.in_h, g.in_w, g.in_c};
  const ImageBatch<float> to{y, g.batch, g.out_h, g.out_w, g.out_c};
  winograd_convolve({&transforms, from, to, g.pad_top, g.pad_left, weight, false, bias, residual, relu},
                    table);
}

}  // namespace receptive::ops
