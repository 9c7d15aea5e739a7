// SPDX-License-Identifier: Apache-2.0
// The three passes of a convolution over batch-interleaved images (ops/interleave.h). Few channels cost
// nothing here, which leaves direct kernels nearly empty vectors; padding and strides cost no multiply-add.
// Images and their gradients are interleaved, lanes without an image zero in dy; weights and their gradients
// are as ever.
#pragma once

#include "kernels/pool2d_kernels.h"
#include "ops/conv2d.h"

namespace receptive::ops {

void conv2d_forward_interleaved(float* y, const float* x, const float* weight, const float* bias, bool relu,
                                const Conv2dGeometry& geometry);
// Where the pooled images go, and the winners; each may be nullptr.
struct PooledImages {
  float* y;               // NHWC
  std::uint8_t* winners;  // NHWC
  float* interleaved;
};
// Max pooling of the result, which is not written itself. The windows of `pool` are disjoint and inside; its
// channels are out_c * kLanes.
void conv2d_max_pool2d_interleaved(const PooledImages& pooled, const float* x, const float* weight,
                                   const float* bias, bool relu, const Conv2dGeometry& geometry,
                                   const Pool2dGeometry& pool);
void conv2d_grad_input_interleaved(float* dx, const float* dy, const float* weight,
                                   const Conv2dGeometry& geometry);
// dbias may be nullptr.
void conv2d_grad_weight_interleaved(float* dweight, float* dbias, const float* dy, const float* x,
                                    const Conv2dGeometry& geometry);

// The same for images in NHWC, which are interleaved on the way in and out.
void conv2d_forward_through_lanes(float* y, const float* x, const float* weight, const float* bias, bool relu,
                                  const Conv2dGeometry& geometry);
void conv2d_grad_input_through_lanes(float* dx, const float* dy, const float* weight,
                                     const Conv2dGeometry& geometry);
void conv2d_grad_weight_through_lanes(float* dweight, float* dbias, const float* dy, const float* x,
                                      const Conv2dGeometry& geometry);

}  // namespace receptive::ops
