// SPDX-License-Identifier: Apache-2.0
// dx is dy convolved with the weight turned by 180 degrees, its two channels exchanged, at padding 2 -
// padding: a negative one leaves out what no input was read for.
#include "kernels/select.h"
#include "ops/winograd.h"

namespace receptive::ops {

void conv2d_grad_input_winograd(float* dx, const float* dy, const float* weight, const Conv2dGeometry& g,
                                WinogradTile tile) {
  const KernelTable& table = kernels();
  const WinogradTransforms& transforms = winograd_transforms(tile, table);
  const ImageBatch<const float> from{dy, g.batch, g.out_h, g.out_w, g.out_c};
  const ImageBatch<float> to{dx, g.batch, g.in_h, g.in_w, g.in_c};
  winograd_convolve(
      {&transforms, from, to, 2 - g.pad_top, 2 - g.pad_left, weight, true, nullptr, nullptr, false}, table);
}

}  // namespace receptive::ops
