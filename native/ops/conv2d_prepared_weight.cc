// SPDX-License-Identifier: Apache-2.0
// Weights of the forward pass, packed or transformed before it. Worth it where a weight stays as it is from
// pass to pass, above all for small batches: ResNet-18 on one 32x32 image spends three quarters of its time
// on this.
#include "kernels/select.h"
#include "ops/conv2d_algorithm.h"
#include "ops/winograd.h"

namespace receptive::ops {

std::int64_t prepared_weight_size(const Conv2dGeometry& g, Conv2dChoice choice) {
  switch (forward_algorithm(g, kernels(), choice)) {
    case ForwardAlgorithm::kDirect:
      return g.groups > 1 ? 0 : packed_weight_size(g);
    case ForwardAlgorithm::kWinogradF2:
      return transformed_weight_size(g, WinogradTile::kF2);
    case ForwardAlgorithm::kWinogradF4:
      return transformed_weight_size(g, WinogradTile::kF4);
    case ForwardAlgorithm::kWinogradF2Taps5:
      return transformed_weight_size(g, WinogradTile::kF2Taps5);
    default:
      return 0;
  }
}

void conv2d_prepare_weight(float* prepared, const float* weight, const Conv2dGeometry& g,
                           Conv2dChoice choice) {
  switch (forward_algorithm(g, kernels(), choice)) {
    case ForwardAlgorithm::kWinogradF2:
      return transform_forward_weight(prepared, weight, g, WinogradTile::kF2);
    case ForwardAlgorithm::kWinogradF4:
      return transform_forward_weight(prepared, weight, g, WinogradTile::kF4);
    case ForwardAlgorithm::kWinogradF2Taps5:
      return transform_forward_weight(prepared, weight, g, WinogradTile::kF2Taps5);
    default:
      return pack_forward_weight(prepared, weight, g);
  }
}

}  // namespace receptive::ops
