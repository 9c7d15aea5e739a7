// SPDX-License-Identifier: Apache-2.0
#include "kernels/select.h"
#include "ops/winograd.h"

namespace receptive::ops {
namespace {

WinogradConvolution convolution_of(float* y, const float* x, const float* weight, const Conv2dGeometry& g,
                                   WinogradTile tile) {
  const ImageBatch<const float> from{x, g.batch, g.in_h, g.in_w, g.in_c};
  const ImageBatch<float> to{y, g.batch, g.out_h, g.out_w, g.out_c};
  return {&winograd_transforms(tile, kernels()),
          from,
          to,
          g.pad_top,
          g.pad_left,
          weight,
          false,
          nullptr,
          nullptr,
          false,
          nullptr};
}

}  // namespace

void conv2d_forward_winograd(float* y, const float* x, const float* weight, const float* bias,
                             const float* residual, bool relu, const Conv2dGeometry& g, WinogradTile tile,
                             const float* prepared) {
  WinogradConvolution convolution = convolution_of(y, x, weight, g, tile);
  convolution.bias = bias;
  convolution.residual = residual;
  convolution.relu = relu;
  convolution.prepared = prepared;
  winograd_convolve(convolution, kernels());
}

std::int64_t transformed_weight_size(const Conv2dGeometry& g, WinogradTile tile) {
  return winograd_weight_size(convolution_of(nullptr, nullptr, nullptr, g, tile), kernels());
}

void transform_forward_weight(float* u, const float* weight, const Conv2dGeometry& g, WinogradTile tile) {
  winograd_prepare_weight(u, convolution_of(nullptr, nullptr, weight, g, tile), kernels());
}

}  // namespace receptive::ops
