// SPDX-License-Identifier: Apache-2.0
// dx is dy convolved with the weight turned by 180 degrees, its two channels exchanged, at padding r -
// 1 - padding: a negative one leaves out what no input was read for.
#include "kernels/select.h"
#include "ops/winograd.h"

namespace receptive::ops {

void conv2d_grad_input_winograd(float* dx, const float* dy, const float* weight, const Conv2dGeometry& g,
                                WinogradTile tile) {
  const KernelTable& table = kernels();
  const WinogradTransforms& transforms = winograd_transforms(tile, table);
  const ImageBatch<const float> from{dy, g.batch, g.out_h, g.out_w, g.out_c};
  const ImageBatch<float> to{dx, g.batch, g.in_h, g.in_w, g.in_c};
  const std::int64_t reach = transforms.taps - 1;
  winograd_convolve(
      {&transforms, from, to, reach - g.pad_top, reach - g.pad_left, weight, true, nullptr, nullptr, false},
      table);
}

}  // namespace receptive::ops
